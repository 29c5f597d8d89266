"""Tells everybody why a camera's pictures are not analysed, where that is the analysis' own fault.

For ingest such a camera is live: its pictures come, and are shown. Without a word of the detector it would
seem to be counted, and its gap would have no known cause.
"""

import logging
from collections.abc import Callable

from services.common.bus.protocol import StateBoard
from services.core.sentences.sentence import Sentence, sentence
from services.core.types import CameraId, CameraState, CameraStatus, StatusChange, status_change

log = logging.getLogger(__name__)

FAILED = sentence("analysis-failed")


class AnalysisFault:
    """What keeps the analysis of one camera from working, from the first failure to the next picture."""

    def __init__(self, camera: CameraId, states: StateBoard, now_s: Callable[[], float]) -> None:
        self._camera, self._states, self._now_s = camera, states, now_s
        self._fault: StatusChange | None = None
        self._noted_s: float | None = None
        """Since when the history has it."""

    @property
    def is_there(self) -> bool:
        """Return whether the analysis has failed, and not worked since."""
        return self._fault is not None

    def begin(self, reason: Sentence) -> list[StatusChange]:
        """Report a failure, also one that lasts; gives what the history is to be told."""
        if self._fault is None or self._fault.reason != reason:
            log.warning("camera %s: %s", self._camera, reason)
            self._fault = status_change(self._camera, self._now_s(), CameraStatus.DEGRADED, reason)
            self._noted_s = None
        self._states.publish_rate(self._camera, 0.0, self._fault)
        state = self._state()
        if state.error != reason or state.since_s == self._noted_s:
            return []
        self._noted_s = state.since_s
        return [status_change(self._camera, state.since_s, CameraStatus.DEGRADED, reason)]

    def end(self, time_s: float) -> list[StatusChange]:
        """Report that it is over at a time; gives what the history is to be told."""
        self._fault, noted_s, self._noted_s = None, self._noted_s, None
        self._states.publish_rate(self._camera, 0.0)
        state = self._state()
        return [] if noted_s is None else [status_change(self._camera, time_s, state.status, state.error)]

    def _state(self) -> CameraState:
        return self._states.state(self._camera) or CameraState(CameraStatus.CONNECTING)
