"""Why a camera has no picture now, in words for whoever watches it. Pure.

The words are the same on the page, on the offline picture and on the ports, and show no secret of an address.
"""

from collections.abc import Callable
from dataclasses import dataclass

from services.common.secrets import redact
from services.common.video.key_frames import KEY_FRAME_AWAITED
from services.core.sentences.sentence import Sentence, sentence
from services.core.types import CameraId, CameraSetup, CameraState, CameraStatus

_OF_STATUS = {
    CameraStatus.CONNECTING: sentence("camera-connecting"),
    CameraStatus.DEGRADED: sentence("camera-degraded"),
    CameraStatus.DISABLED: sentence("switched-off"),
}
"""Why there is no picture, where no error is known."""


@dataclass(frozen=True, slots=True)
class Absence:
    """What is known of a camera that gives no picture."""

    camera: CameraId
    name: str
    why: Sentence
    since_s: float | None
    """Since when, None where nobody knows."""
    is_live: bool
    """Whether pictures are to be expected all the same."""


AbsenceOf = Callable[[CameraId, Sentence | None, float | None], Absence | None]
"""Gives why a camera has no picture; None when it is not there any more. It takes the camera, what keeps it
from being decoded, and the capture time of the newest picture that was shown."""


def reason_of(setup: CameraSetup, state: CameraState | None, obstacle: Sentence | None) -> Sentence | None:
    """Give why a camera has no picture, as far as is known; `obstacle` keeps it from being decoded."""
    if not setup.camera.enabled:
        return _OF_STATUS[CameraStatus.DISABLED]
    if state is None:
        return _OF_STATUS[CameraStatus.CONNECTING]
    if state.status is CameraStatus.LIVE:
        return obstacle
    why = state.error or obstacle or _OF_STATUS[state.status]
    return why.masked(lambda text: redact(text, setup.camera.url))


def absence_of(
    setup: CameraSetup, state: CameraState | None, obstacle: Sentence | None, shown_s: float | None
) -> Absence:
    """Say why a camera has no picture; `shown_s` is the capture time of the newest one that was shown."""
    camera = setup.camera
    why = reason_of(setup, state, obstacle) or sentence("camera-no-picture", camera=camera.id)
    if state is None or not camera.enabled or why.code == KEY_FRAME_AWAITED.code:
        is_live = False
    else:
        is_live = state.status is CameraStatus.LIVE or state.has_pictures
    is_dated = state is not None and state.status is not CameraStatus.LIVE and not state.has_pictures
    since_s = state.since_s if state is not None and is_dated else shown_s
    return Absence(camera.id, camera.name, why, since_s, is_live)
