"""The two endless answers, JSON and MJPEG, as applications that answer any path."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from services.common.access.credentials import Check
from services.common.http.access import AccessGuard
from services.common.http.guard import AnswerHeaders, LoopbackGuard
from services.common.http.problems import install_problems
from services.common.live import mjpeg
from services.common.live.pictures import Form
from services.core.errors import BadInputError
from services.core.types import CameraId
from services.detector.ports import frames
from services.detector.ports.cameras import ShownCameras
from services.detector.ports.relay import Relay, RelayReader

HEADERS = {**mjpeg.NO_STORE, "X-Content-Type-Options": "nosniff", "X-Accel-Buffering": "no"}

FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}

PictureKey = tuple[CameraId, Form]


class Guarding(Protocol):
    """Puts before an application what its requests have to pass."""

    def __call__(self, app: Starlette) -> None:
        """Add it."""


def guarding(check: Check | None, is_loopback: bool) -> Guarding:
    """Ask who it is; where nobody is asked, let at least no foreign page in on loopback."""

    def add(app: Starlette) -> None:
        if check is not None:
            app.add_middleware(AccessGuard, check=check)
        elif is_loopback:
            app.add_middleware(LoopbackGuard)
        app.add_middleware(AnswerHeaders)

    return add


class _ReaderAnswer(StreamingResponse):
    """An answer that gives its reader's place free when it ends, however it ends."""

    def __init__(self, reader: RelayReader, body: AsyncIterator[bytes], media_type: str) -> None:
        super().__init__(body, headers=HEADERS, media_type=media_type)
        self._reader = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._reader.close()


def json_app(cameras: ShownCameras, relay: Relay[CameraId], guard: Guarding) -> Starlette:
    """Answer with the tracks of a camera as JSON."""
    media_type = "application/json"

    async def answer(request: Request) -> Response:
        camera = cameras.find(request.url.path)
        if request.method == "HEAD":
            return Response(headers=HEADERS, media_type=media_type)
        reader = relay.open(camera.id)
        return _ReaderAnswer(reader, _json_body(reader), media_type)

    return _app(answer, guard)


async def _json_body(reader: RelayReader) -> AsyncIterator[bytes]:
    yield frames.BEGIN
    number = 0
    async for rest in reader:
        yield (frames.SEPARATOR if number else b"") + frames.frame_head(number) + rest
        number += 1
    yield frames.END


def mjpeg_app(
    cameras: ShownCameras,
    relay: Relay[PictureKey],
    guard: Guarding,
    check_room: Callable[[CameraId], None],
) -> Starlette:
    """Answer with the pictures of a camera; `?overlay=1` draws boxes and lines, `&lines=0` boxes alone.

    `check_room` raises StreamError for a camera for whose pictures there is no memory.
    """

    async def answer(request: Request) -> Response:
        camera = cameras.find(request.url.path)
        form = _form(request)
        if request.method == "HEAD":
            return Response(headers=HEADERS, media_type=mjpeg.MEDIA_TYPE)
        check_room(camera.id)
        reader = relay.open((camera.id, form))
        return _ReaderAnswer(reader, _mjpeg_body(reader), mjpeg.MEDIA_TYPE)

    return _app(answer, guard)


async def _mjpeg_body(reader: RelayReader) -> AsyncIterator[bytes]:
    async for part in reader:
        yield part
    yield mjpeg.END


def _form(request: Request) -> Form:
    if not _flag(request, "overlay", False):
        return "plain"
    return "boxes and lines" if _flag(request, "lines", True) else "boxes"


def _flag(request: Request, name: str, default: bool) -> bool:
    text = request.query_params.get(name)
    if text is None:
        return default
    if text not in FLAGS:
        raise BadInputError("flag-invalid", name=name)
    return FLAGS[text]


def _app(answer: Callable[[Request], Awaitable[Response]], guard: Guarding) -> Starlette:
    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET"])])
    install_problems(app)
    guard(app)
    return app
