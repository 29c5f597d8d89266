"""The route that tries an address before a camera is made of it."""

import asyncio
import base64
from contextlib import closing
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from services.common.bus.camera_tests import CameraTestResult
from services.common.secrets import cut, redact
from services.common.tasks import end_tasks
from services.core.camera_address import KINDS, mask_address, restore_secrets
from services.core.sentences.sentence import sentence
from services.core.types import CameraStatus
from services.web.api.answers import CameraTestAnswer, CameraTestError, Size
from services.web.api.cameras import check_new_url
from services.web.api.problems import refusals
from services.web.auth.caller import TARGET_KEY, Who
from services.web.context import Context, WebContext

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])

MOST, MOST_EACH = 4, 1
"""Addresses that are tried at once, of all users and of one."""

LOOK_S = 0.25
"""How often is looked whether the one who asks still waits."""

LONGEST_TEXT = 1000
JPEG_BEGIN = b"\xff\xd8\xff"


class CameraTestInput(BaseModel):
    """An address that is to be tried; nothing of it is kept."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(description=KINDS)]
    camera: Annotated[str | None, Field(description="the camera whose secrets `***` stands for")] = None
    model: Annotated[str | None, Field(description="is looked for, and not used")] = None


@router.post("/test", responses=refusals(404))
async def test_camera(
    asked: CameraTestInput, request: Request, context: Context, who: Who
) -> CameraTestAnswer:
    """Try an address: a picture of it, or the exact reason why there is none; within a minute.

    429 while another test of this user runs, 503 while too many run, and when no ingest service answers.
    """
    url = await _address(context, asked)
    if asked.model is not None:
        context.system.check_model(asked.model)
    request.scope[TARGET_KEY] = mask_address(url)
    with closing(context.tests.take(who)):
        result = await _result(context, request, url)
        if result.fault is None:
            await _connect_those(context, url)
        return _answer(result, url)


async def _address(context: WebContext, asked: CameraTestInput) -> str:
    """Give the address with its secrets; an address that is stored may stay as it is."""
    stored = None
    if asked.camera is not None:
        stored = (await context.database.setups.camera(asked.camera)).camera.url
    url = restore_secrets(asked.url.strip(), stored or "")
    if url != stored:
        check_new_url(context, url)
    return url


async def _connect_those(context: WebContext, url: str) -> None:
    """Have the cameras dialled that have an address which works, and wait for their next attempt."""
    for stored in context.mirror.stored_cameras() or ():
        state = context.states.state(stored.camera.id)
        if stored.camera.url == url and state is not None and state.status is CameraStatus.DEGRADED:
            await context.mirror.ask_for(stored.camera.id)


async def _result(context: WebContext, request: Request, url: str) -> CameraTestResult:
    """Wait for the result; who does not wait for it any more ends the test, which stays in the audit log."""
    asking = asyncio.ensure_future(context.camera_tests.ask(url))
    try:
        while not (await asyncio.wait({asking}, timeout=LOOK_S))[0]:
            if await request.is_disconnected():
                return CameraTestResult(0.0, sentence("test-no-answer"))
        return asking.result()
    finally:
        await end_tasks([asking])


def _answer(result: CameraTestResult, url: str) -> CameraTestAnswer:
    fault, picture, error = result.fault, result.picture, None
    if fault is not None:
        shown = fault.masked(lambda text: redact(cut(text, LONGEST_TEXT), url))
        error = CameraTestError(code=shown.code, params=shown.params, text=shown.text)
    is_picture = picture is not None and picture.startswith(JPEG_BEGIN)
    size = result.resolution
    return CameraTestAnswer(
        works=fault is None,
        picture=base64.b64encode(picture).decode() if picture is not None and is_picture else None,
        resolution=Size(width=size[0], height=size[1]) if size is not None else None,
        codec=result.codec,
        fps=result.fps,
        seconds=result.seconds,
        error=error,
    )
