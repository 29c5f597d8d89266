"""Tells the history of a camera why nothing is analysed while its next key frame is awaited.

A detector that begins between two rare key frames, or that lost pictures because it was too slow, can analyse
nothing up to the next one. For ingest the camera is live meanwhile: without a word of the detector that time
would be a gap of no known cause.
"""

from services.common.bus.protocol import StateBoard
from services.common.video.key_frames import KEY_FRAME_AWAITED, WAIT_S, KeyFrameWatch
from services.core.types import AccessUnit, CameraId, CameraState, CameraStatus, StatusChange, status_change


class KeyFrameNotes:
    """Follows the pictures that one reader of a camera gets."""

    def __init__(self, camera: CameraId, states: StateBoard) -> None:
        self._camera, self._states = camera, states
        self._watch = KeyFrameWatch()
        self._newest: AccessUnit | None = None
        self._dropped = 0
        self._is_noted = False

    def see(self, unit: AccessUnit, is_decoded: bool, dropped: int) -> list[StatusChange]:
        """Take a picture, and how many the reader has lost so far; gives what the history is to be told."""
        self._newest, self._dropped = unit, dropped
        if not unit.is_backlog or is_decoded:
            self._watch.see(unit.time_s, unit.connection, is_decoded)
        if self._watch.is_awaited and self._watch.since_s is not None:
            return self._begin(self._watch.since_s)
        if is_decoded and self._is_noted:
            self._is_noted = False
            state = self._state()
            return [status_change(self._camera, unit.time_s, state.status, state.error)]
        return []

    def see_silence(self, silent_s: float, dropped: int) -> list[StatusChange]:
        """Take that none came for a while; a reader that loses them waits for a key frame."""
        if self._newest is None or dropped <= self._dropped or silent_s < WAIT_S:
            return []
        return self._begin(self._newest.time_s)

    def _begin(self, time_s: float) -> list[StatusChange]:
        """Note it once, and only where ingest has no other word for this time."""
        if self._is_noted or self._state().status is not CameraStatus.LIVE:
            return []
        self._is_noted = True
        return [status_change(self._camera, time_s, CameraStatus.DEGRADED, KEY_FRAME_AWAITED)]

    def _state(self) -> CameraState:
        return self._states.state(self._camera) or CameraState(CameraStatus.LIVE)
