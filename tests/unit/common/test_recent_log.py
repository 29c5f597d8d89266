"""The newest records of the log: bounded, in order, and without a secret."""

import io
import logging
from collections.abc import Iterator

import pytest

from services.common.logs import RECENT, configure_logging
from services.common.recent_log import LONGEST_TEXT, MOST_RECORDS, LogRecord, RecentLog

SECRETS = {
    "opening rtsp://gate:s3cret/w?rd@192.0.2.10:554/live": "s3cret",
    "opening rtsp://192.0.2.10/live?channel=1&token=t0ken-of-a-camera": "t0ken-of-a-camera",
    "cannot read mongodb://sightline:s3cret@db:27017/": "s3cret",
    "request with Authorization: Bearer sl_abcdefghijklmnopqrstuvwxyz012345": "abcdefghijkl",
    "headers {'authorization': b'Basic YWRtaW46czNjcmV0'}": "YWRtaW46czNjcmV0",
    "somebody gave sl_abcdefghijklmnopqrstuvwxyz012345 as a name": "abcdefghijkl",
    "body {'user': 'anna', 'password': 'correct horse battery'}": "correct horse",
    'body {"user": "anna", "password": "correct horse battery"}': "correct horse",
    "GET /stream.mjpeg?token=sl_0123456789abcdefghijklmnop": "0123456789abc",
}


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger of a service, whose records are kept."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(io.StringIO(), {"SIGHTLINE_LOG_FORMAT": "human", "SIGHTLINE_LOG_LEVEL": "DEBUG"})
    yield logging.getLogger("services.ingest.sources")
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def newest(number: int = 1) -> list[LogRecord]:
    return list(RECENT.newest(number))


@pytest.mark.parametrize(("text", "secret"), SECRETS.items())
def test_no_secret_in_a_message_an_argument_or_a_traceback(
    log: logging.Logger, text: str, secret: str
) -> None:
    assert secret in text
    log.warning(text)
    log.warning("of another service: %s", text)
    try:
        raise OSError(text)
    except OSError as error:
        log.exception("failed")
        log.error("again", exc_info=RuntimeError(f"because of {error}"))
    for record in newest(4):
        assert secret not in record.text
        assert "***" in record.text
    assert "OSError" in newest(2)[0].text


def test_a_record_says_when_how_bad_and_whose(log: logging.Logger) -> None:
    log.info("camera %s is %s", "gate", "live")
    logging.getLogger("elsewhere.part").critical("gone")
    mine, other = newest(2)
    assert (mine.level, mine.service, mine.text) == ("info", "ingest", "camera gate is live")
    assert (other.level, other.service, other.id) == ("error", "elsewhere", mine.id + 1)


def test_installing_the_log_again_keeps_each_record_once(log: logging.Logger) -> None:
    configure_logging(io.StringIO(), {"SIGHTLINE_LOG_FORMAT": "json"})
    log.warning("only once")
    assert [record.text for record in newest(2)].count("only once") == 1


def test_a_long_record_keeps_its_beginning_and_its_end(log: logging.Logger) -> None:
    try:
        raise ValueError("rtsp://u:s3cret@h/s " * 5000)
    except ValueError:
        log.exception("what failed: %s", "x" * 5000)
    (record,) = newest()
    assert len(record.text) == LONGEST_TEXT
    assert record.text.startswith("what failed: xxx")
    assert "rtsp://u:***@h/s" in record.text
    assert "s3cret" not in record.text


def record_of(number: int, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("services.store.writer", level, __file__, 1, "number %d", (number,), None)


def test_only_the_newest_are_kept() -> None:
    log = RecentLog(first_id=0)
    for number in range(MOST_RECORDS + 500):
        log.emit(record_of(number))
    kept = log.newest(10 * MOST_RECORDS)
    assert [record.id for record in kept] == list(range(500, MOST_RECORDS + 500))
    assert [record.id for record in log.newest(3)] == [2497, 2498, 2499]


def test_a_reader_goes_on_after_the_last_it_has_seen() -> None:
    log = RecentLog(first_id=100)
    for number in range(10):
        log.emit(record_of(number, logging.WARNING if number % 3 == 0 else logging.DEBUG))
    assert [record.id for record in log.newest(2, after=100)] == [101, 102]
    assert [record.id for record in log.newest(50, after=102, level="warning")] == [103, 106, 109]
    assert log.newest(50, level="error") == []


def test_ids_grow_from_one_start_to_the_next() -> None:
    first, second = RecentLog(), RecentLog()
    first.emit(record_of(1))
    assert first.newest(1)[0].id > 1_700_000_000_000
    second.emit(record_of(1))
    assert second.newest(1)[0].id >= first.newest(1)[0].id


def test_what_cannot_be_written_is_passed_over() -> None:
    log = RecentLog(first_id=0)
    log.emit(logging.LogRecord("x", logging.INFO, __file__, 1, "%d", ("text",), None))
    assert log.newest(1) == []


def test_a_reader_of_an_earlier_process_whose_clock_ran_ahead_begins_anew() -> None:
    kept = RecentLog(first_id=1000)
    for text in ("one", "two"):
        kept.emit(logging.LogRecord("services", logging.INFO, "", 0, text, (), None))
    for ahead in (3_601_000, 10**15):
        assert [record.text for record in kept.newest(10, after=ahead)] == ["one", "two"]
    assert list(kept.newest(10, after=1001)) == []
    assert [record.text for record in kept.newest(10, after=1000)] == ["two"]
