"""What was lost on the way from a source: packets that never came, and pictures that are damaged by it.

FFmpeg puts pictures together from what has come and says only in its log that something is missing. In the
process of a source (docs/adr/0021) there is one stream, so that what is logged there is of this stream.
"""

import logging
import re
import time
from collections import deque
from collections.abc import Callable

import av.logging

from services.core.codecs import Codec
from services.core.damage import DamageTrail, PictureNumbers, begins_whole

IN_ORDER = {"reorder_queue_size": "2"}
"""Over TCP FFmpeg would not look at the numbers of packets, since none is lost there; but cameras and
recorders leave packets out themselves when they cannot send."""

OPENING_SPAN_S, OPENING_UNITS = 1.5, 60
"""What was read while the stream was opened is no longer than this; what of it was lost is not known."""

LOGGER = "libav"
MISSED = re.compile(r"RTP: (?:missed (-?\d+) packets|PT=\S+ bad cseq)")
BEHIND = "RTP: dropping old packet"
MOST_BEHIND, BEHIND_SPAN_S = 50, 10.0
"""So many packets behind the newest, in so many seconds, are none that came late: over TCP none does."""

MOST_MISSED = 3000
"""More at once are no loss: the camera has begun to count anew."""


class LossListener(logging.Handler):
    """Counts the packets that FFmpeg misses, by what it logs."""

    def __init__(self, on_restarts: Callable[[], None] = lambda: None) -> None:
        """`on_restarts` is called where packets are numbered anew within the session, and dropped for it."""
        super().__init__(logging.WARNING)
        self.lost = 0
        """Packets that were missed so far."""
        self._on_restarts = on_restarts
        self._behind_s: deque[float] = deque(maxlen=MOST_BEHIND)

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line of FFmpeg's log."""
        message = record.getMessage()
        if found := MISSED.match(message):
            self.lost += min(MOST_MISSED, max(1, int(found[1] or 1)))
        elif message.startswith(BEHIND):
            self._behind_s.append(time.monotonic())
            is_full = len(self._behind_s) == MOST_BEHIND
            if is_full and self._behind_s[-1] - self._behind_s[0] < BEHIND_SPAN_S:
                self._on_restarts()


def listen_for_loss(on_restarts: Callable[[], None] = lambda: None) -> LossListener:
    """Begin to listen, for this whole process; see `LossListener`."""
    listener, logger = LossListener(on_restarts), logging.getLogger(LOGGER)
    logger.propagate = False
    logger.addHandler(listener)
    av.logging.set_skip_repeated(False)
    av.logging.set_level(av.logging.WARNING)
    return listener


class SourceDamage:
    """Follows the access units of a source, and gives which were damaged or stand on damaged ones."""

    def __init__(self, loss: LossListener, codec: Codec) -> None:
        """`loss` is of the process that reads the source."""
        self._loss, self._codec = loss, codec
        self._trail, self._numbers = DamageTrail(), PictureNumbers()
        self._known_lost = 0
        self._was_lost = False
        """Whether something was lost while the unit before was read: perhaps of this one."""
        self._began_s: float | None = None
        self._opening_left = OPENING_UNITS if loss.lost > 0 else 0

    def see(self, data: bytes, is_keyframe: bool, stream_s: float | None, is_corrupt: bool) -> bool:
        """Take the next unit, and whether its container calls it corrupt; gives whether it is damaged.

        A unit is complete when the next one begins: what was lost meanwhile was of either.
        """
        lost = self._loss.lost
        was_lost, is_lost = self._was_lost, lost > self._known_lost
        self._known_lost, self._was_lost = lost, is_lost
        has_missed = (self._codec is Codec.H264 and self._numbers.has_missed(data, is_keyframe)) or was_lost
        is_hit = self._is_in_opening(stream_s) or is_lost or is_corrupt
        is_hit = is_hit or (was_lost and is_keyframe and not begins_whole(data, self._codec))
        return self._trail.see(data, is_keyframe, is_hit, stream_s, has_missed)

    def _is_in_opening(self, stream_s: float | None) -> bool:
        """Return whether a loss while the stream was opened may be of this unit."""
        if not self._opening_left:
            return False
        self._began_s = stream_s if self._began_s is None else self._began_s
        if stream_s is not None and self._began_s is not None and stream_s - self._began_s >= OPENING_SPAN_S:
            self._opening_left = 0
            return False
        self._opening_left -= 1
        return True
