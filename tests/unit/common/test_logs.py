"""Logs: two forms, and no credential in either."""

import io
import json
import logging
import time
from collections.abc import Iterator

import pytest

from services.common.logs import configure_logging
from services.core.errors import BadInputError

URL = "rtsp://gate:s3cret/w?rd@192.0.2.10:554/live?channel=1&token=t0ken"


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def _log(form: str) -> str:
    stream = io.StringIO()
    configure_logging(stream, {"SIGHTLINE_LOG_FORMAT": form})
    logger = logging.getLogger("test.logs")
    logger.info("opening %s", URL)
    try:
        raise OSError(f"cannot open {URL}")
    except OSError:
        logger.exception("failed", extra={"url": URL, "attempt": 3})
    return stream.getvalue()


@pytest.mark.parametrize("form", ["human", "json"])
def test_no_credential_in_message_field_or_traceback(form: str) -> None:
    text = _log(form)
    assert "s3cret" not in text
    assert "w?rd" not in text
    assert "t0ken" not in text
    assert "rtsp://gate:***@192.0.2.10:554/live" in text


def test_json_lines_hold_the_fields() -> None:
    first, second = (json.loads(line) for line in _log("json").splitlines())
    assert first["level"] == "INFO"
    assert first["logger"] == "test.logs"
    assert first["time"].endswith("Z")
    assert second["attempt"] == 3
    assert "OSError" in second["exception"]


def test_a_file_gets_json_without_being_asked() -> None:
    stream = io.StringIO()
    configure_logging(stream, {})
    logging.getLogger("test.logs").warning("hello")
    assert json.loads(stream.getvalue())["message"] == "hello"


@pytest.mark.parametrize("environment", [{"SIGHTLINE_LOG_FORMAT": "xml"}, {"SIGHTLINE_LOG_LEVEL": "LOUD"}])
def test_unknown_settings_are_refused(environment: dict[str, str]) -> None:
    with pytest.raises(BadInputError):
        configure_logging(io.StringIO(), environment)


@pytest.mark.parametrize("form", ["human", "json"])
def test_a_line_is_bounded_and_costs_little(form: str) -> None:
    stream = io.StringIO()
    configure_logging(stream, {"SIGHTLINE_LOG_FORMAT": form})
    logger = logging.getLogger("test.logs")
    began_s = time.thread_time()
    try:
        raise ValueError("_key=http://a:b@c\n" * 100_000)
    except ValueError:
        logger.exception("%s", "a=&_key" * 100_000, extra={"given": "http://" * 100_000})
    assert time.thread_time() - began_s < 5
    assert len(stream.getvalue()) < 40_000
