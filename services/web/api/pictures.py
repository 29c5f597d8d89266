"""Routes of live pictures: one JPEG, or a stream of them (MJPEG)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from services.common.live import mjpeg
from services.common.live.pictures import Form
from services.core.errors import StreamError
from services.core.types import CameraId, CameraStatus
from services.web.context import Context, WebContext

router = APIRouter(prefix="/api/v1/cameras/{camera}", tags=["live"])

SNAPSHOT_TIMEOUT_S = 3.0
CHECK_S = 1.0
Overlay = Annotated[bool, Query(description="draw boxes and lines")]
Lines = Annotated[bool, Query(description="with overlay: draw the lines too")]


def _form(overlay: bool, lines: bool) -> Form:
    if not overlay:
        return "plain"
    return "boxes and lines" if lines else "boxes"


@router.get("/snapshot.jpg", response_class=Response)
async def get_snapshot(
    camera: str, context: Context, overlay: Overlay = False, lines: Lines = True
) -> Response:
    """What the camera sees now; 503 when it gives no picture."""
    setup = context.mirror.setup(camera)
    if not setup.camera.enabled:
        raise StreamError(f"camera {camera!r} is switched off")
    state = context.bus.state(CameraId(camera))
    if state is not None and state.status is CameraStatus.DEGRADED and not state.has_pictures:
        raise StreamError(f"camera {camera!r} gives no picture now: {state.last_error or 'degraded'}")
    data = await context.live.snapshot(CameraId(camera), _form(overlay, lines), SNAPSHOT_TIMEOUT_S)
    return Response(data, media_type="image/jpeg", headers=mjpeg.NO_STORE)


@router.get("/stream.mjpeg", response_class=StreamingResponse)
async def stream_pictures(
    camera: str, context: Context, overlay: Overlay = False, lines: Lines = True
) -> StreamingResponse:
    """Pictures until the camera is removed; nothing comes while it gives none."""
    context.mirror.setup(camera)
    return StreamingResponse(
        _parts(context, CameraId(camera), _form(overlay, lines)),
        media_type=mjpeg.MEDIA_TYPE,
        headers={**mjpeg.NO_STORE, "X-Accel-Buffering": "no"},
    )


async def _parts(context: WebContext, camera: CameraId, form: Form) -> AsyncIterator[bytes]:
    async with aclosing(context.live.stream(camera, form)) as pictures:
        following = asyncio.ensure_future(anext(pictures))
        try:
            while context.mirror.has(camera):
                done, _ = await asyncio.wait({following}, timeout=CHECK_S)
                if done:
                    yield mjpeg.part(following.result())
                    following = asyncio.ensure_future(anext(pictures))
        finally:
            following.cancel()
            await asyncio.wait({following})
    yield mjpeg.END
