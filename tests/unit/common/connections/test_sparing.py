"""What goes on without pause is said once."""

import logging

from services.common.connections.sparing import Sparing, SparingFilter


def test_it_is_said_once_and_again_after_a_time_of_quiet() -> None:
    moments = iter((0.0, 1.0, 59.0, 118.0, 178.0, 179.0))
    sparing = Sparing(60, lambda: next(moments))
    assert [sparing.is_new() for _ in range(6)] == [True, False, False, False, True, False]


def test_a_librarys_warnings_pass_once_each_and_its_errors_always(caplog) -> None:
    log = logging.getLogger("a.library")
    log.addFilter(SparingFilter())
    for number in range(3):
        log.warning("a client from %d is odd", number)
        log.warning("another")
        log.error("we are wrong")
    assert caplog.messages.count("we are wrong") == 3
    assert caplog.messages.count("another") == 1
    assert len(caplog.messages) == 5
