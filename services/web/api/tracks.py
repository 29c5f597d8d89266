"""The route of live tracks: server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from services.common.wire import tracks_object
from services.core.types import CameraId
from services.web.context import Context, WebContext

router = APIRouter(prefix="/api/v1/cameras/{camera}", tags=["live"])

CHECK_S = 1.0
"""How often a silent stream looks whether its camera is still there."""

SIGN_OF_LIFE_CHECKS = 15
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get("/tracks", response_class=StreamingResponse)
async def follow_tracks(camera: str, context: Context) -> StreamingResponse:
    """One event for each analysed frame, until the camera is removed; a slow reader loses frames."""
    context.mirror.setup(camera)
    return StreamingResponse(
        _events(context, CameraId(camera)), media_type="text/event-stream", headers=HEADERS
    )


async def _events(context: WebContext, camera: CameraId) -> AsyncIterator[str]:
    yield ": tracks follow\n\n"
    silent_checks = 0
    async with context.bus.tracks(camera) as frames:
        following = asyncio.ensure_future(anext(frames))
        try:
            while context.mirror.has(camera):
                done, _ = await asyncio.wait({following}, timeout=CHECK_S)
                if done:
                    yield f"data: {json.dumps(tracks_object(following.result()))}\n\n"
                    following = asyncio.ensure_future(anext(frames))
                    silent_checks = 0
                    continue
                silent_checks += 1
                if silent_checks % SIGN_OF_LIFE_CHECKS == 0:
                    yield ": nothing new\n\n"
        finally:
            following.cancel()
