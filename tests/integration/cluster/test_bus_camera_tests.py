"""Camera tests over NATS, with the users that ship: one ingest answers, in time, and no secret is logged."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from services.common.bus.camera_tests import BEGIN_S, CameraTestResult
from services.common.bus.nats.bus import NatsBus
from services.common.bus.nats.camera_tests import ASK
from services.common.bus.nats.connection import Refusals, nats_connection
from services.common.bus.nats.publishing import until_sent
from services.core.errors import BusUnavailableError, FullError, NoIngestError
from services.demo import demo_source
from services.ingest.camera_tests import CameraTester
from tests.bus_ends import bus_end, until
from tests.nats_server import NatsServer, nats_server, new_users

URL = "rtsp://user:tops3cret@192.0.2.1/live"
GOOD = CameraTestResult(1.5, None, b"\xff\xd8\xff" + bytes(300_000), (640, 360), "h264", 25.0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with nats_server(tmp_path_factory.mktemp("tests"), users=new_users()) as server:
        yield server


@asynccontextmanager
async def ends(server: NatsServer, ingests: int = 1) -> AsyncIterator[tuple[NatsBus, list[NatsBus]]]:
    """Web, and so many ingests; nothing may have been refused to them at the end."""
    refusals = Refusals()
    async with AsyncExitStack() as stack:
        web = await stack.enter_async_context(bus_end(server, role="web", refusals=refusals))
        others = [
            await stack.enter_async_context(bus_end(server, role="ingest", refusals=refusals))
            for _ in range(ingests)
        ]
        yield web, others
        assert list(refusals.missing()) == []


class Ingest:
    """Answers, and remembers what it was asked."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.ended = 0
        self.waits = asyncio.Event()
        self.waits.set()

    async def test(self, url: str) -> CameraTestResult:
        self.urls.append(url)
        try:
            await self.waits.wait()
        finally:
            self.ended += 1
        return GOOD


async def answering(stack: AsyncExitStack, bus: NatsBus, ingest: Ingest) -> None:
    await stack.enter_async_context(bus.camera_tests.answering(ingest.test))
    await until_sent(bus._sender._client)  # the server knows the subscription


async def test_one_of_several_answers_and_no_secret_is_logged(
    server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with ends(server, 3) as (web, others), AsyncExitStack() as stack:
        ingests = [Ingest() for _ in others]
        for bus, ingest in zip(others, ingests, strict=True):
            await answering(stack, bus, ingest)
        for _ in range(4):
            assert await web.camera_tests.ask(URL) == GOOD
        assert [url for ingest in ingests for url in ingest.urls] == [URL] * 4
    assert "tops3cret" not in caplog.text


async def test_an_address_is_tried_for_web(server: NatsServer) -> None:
    async with ends(server) as (web, (ingest,)), AsyncExitStack() as stack:
        tester = CameraTester(demo=demo_source)
        await stack.enter_async_context(ingest.camera_tests.answering(tester.test))
        await until_sent(ingest._sender._client)
        result = await web.camera_tests.ask("demo://masks")
        assert (result.fault, result.codec) == (None, "h264")
        assert result.picture is not None
        wrong = await web.camera_tests.ask("/absent.mp4")
        assert wrong.fault is not None
        assert wrong.fault.code == "stream-file-missing"


async def test_without_ingest_that_is_known_at_once(server: NatsServer) -> None:
    async with ends(server, 0) as (web, _):
        began_s = time.monotonic()
        with pytest.raises(NoIngestError):
            await web.camera_tests.ask(URL)
        assert time.monotonic() - began_s < BEGIN_S


async def test_an_ingest_that_stands_still_is_known_in_time(server: NatsServer) -> None:
    async with ends(server, 0) as (web, _), nats_connection(server.url_of("ingest"), "i", "ingest") as still:
        await still.subscribe(ASK, queue="ingest")
        await until_sent(still)
        began_s = time.monotonic()
        with pytest.raises(NoIngestError):
            await web.camera_tests.ask(URL)
        assert BEGIN_S <= time.monotonic() - began_s < 2 * BEGIN_S + 2


async def test_what_nobody_waits_for_ends(server: NatsServer) -> None:
    async with ends(server) as (web, (bus,)), AsyncExitStack() as stack:
        ingest = Ingest()
        ingest.waits.clear()
        await answering(stack, bus, ingest)
        asking = asyncio.create_task(web.camera_tests.ask(URL))
        await until(lambda: ingest.urls, "it is tried", 5)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        await until(lambda: ingest.ended, "it is let go of", 5)


async def test_an_ingest_without_time_says_so(server: NatsServer) -> None:
    async def full(url: str) -> CameraTestResult:
        raise FullError("tests-full")

    async with ends(server) as (web, (bus,)), bus.camera_tests.answering(full):
        await until_sent(bus._sender._client)
        with pytest.raises(FullError):
            await web.camera_tests.ask(URL)


async def test_while_nats_is_away_nobody_waits(tmp_path) -> None:
    with nats_server(tmp_path, users=new_users()) as own:
        async with bus_end(own, role="web") as web:
            own.kill()
            began_s = time.monotonic()
            with pytest.raises(BusUnavailableError):
                await web.camera_tests.ask(URL)
            assert time.monotonic() - began_s < 5
            own.start()
