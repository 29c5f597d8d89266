"""What FFmpeg says while it opens a camera, and where a camera sends it on to.

Which request was refused stands in no error of FFmpeg. Where a camera sends it on to, it goes at once and
with the password: whoever may stop it has to do so while that is said.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import av.logging

from services.ingest.loss import LOGGER

RTSP = f"{LOGGER}.rtsp"
REDIRECTED = re.compile(r"Status \d+: Redirecting to (.*)", re.DOTALL)


class OpeningLog(logging.Handler):
    """Keeps what is said of the session."""

    def __init__(self, on_redirect: Callable[[str], None]) -> None:
        """`on_redirect` is given the new address before anybody there is dialled."""
        super().__init__()
        self.said: list[str] = []
        self._on_redirect = on_redirect

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line of FFmpeg's log."""
        if record.name == RTSP:
            message = record.getMessage()
            self.said.append(message)
            if found := REDIRECTED.match(message):
                self._on_redirect(found[1])


@contextmanager
def listening(on_redirect: Callable[[str], None]) -> Iterator[list[str]]:
    """Hear all that FFmpeg says meanwhile."""
    log, logger = OpeningLog(on_redirect), logging.getLogger(LOGGER)
    level, own_level, propagates = av.logging.get_level(), logger.level, logger.propagate
    logger.addHandler(log)
    logger.setLevel(1)
    logger.propagate = False
    av.logging.set_level(av.logging.DEBUG)
    try:
        yield log.said
    finally:
        av.logging.set_level(level)
        logger.propagate = propagates
        logger.setLevel(own_level)
        logger.removeHandler(log)
