"""Live streams on a real port: how many there may be, and who is cut off."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from fractions import Fraction
from itertools import cycle

import av
import httpx
import numpy as np
import pytest

from services.common.connections.listening import listen
from services.common.database.documents import crossing_document
from services.common.database.reading import Records
from services.core.errors import DatabaseUnavailableError
from services.core.types import AccessUnit, Crossing, TrackedFrame, TrackedObject
from services.web.serving import bound_send_buffers, server_figures, web_server
from services.web.settings import WebSettings
from tests.database_server import DatabaseServer
from tests.makers import GATE, camera, crossing, recent_minute_s
from tests.tables import Tables
from tests.web_app import Web, web_over

PROBLEM = "application/problem+json"
OBJECTS = tuple(TrackedObject(number, (0.1, 0.1, 0.2, 0.2), "car", 0.9) for number in range(300))


def _noise() -> list[tuple[bool, bytes]]:
    """Pictures of noise, each large as a JPEG."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = 640, 352, "yuv420p", Fraction(1, 10)
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "1"}
    random, units = np.random.default_rng(1), []
    for number in range(6):
        picture = random.integers(0, 255, (352, 640, 3), dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts = number
        units += [(packet.is_keyframe, bytes(packet)) for packet in codec.encode(frame)]
    return units


@asynccontextmanager
async def _served(web: Web, settings: WebSettings, stall_s: float = 20.0) -> AsyncIterator[int]:
    listening = bound_send_buffers(listen("127.0.0.1", 0))
    server = web_server(web.app, settings, stall_s)
    task = asyncio.create_task(server.run_until_cancelled(listening))
    web.app.state.server = server
    try:
        yield listening.getsockname()[1]
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=10)


@pytest.mark.parametrize(
    ("limits", "status"),
    [({"streams": 9, "streams_per_user": 3}, 429), ({"streams": 3, "streams_per_user": 9}, 503)],
)
async def test_beyond_the_most_streams_the_next_is_told_to_wait_until_one_ends(
    tables: Tables, limits: dict[str, int], status: int
) -> None:
    settings = WebSettings(**limits)
    await tables.setups.add_camera(camera())
    async with (
        web_over(tables, settings) as web,
        _served(web, settings) as port,
        AsyncExitStack() as stack,
    ):
        await web.app.state.context.mirror.refresh()
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=10))
        url = f"http://127.0.0.1:{port}/api/v1/cameras/gate"
        for path in ("tracks", "stream.mjpeg"):
            answer = await stack.enter_async_context(client.stream("GET", f"{url}/{path}"))
            assert answer.status_code == 200
        async with client.stream("GET", f"{url}/tracks") as answer:
            assert answer.status_code == 200
            for path in ("tracks", "stream.mjpeg", "snapshot.jpg"):
                refused = await client.get(f"{url}/{path}")
                assert (refused.status_code, refused.headers["content-type"]) == (status, PROBLEM)
                assert int(refused.headers["retry-after"]) >= 1
                assert "streams" in refused.json()["detail"]
            figures = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
            assert 'sightline_readers{port="web"} 3.0' in figures
            assert 'sightline_readers_refused_total{port="web"} 3.0' in figures
        async with asyncio.timeout(5):
            while web.app.state.context.streams.taken != 2:
                await asyncio.sleep(0.02)
        async with client.stream("GET", f"{url}/tracks") as answer:
            assert answer.status_code == 200


async def test_a_camera_for_whose_pictures_there_is_no_memory_is_told_so(tables: Tables) -> None:
    settings = WebSettings(live_memory_mb=32)
    for name in ("gate", "yard", "hall"):
        await tables.setups.add_camera(camera(name))
    async with (
        web_over(tables, settings) as web,
        _served(web, settings) as port,
        AsyncExitStack() as stack,
    ):
        await web.app.state.context.mirror.refresh()
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=10))
        url = f"http://127.0.0.1:{port}/api/v1/cameras"
        for name in ("gate", "yard"):
            await stack.enter_async_context(client.stream("GET", f"{url}/{name}/stream.mjpeg"))
        for path in ("stream.mjpeg", "snapshot.jpg"):
            refused = await client.get(f"{url}/hall/{path}")
            assert (refused.status_code, refused.headers["content-type"]) == (503, PROBLEM)
            assert "live_memory_mb" in refused.json()["detail"]
        async with client.stream("GET", f"{url}/gate/stream.mjpeg?overlay=1") as answer:
            assert answer.status_code == 200
        figures = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
        assert "sightline_live_refused_total 2.0" in figures
        assert "sightline_live_cameras 2.0" in figures
        assert "sightline_live_memory_limit_bytes 3.2e+07" in figures


@pytest.mark.parametrize("path", ["tracks", "stream.mjpeg"])
async def test_a_reader_that_reads_nothing_is_cut_off(tables: Tables, path: str) -> None:
    settings = WebSettings()
    await tables.setups.add_camera(camera())
    async with web_over(tables, settings) as web, _served(web, settings, stall_s=0.6) as port:
        await web.app.state.context.mirror.refresh()
        stalled = socket.socket()
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect(("127.0.0.1", port))
        stalled.sendall(f"GET /api/v1/cameras/gate/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        places = web.app.state.context.streams
        async with asyncio.timeout(30):
            while not places.taken:
                await asyncio.sleep(0.02)
            for number, (is_keyframe, data) in enumerate(cycle(_noise())):
                if not places.taken:
                    break
                unit = AccessUnit(GATE, number, time.time(), is_keyframe, data)
                web.video.publish(unit)
                web.bus.tracks.publish(TrackedFrame(GATE, number, unit.time_s, OBJECTS))
                await asyncio.sleep(0.02)
        figures = {figure.name: figure.value for figure in server_figures(web.app.state.server)}
        assert figures["sightline_readers_stalled_total"] == 1
        stalled.close()


async def test_a_file_that_nobody_reads_to_its_end_gives_its_place_back(own_server: DatabaseServer) -> None:
    settings, start, tables = WebSettings(), recent_minute_s(), Tables(own_server.uri)
    await tables.prepare()
    await tables.setups.add_camera(camera())
    documents = [crossing_document(crossing(number, start + number / 10)) for number in range(6000)]
    await tables.link.collection("crossings").insert_many(documents)
    async with web_over(tables, settings) as web, _served(web, settings, stall_s=0.6) as port:
        places = web.app.state.context.streams
        url = f"http://127.0.0.1:{port}/api/v1/crossings?format=csv"
        async with httpx.AsyncClient(timeout=10) as client:
            async with client.stream("GET", url) as answer:
                assert (await anext(answer.aiter_lines())).startswith("id,camera")
                assert places.taken == 1
            rows = (await client.get(url)).text.splitlines()
        assert len(rows) == 6001
        async with asyncio.timeout(10):
            while places.taken:
                await asyncio.sleep(0.02)
    await tables.close()


async def test_a_file_that_cannot_be_begun_takes_no_place(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tables.setups.add_camera(camera())

    def broken(*_: object) -> Iterator[Crossing]:
        raise DatabaseUnavailableError("the database is away")
        yield

    monkeypatch.setattr(Records, "crossings", broken)
    async with web_over(tables) as web:
        answer = await web.client.get("/api/v1/crossings?format=csv")
        assert answer.status_code == 503
        assert web.app.state.context.streams.taken == 0
