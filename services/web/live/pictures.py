"""Routes of live pictures: one JPEG, or a stream of them (MJPEG)."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import ExitStack, aclosing, closing
from email.utils import formatdate
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from services.common.live import mjpeg
from services.common.live.absence import Absence, absence_of
from services.common.live.continuous import ContinuousPictures
from services.common.live.pictures import Form, LiveStream
from services.core.errors import StreamError
from services.core.sentences.sentence import Sentence, sentence
from services.core.types import CameraId, CameraStatus
from services.web.api.problems import refusals
from services.web.auth.caller import Who
from services.web.context import Context, WebContext
from services.web.live.streams import StreamedAnswer

router = APIRouter(prefix="/api/v1/cameras/{camera}", tags=["live"])
log = logging.getLogger(__name__)

SNAPSHOT_TIMEOUT_S = 3.0
CHECK_S = 1.0
JPEG = "image/jpeg"
Overlay = Annotated[bool, Query(description="draw boxes and lines")]
Lines = Annotated[bool, Query(description="with overlay: draw the lines too")]


def _form(overlay: bool, lines: bool) -> Form:
    if not overlay:
        return "plain"
    return "boxes and lines" if lines else "boxes"


def _answers(media_type: str) -> dict[int | str, dict[str, Any]]:
    schema = {"type": "string", "contentMediaType": media_type}
    return {200: {"content": {media_type.partition(";")[0]: {"schema": schema}}}, **refusals(404)}


DEGRADED = sentence("camera-degraded")


@router.get("/snapshot.jpg", response_class=Response, responses=_answers(JPEG))
async def get_snapshot(
    camera: str, context: Context, who: Who, overlay: Overlay = False, lines: Lines = True
) -> Response:
    """What the camera sees now; 503 when it gives no picture.

    `Last-Modified` says when it was taken, and `Age` how many seconds ago that is.
    """
    setup = context.mirror.setup(camera)
    if not setup.camera.enabled:
        raise StreamError("camera-off", camera=camera)
    state = context.states.state(CameraId(camera))
    if state is not None and state.status is CameraStatus.DEGRADED and not state.has_pictures:
        raise StreamError("camera-no-picture-because", camera=camera, reason=state.error or DEGRADED)
    with closing(context.streams.take(who)):
        picture = await context.live.snapshot(CameraId(camera), _form(overlay, lines), SNAPSHOT_TIMEOUT_S)
    age_s = max(0.0, context.now_s() - picture.time_s)
    dated = {"Age": str(round(age_s)), "Last-Modified": formatdate(picture.time_s, usegmt=True)}
    return Response(picture.data, media_type=JPEG, headers={**mjpeg.NO_STORE, **dated})


@router.get("/stream.mjpeg", response_class=StreamingResponse, responses=_answers(mjpeg.MEDIA_TYPE))
async def stream_pictures(
    camera: str, context: Context, who: Who, overlay: Overlay = False, lines: Lines = True
) -> StreamingResponse:
    """Pictures until the camera is removed; while it gives none, one a second that says why.

    429 when this user has too many streams open, 503 when all have, and when there is no memory for the
    pictures of one more camera.
    """
    context.mirror.setup(camera)
    with ExitStack() as opened:
        slot = opened.enter_context(closing(context.streams.take(who)))
        stream = context.live.open(CameraId(camera), _form(overlay, lines))
        opened.pop_all()
    headers = {**mjpeg.NO_STORE, "X-Accel-Buffering": "no"}
    return StreamedAnswer(_parts(context, camera, stream), mjpeg.MEDIA_TYPE, headers, stream, slot)


async def _parts(context: WebContext, camera: str, stream: LiveStream) -> AsyncIterator[bytes]:
    def why(camera: CameraId, obstacle: Sentence | None, shown_s: float | None) -> Absence | None:
        if not context.mirror.has(camera):
            return None
        return absence_of(context.mirror.setup(camera), context.states.state(camera), obstacle, shown_s)

    following_all = ContinuousPictures(context.live, why).follow(CameraId(camera), stream)
    async with aclosing(following_all) as pictures:
        following = asyncio.ensure_future(anext(pictures))
        try:
            while context.mirror.has(camera):
                done, _ = await asyncio.wait({following}, timeout=CHECK_S)
                if done:
                    yield mjpeg.part(following.result())
                    following = asyncio.ensure_future(anext(pictures))
        except StreamError as error:
            log.warning("pictures of camera %s end: %s", camera, error)
        finally:
            following.cancel()
            await asyncio.wait({following})
    yield mjpeg.END
