"""What is said over the WebSocket of a page, and why a camera has no picture now."""

import json
import struct
from dataclasses import asdict, dataclass

from services.common.live.pictures import Jpeg
from services.common.secrets import redact
from services.common.wire import JsonObject, time_text
from services.core.errors import StreamError
from services.core.types import CameraId, CameraStatus
from services.web.api.answers import CamerasAnswer
from services.web.api.cameras import camera_answer
from services.web.context import WebContext

SHARED_S = 0.5
"""How old the list of cameras may be that one viewer shares with others."""

CAMERAS_PER_S = 400
"""Of a larger system the list is written less often, so that it costs little whatever its size."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a camera has no picture now, as a code with its parameters and as a text."""

    camera: CameraId
    code: str
    params: JsonObject
    text: str


def absence(context: WebContext, camera: CameraId) -> Missing | None:
    """Say that a camera is not there, or is switched off; None when pictures may come."""
    if not context.mirror.has(camera):
        return Missing(camera, "camera-missing", {"camera": camera}, f"there is no camera {camera!r}")
    if not context.mirror.setup(camera).camera.enabled:
        return Missing(camera, "camera-off", {"camera": camera}, f"camera {camera!r} is switched off")
    return None


def silence(context: WebContext, camera: CameraId) -> Missing:
    """Say why a camera that is there gives no picture, as far as it is known."""
    gone = absence(context, camera)
    if gone is not None:
        return gone
    state = context.states.state(camera)
    if state is not None and state.status is CameraStatus.LIVE:
        return Missing(
            camera, "camera-no-picture", {"camera": camera}, f"camera {camera!r} gives no picture now"
        )
    url = context.mirror.setup(camera).camera.url
    status = CameraStatus.CONNECTING if state is None else state.status
    error = state.last_error if state is not None else None
    return _because(camera, redact(error, url) if error else status.value)


def failure(camera: CameraId, error: StreamError) -> Missing:
    """Say why pictures of a camera cannot be made."""
    return _because(camera, str(error))


def _because(camera: CameraId, reason: str) -> Missing:
    params = {"camera": camera, "reason": reason}
    text = f"camera {camera!r} gives no picture now: {reason}"
    return Missing(camera, "camera-no-picture-because", params, text)


def missing_message(missing: Missing) -> str:
    """Write that a camera has no picture."""
    return json.dumps({"type": "missing", **asdict(missing)})


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
