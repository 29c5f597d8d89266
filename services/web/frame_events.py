"""Analysed frames as server-sent events, each written once for all who follow its camera."""

import json
from collections import OrderedDict

from services.common.wire import tracks_object
from services.core.types import TrackedFrame

KEPT = 64
"""Events that are remembered: the newest of several cameras."""


class FrameEvents:
    """Writes events, and remembers the newest; on one event loop."""

    def __init__(self) -> None:
        self._written: OrderedDict[tuple[str, int, float], bytes] = OrderedDict()

    def of(self, frame: TrackedFrame) -> bytes:
        """Give the event of a frame."""
        key = frame.camera, frame.frame, frame.time_s
        event = self._written.get(key)
        if event is None:
            event = f"data: {json.dumps(tracks_object(frame))}\n\n".encode()
            self._written[key] = event
            if len(self._written) > KEPT:
                self._written.popitem(last=False)
        return event
