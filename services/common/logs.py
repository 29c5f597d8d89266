"""What services log: lines for a person on a terminal, JSON for machines, and never a credential.

The finished text of each record is redacted, so that neither a message, an argument, a field nor the
text of an exception can carry the password of a camera's URL into a log.
"""

import json
import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

from services.common.recent_log import RecentLog
from services.common.secrets import cut, redact
from services.common.tasks import log_thread_failures
from services.core.errors import BadInputError

FORMAT_VARIABLE = "SIGHTLINE_LOG_FORMAT"
LEVEL_VARIABLE = "SIGHTLINE_LOG_LEVEL"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

QUIET_LOGGERS = ("pymongo", "uvicorn.access", "libav", "asyncio")
"""They log every request or packet; only what goes wrong there matters."""

LONGEST_MESSAGE = 8000
"""Characters of a message, a field, or a line of a traceback: strangers' texts may stand there."""

FIRST_LINES, LAST_LINES = 20, 100
"""How much of a long traceback is logged."""

_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


def configure_logging(stream: TextIO | None = None, environment: Mapping[str, str] = os.environ) -> None:
    """Send all records of the process to one stream (default stderr). Calling it again replaces the first.

    `SIGHTLINE_LOG_FORMAT` is `human` or `json`; without it a terminal gets the one and a file the other.
    """
    target = stream or sys.stderr
    form = environment.get(FORMAT_VARIABLE) or ("human" if target.isatty() else "json")
    level = environment.get(LEVEL_VARIABLE, "INFO").upper()
    if form not in ("human", "json"):
        raise BadInputError(f"{FORMAT_VARIABLE} is human or json, not {form!r}")
    if level not in LEVELS:
        raise BadInputError(f"{LEVEL_VARIABLE} is one of {', '.join(LEVELS)}, not {level!r}")
    handler = logging.StreamHandler(target)
    handler.setFormatter(HumanFormatter() if form == "human" else JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler, RECENT], force=True)
    logging.captureWarnings(True)
    log_thread_failures()
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def _time_text(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(text: str) -> str:
    return redact(cut(text, LONGEST_MESSAGE))


def _shown_lines(text: str) -> str:
    """Mask the secrets; leave out the middle of what is very long, and the end of each line that is."""
    lines = text.split("\n")
    if len(lines) > FIRST_LINES + LAST_LINES:
        left_out = f"… {len(lines) - FIRST_LINES - LAST_LINES} lines …"
        lines = [*lines[:FIRST_LINES], left_out, *lines[-LAST_LINES:]]
    return redact("\n".join(cut(line, LONGEST_MESSAGE) for line in lines))


class HumanFormatter(logging.Formatter):
    """Time, level, logger and message on one line, and the traceback of an exception under it."""

    def __init__(self, form: str = "%(asctime)s %(levelname)-7s %(name)s: %(message)s") -> None:
        super().__init__(form)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """Give the time in the form that everything else uses."""
        return _time_text(record)

    def format(self, record: logging.LogRecord) -> str:
        """Redact the finished text."""
        return _shown_lines(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line; fields given as `extra` stand beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        """Build the object and redact each of its texts."""
        fields: dict[str, object] = {
            "time": _time_text(record),
            "level": record.levelname,
            "logger": record.name,
            "message": _shown(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD_FIELDS:
                fields[name] = value if isinstance(value, int | float | bool | None) else _shown(str(value))
        if record.exc_info:
            fields["exception"] = _shown_lines(self.formatException(record.exc_info))
        return json.dumps(fields, ensure_ascii=False)


RECENT = RecentLog()
"""The newest records of this process, filled from when the log is configured."""

RECENT.setFormatter(HumanFormatter("%(message)s"))
