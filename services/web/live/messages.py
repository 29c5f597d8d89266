"""What is said over the WebSocket of a page, and why a camera has no picture now."""

import json
import struct
from dataclasses import dataclass

from services.common.live.absence import reason_of
from services.common.live.pictures import Jpeg
from services.common.wire import time_text
from services.core.errors import StreamError
from services.core.sentences.sentence import Sentence, sentence
from services.core.types import CameraId
from services.web.api.answers import CamerasAnswer
from services.web.api.cameras import camera_answer
from services.web.context import WebContext

SHARED_S = 0.5
"""How old the list of cameras may be that one viewer shares with others."""

CAMERAS_PER_S = 400
"""Of a larger system the list is written less often, so that it costs little whatever its size."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a camera has no picture now."""

    camera: CameraId
    why: Sentence


def absence(context: WebContext, camera: CameraId) -> Missing | None:
    """Say that a camera is not there, or is switched off; None when pictures may come."""
    if not context.mirror.has(camera):
        return Missing(camera, sentence("camera-missing", camera=camera))
    if not context.mirror.setup(camera).camera.enabled:
        return Missing(camera, sentence("camera-off", camera=camera))
    return None


def silence(context: WebContext, camera: CameraId, obstacle: Sentence | None = None) -> Missing:
    """Say why a camera that is there gives no picture; `obstacle` is what keeps it from being decoded."""
    gone = absence(context, camera)
    if gone is not None:
        return gone
    why = reason_of(context.mirror.setup(camera), context.states.state(camera), obstacle)
    if why is None:
        return Missing(camera, sentence("camera-no-picture", camera=camera))
    return _because(camera, why)


def failure(camera: CameraId, error: StreamError) -> Missing:
    """Say why pictures of a camera cannot be made."""
    return _because(camera, error.sentence)


def _because(camera: CameraId, reason: Sentence) -> Missing:
    return Missing(camera, sentence("camera-no-picture-because", camera=camera, reason=reason))


def missing_message(missing: Missing) -> str:
    """Write that a camera has no picture."""
    why = missing.why
    said = {"camera": missing.camera, "code": why.code, "params": why.params, "text": why.text}
    return json.dumps({"type": "missing", **said})


def alive_message(now_s: float) -> str:
    """Write that the connection lives."""
    return json.dumps({"type": "alive", "time": time_text(now_s)})


def picture_message(camera: CameraId, jpeg: Jpeg) -> bytes:
    """Write a picture: the length of its head, the head as JSON, the JPEG."""
    head = {
        "camera": camera,
        "time": time_text(jpeg.time_s),
        "width": jpeg.width,
        "height": jpeg.height,
    }
    text = json.dumps(head).encode()
    return struct.pack(">I", len(text)) + text + jpeg.data


def cameras_message(context: WebContext) -> str | None:
    """Write all cameras as `GET /cameras` does, from what is known here; None before anything is."""
    stored = context.mirror.stored_cameras()
    if stored is None:
        return None

    def write() -> str:
        items = [camera_answer(context, item) for item in stored]
        return '{"type":"cameras",' + CamerasAnswer(items=items).model_dump_json()[1:]

    return context.camera_list.newest(write, max(SHARED_S, len(stored) / CAMERAS_PER_S))
