"""The route of live tracks: server-sent events."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from services.core.types import CameraId
from services.web.api.problems import refusals
from services.web.auth.caller import Who
from services.web.context import Context, WebContext
from services.web.live.streams import StreamedAnswer

router = APIRouter(prefix="/api/v1/cameras/{camera}", tags=["live"])

CHECK_S = 1.0
"""How often a silent stream looks whether its camera is still there."""

SIGN_OF_LIFE_CHECKS = 15
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


EVENTS = "text/event-stream"
ANSWERS = {200: {"content": {EVENTS: {"schema": {"type": "string"}}}}, **refusals(404)}


@router.get("/tracks", response_class=StreamingResponse, responses=ANSWERS)
async def follow_tracks(camera: str, context: Context, who: Who) -> StreamingResponse:
    """One event for each analysed frame, until the camera is removed; a slow reader loses frames.

    429 when this user has too many streams open, 503 when all have.
    """
    context.mirror.setup(camera)
    slot = context.streams.take(who)
    return StreamedAnswer(_events(context, CameraId(camera)), EVENTS, HEADERS, slot)


async def _events(context: WebContext, camera: CameraId) -> AsyncIterator[bytes]:
    yield b": tracks follow\n\n"
    silent_checks = 0
    async with context.tracks.follow(camera) as frames:
        following = asyncio.ensure_future(anext(frames))
        try:
            while context.mirror.has(camera):
                done, _ = await asyncio.wait({following}, timeout=CHECK_S)
                if done:
                    yield context.events.of(following.result())
                    following = asyncio.ensure_future(anext(frames))
                    silent_checks = 0
                    continue
                silent_checks += 1
                if silent_checks % SIGN_OF_LIFE_CHECKS == 0:
                    yield b": nothing new\n\n"
        finally:
            following.cancel()
