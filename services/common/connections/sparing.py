"""What strangers can make happen at will is logged once, and not each time: a log stays small."""

import logging
import threading
import time
from collections.abc import Callable

QUIET_S = 60.0
"""What has not happened for this long is logged again when it comes back."""


class Sparing:
    """Knows whether something is to be logged: the first time, and again after a time of quiet.

    What goes on without pause is said once. Callable from any thread.
    """

    def __init__(self, quiet_s: float = QUIET_S, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._quiet_s, self._monotonic_s = quiet_s, monotonic_s
        self._lock = threading.Lock()
        self._last_s: float | None = None

    def is_new(self) -> bool:
        """Note that it has happened; True when it is to be said."""
        now_s = self._monotonic_s()
        with self._lock:
            last_s, self._last_s = self._last_s, now_s
        return last_s is None or now_s - last_s >= self._quiet_s


BROKEN_OFF = "ASGI callable returned without completing response."
"""An error in the words of the server's library: a client's body was too long or too late while its answer
went on, so that the answer was broken off. Any client can have that, as often as it likes."""


class SparingFilter(logging.Filter):
    """Lets each thing that a library says of its clients pass once; what is above a level always passes."""

    def __init__(
        self,
        highest: int = logging.WARNING,
        quiet_s: float = QUIET_S,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._highest = highest
        self._quiet_s, self._monotonic_s = quiet_s, monotonic_s
        self._said: dict[str, Sparing] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record passes; it is known by its text without arguments."""
        if record.levelno > self._highest and record.msg != BROKEN_OFF:
            return True
        said = self._said.setdefault(str(record.msg), Sparing(self._quiet_s, self._monotonic_s))
        return said.is_new()
