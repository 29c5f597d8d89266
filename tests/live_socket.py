"""A client of the WebSocket of a page, the web service on a real port, and video that is fed to it."""

import asyncio
import json
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from fractions import Fraction
from itertools import cycle
from typing import Any

import av
import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from services.common.connections.listening import listen
from services.common.http.server import HttpServer
from services.core.types import AccessUnit, CameraId
from services.web.serving import bound_send_buffers, web_server
from services.web.settings import WebSettings
from tests.web_app import Web

PATH = "/api/v1/live"


@asynccontextmanager
async def served_live(web: Web, settings: WebSettings, stall_s: float = 20.0) -> AsyncIterator[int]:
    """Serve the application as the service does, and give its port; the server is `app.state.server`."""
    listening = bound_send_buffers(listen("127.0.0.1", 0))
    server = web_server(web.app, settings, stall_s)
    web.app.state.server = server
    task = asyncio.create_task(server.run_until_cancelled(listening))
    try:
        yield listening.getsockname()[1]
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=10)


def server_of(web: Web) -> HttpServer:
    """Give the server of `served_live`."""
    server: HttpServer = web.app.state.server
    return server


def live_socket(port: int, host: str = "", path: str = PATH, **headers: str) -> connect:
    """Open a WebSocket as a page of the service does; `origin` and others may be given as headers."""
    here = host or f"127.0.0.1:{port}"
    given = {"origin": f"http://{here}", "host": here, **headers}
    extra = {name: value for name, value in given.items() if value and name != "host"}
    return connect(
        f"ws://{here}{path}",
        host="127.0.0.1",
        port=port,
        additional_headers=extra,
        compression=None,
        proxy=None,
        open_timeout=20,
        max_queue=64,
    )


def wanted(camera: str = "gate", **more: Any) -> str:
    """Ask for one camera."""
    return json.dumps({"cameras": [{"camera": camera, **more}]})


async def message_of(
    socket: ClientConnection, kind: str, is_it: Callable[[dict[str, Any]], bool] = lambda _: True
) -> dict[str, Any]:
    """Wait for a text message of a kind; others are passed over."""
    async with asyncio.timeout(20):
        while True:
            data = await socket.recv()
            message = json.loads(data) if isinstance(data, str) else {"type": "picture"}
            if message["type"] == kind and is_it(message):
                return dict(message)


async def picture_of(socket: ClientConnection) -> tuple[dict[str, Any], bytes]:
    """Wait for a picture and give its head and its JPEG; texts are passed over."""
    async with asyncio.timeout(20):
        while isinstance(data := await socket.recv(), str):
            pass
    (length,) = struct.unpack_from(">I", data)
    return json.loads(data[4 : 4 + length]), data[4 + length :]


def clip(
    width: int = 640, height: int = 352, frames: int = 25, is_noise: bool = False
) -> list[tuple[bool, bytes]]:
    """Encode a second of moving grey, or of noise, which is large as JPEG."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = width, height, "yuv420p", Fraction(1, 25)
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "25"}
    random, units = np.random.default_rng(1), []
    for number in range(frames):
        picture = np.full((height, width, 3), 90, np.uint8)
        picture[40:120, 8 * number : 8 * number + 80] = 200
        if is_noise:
            picture = random.integers(0, 255, (height, width, 3), dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts = number
        units += [(packet.is_keyframe, bytes(packet)) for packet in codec.encode(frame)]
    return units


@contextmanager
def playing(
    web: Web, *cameras: CameraId, units: list[tuple[bool, bytes]], fps: float = 25.0
) -> Iterator[None]:
    """Publish the clip of each camera again and again, on the loop that this is called on."""

    async def publish() -> None:
        begun_s = time.monotonic()
        for number, (is_keyframe, data) in enumerate(cycle(units)):
            for camera in cameras:
                web.video.publish(AccessUnit(camera, number, time.time(), is_keyframe, data, 1))
            await asyncio.sleep(max(0.0, begun_s + (number + 1) / fps - time.monotonic()))

    task = asyncio.create_task(publish())
    try:
        yield
    finally:
        task.cancel()
