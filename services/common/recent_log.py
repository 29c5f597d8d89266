"""The newest records of this process's log, kept for people who look at them on the page."""

import itertools
import logging
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from services.core.times import milliseconds

MOST_RECORDS = 2000
LONGEST_TEXT = 2000
"""Characters of a record; of a longer one its beginning and its end stay, where an exception is named."""

_HEAD = 700
_LEFT_OUT = "\n…\n"

Level = Literal["debug", "info", "warning", "error"]
LEVELS: dict[Level, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record, its secrets masked."""

    id: int
    """It only grows, also from one start of the process to the next unless the clock was set back between."""
    time_s: float
    level: Level
    service: str
    """The service that wrote it, or the library."""
    text: str


class RecentLog(logging.Handler):
    """Keeps the newest records; its formatter masks their secrets. Safe for threads, as handlers are."""

    def __init__(self, limit: int = MOST_RECORDS, first_id: int | None = None) -> None:
        super().__init__()
        self._records: deque[LogRecord] = deque(maxlen=limit)
        self._ids = itertools.count(milliseconds(time.time()) if first_id is None else first_id)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record; of one whose text cannot be made the log's own output tells."""
        with suppress(Exception):
            text = _shortened(self.format(record))
            kept = LogRecord(
                next(self._ids), record.created, _level(record.levelno), _service(record.name), text
            )
            self._records.append(kept)

    def newest(self, limit: int, after: int | None = None, level: Level = "debug") -> Sequence[LogRecord]:
        """Give records of at least a level in their order: the newest, or the first that follow an id.

        An id that is still to come is of an earlier process, whose clock ran ahead: nothing here is known.
        """
        self.acquire()
        try:
            records = list(self._records)
        finally:
            self.release()
        if after is not None and records and after > records[-1].id:
            after = None
        least = LEVELS[level]
        found = [it for it in records if LEVELS[it.level] >= least and (after is None or it.id > after)]
        return found[-limit:] if after is None else found[:limit]


def _shortened(text: str) -> str:
    """Cut what is masked already, so that no secret is cut in two."""
    if len(text) <= LONGEST_TEXT:
        return text
    return text[:_HEAD] + _LEFT_OUT + text[-(LONGEST_TEXT - _HEAD - len(_LEFT_OUT)) :]


def _level(number: int) -> Level:
    return next((name for name, least in reversed(LEVELS.items()) if number >= least), "debug")


def _service(logger: str) -> str:
    first, _, rest = logger.partition(".")
    return rest.partition(".")[0] if first == "services" and rest else first
