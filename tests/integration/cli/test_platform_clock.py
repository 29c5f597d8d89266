"""`sightline up` while the clock of its machine is set, with a past that an earlier process has counted.

The clocks are passed in: they are set, and hours are let go by, in no time.
"""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from services.cli.platform import Platform, PlatformSettings
from services.cli.setup_seed import SetupSeed
from services.cli.up_settings import UpConfig
from services.common.access.accounts import UserRole
from services.common.bus.messages import decode_event
from services.common.clocks import Clocks, steady_s
from services.common.connections.listening import listen
from services.common.database.schema import SET_ASIDE
from services.common.wire import parse_time, time_text
from services.core.types import AnalysedSecond, Camera, CameraId, Crossing, Ownership
from services.demo.traffic import make_scene
from services.web.settings import WebSettings
from tests.database_server import DatabaseServer
from tests.live_socket import live_socket, message_of, wanted
from tests.makers import crossing
from tests.tables import Tables
from tests.web_login import PASSWORD, add_user

pytestmark = pytest.mark.timeout(280)

HOUR_S, MINUTE_S = 3600.0, 60.0
DEMO = CameraId("demo")
FPS = 5.0
WAS_SET = "the clock of this machine was set"
UNITS_S = {"h": HOUR_S, "min": MINUTE_S, "s": 1.0}
MISREAD_S = 5
"""A busy machine may let this much go by between the readings of the two clocks that give a step its size."""


@dataclass
class Host:
    """A machine whose clock can be set, and whose time can be let go by."""

    offset_s: float = 0.0
    passed_s: float = 0.0

    @property
    def clocks(self) -> Clocks:
        return Clocks(self.now_s, lambda: steady_s() + self.passed_s)

    def now_s(self) -> float:
        return time.time() + self.offset_s + self.passed_s


@dataclass
class Up:
    """The platform as somebody sees it who asks its API."""

    host: Host
    api: httpx.AsyncClient
    log: pytest.LogCaptureFixture
    steps: list[str] = field(default_factory=list)

    def set_clock(self, by_s: float) -> float:
        """Set the clock; gives the time that it showed before."""
        now_s = self.host.now_s()
        self.host.offset_s += by_s
        return now_s

    async def camera(self) -> dict[str, Any]:
        return (await self.api.get("cameras/demo")).json()

    async def until(self, condition: Callable[[], Awaitable[object]], timeout_s: float, what: str) -> None:
        end_s = time.monotonic() + timeout_s
        while not await condition():
            assert time.monotonic() < end_s, f"not within {timeout_s:g} s: {what}: {await self.camera()}"
            await asyncio.sleep(0.2)

    async def is_counted(self) -> bool:
        camera = await self.camera()
        return camera["status"] == "live" and 0.6 * FPS < camera["measured_fps"] < 1.3 * FPS

    async def is_held(self) -> bool:
        camera = await self.camera()
        return (
            camera["status"] == "degraded"
            and camera["measured_fps"] == 0
            and f"{WAS_SET} back by" in camera["last_error"]
            and "not counted twice, until" in camera["last_error"]
        )

    async def coverage(self, from_s: float, to_s: float) -> float:
        span = {"from": time_text(from_s), "to": time_text(to_s)}
        answer = await self.api.get("counts", params={"camera": "demo", "bucket": "1d", **span})
        return float(answer.json()["coverage"])

    async def gaps(self, from_s: float, to_s: float) -> list[tuple[float, float, str]]:
        answer = await self.api.get(
            "cameras/demo/gaps", params={"from": time_text(from_s), "to": time_text(to_s)}
        )
        items = answer.json()["items"]
        return [(parse_time(item["from"]), parse_time(item["to"]), item["cause"]) for item in items]

    async def crossings(self, from_s: float, to_s: float) -> dict[str, float]:
        span = {"from": time_text(from_s), "to": time_text(to_s), "limit": "1000"}
        answer = await self.api.get("crossings", params={"camera": "demo", **span})
        return {item["id"]: parse_time(item["time"]) for item in answer.json()["items"]}

    def said(self) -> list[str]:
        """What the log has said of steps, one line for each."""
        return [
            record.getMessage().partition("set ")[2]
            for record in self.log.records
            if record.getMessage().startswith(WAS_SET)
        ]


def step_s(words: str) -> float:
    """Give the step that a gap's cause or a line of the log names, such as `... set back by 59 min 59 s`."""
    way, number, unit, more = re.fullmatch(
        rf"(?:{WAS_SET} )?(back|forward) by (\d+) (h|min|s)(?: (\d+ (?:min|s)))?(?: \(.*\))?", words
    ).groups()  # type: ignore[union-attr]
    size_s = int(number) * UNITS_S[unit]
    if more:
        size_s += int(more.split()[0]) * UNITS_S[more.split()[1]]
    return size_s if way == "forward" else -size_s


def about(size_s: float) -> Any:
    return pytest.approx(size_s, abs=MISREAD_S)


async def remember(tables: Tables, begin_s: int, end_s: int) -> None:
    """Leave what an earlier process has counted: each second, and a crossing each minute."""
    await tables.prepare()
    await tables.setups.add_camera(Camera(DEMO, "Demo", "demo://traffic", fps=FPS))
    for line in make_scene().lines:
        await tables.setups.add_line(DEMO, line)
    events = [AnalysedSecond(DEMO, second, 1, 5) for second in range(begin_s, end_s)]
    crossed = [
        replace(crossing(n, begin_s + n * 60.0 + 30, "road"), id=f"demo/1.5.0/{n}/road.1/0", camera=DEMO)
        for n in range((end_s - begin_s) // 60)
    ]
    await tables.events.insert_events([Ownership(DEMO, 1, float(begin_s), 5), *crossed])
    for at in range(0, len(events), 2000):
        await tables.events.insert_events(events[at : at + 2000])


@asynccontextmanager
async def running(
    uri: str, host: Host, log: pytest.LogCaptureFixture, login: Literal["auto", "required"] = "auto"
) -> AsyncIterator[Up]:
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        ports = dict.fromkeys(("json_port", "mjpeg_port", "relay_port", "annotated_port"))
        settings = PlatformSettings(
            UpConfig(port=port, **ports), WebSettings(port=port, login=login), uri, "MongoDB", None
        )
        platform = Platform(settings, SetupSeed((), "traffic"), host.clocks)
        task = asyncio.create_task(platform.run(listening))
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1/", timeout=20) as api:
                yield Up(host, api, log)
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.fixture
def database(tmp_path: Path) -> Iterator[DatabaseServer]:
    server = DatabaseServer(tmp_path / "database")
    server.start()
    yield server
    server.end()


async def test_a_clock_that_is_set_back_and_forward(
    database: DatabaseServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "httpx")
    caplog.set_level(logging.INFO, "services")
    host = Host()
    begin_s = int(host.now_s() - 2 * HOUR_S)
    tables = Tables(database.uri, now_s=lambda: begin_s - HOUR_S)
    await remember(tables, begin_s, int(host.now_s()))
    await tables.close()
    async with running(database.uri, host, caplog) as up:
        await up.until(up.is_counted, 60, "the demo is counted")
        await asyncio.sleep(4)
        known = await up.crossings(begin_s, host.now_s())

        stepped_s = up.set_clock(-HOUR_S)
        await up.until(up.is_held, 20, "the camera says that time comes again")
        await asyncio.sleep(16)
        back_s = stepped_s - HOUR_S
        (said,) = up.said()
        assert step_s(said) == about(-HOUR_S)
        assert await up.coverage(begin_s, back_s - 5) == 1.0
        assert await up.coverage(back_s + 1, host.now_s() - 9) == 0.0
        (gap,) = await up.gaps(begin_s, host.now_s())
        assert gap[0] == pytest.approx(back_s, abs=2)
        assert step_s(gap[2]) == about(-HOUR_S)

        host.passed_s += stepped_s - host.now_s() + 2
        await up.until(up.is_counted, 30, "counting goes on as soon as time is new")
        resumed_s = host.now_s()
        assert resumed_s < stepped_s + 30
        await up.until(lambda: is_covered(up, resumed_s), 60, "and is covered")
        found = await up.crossings(begin_s, stepped_s)
        assert {id: found.get(id) for id in known} == known, "what was counted is kept"
        assert all(time_s > stepped_s - 8 for id, time_s in found.items() if id not in known), "and once"
        assert await up.coverage(back_s, stepped_s) < 0.05, "the hour came twice"
        assert [g[2] for g in await up.gaps(back_s, stepped_s)] == [gap[2]]

        for forward_s in (MINUTE_S, HOUR_S):
            stepped_s = up.set_clock(forward_s)
            await asyncio.sleep(4)
            await up.until(up.is_counted, 20, "pictures of the new time are counted")
            await asyncio.sleep(10)
            gaps = await up.gaps(stepped_s - 1, stepped_s + forward_s)
            assert [(g[0] - stepped_s, step_s(g[2])) for g in gaps if g[1] > stepped_s + 5] == [
                (pytest.approx(0, abs=3), about(forward_s))
            ]

        ahead_s = host.now_s()
        before = len(up.said())
        future_s = stepped_s + HOUR_S
        up.set_clock(-HOUR_S)
        present_s = host.now_s() + 3
        await up.until(lambda: is_covered(up, present_s), 60, "a false future does not block the present")
        assert await up.is_counted()
        assert len(up.said()) == before + 1 == 4
        in_future = await up.crossings(future_s, ahead_s)

        host.passed_s += future_s - host.now_s() + 1
        await up.until(up.is_held, 20, "it comes again")
        assert host.now_s() < ahead_s
        host.passed_s += ahead_s - host.now_s() + 1
        await up.until(up.is_counted, 20, "and goes by")
        assert await up.crossings(future_s, ahead_s) == in_future
        await asyncio.sleep(10)
        assert await up.coverage(future_s, ahead_s) == 0.0
        assert len(up.said()) == 4, "time that goes by is no step"


async def is_covered(up: Up, from_s: float) -> bool:
    """Whether some of the time since then counts as analysed."""
    to_s = up.host.now_s() - 9
    return to_s > from_s + 3 and await up.coverage(from_s, to_s) > 0.3


async def test_what_a_false_future_has_counted_is_set_aside_and_comes_back(
    database: DatabaseServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "httpx")
    caplog.set_level(logging.INFO, "services")
    host = Host()
    begin_s = int(host.now_s() - 2 * HOUR_S)
    tables = Tables(database.uri, now_s=lambda: begin_s - HOUR_S)
    await remember(tables, begin_s, begin_s + 60)
    await tables.close()
    async with running(database.uri, host, caplog) as up:
        await up.until(up.is_counted, 60, "the demo is counted")
        stepped_s = up.set_clock(HOUR_S)
        future_s = stepped_s + HOUR_S
        await up.until(lambda: has_set_aside(up), 60, "what is dated ahead is set aside")
        await asyncio.sleep(15)
        ahead_s = host.now_s()
        assert await up.crossings(future_s, ahead_s) == {}
        assert await up.coverage(future_s, ahead_s) == 0.0
        up.set_clock(-HOUR_S)
        present_s = host.now_s() + 3
        await up.until(lambda: is_covered(up, present_s), 60, "counting goes on at once")
        kept = await crossings_aside(database.uri)
        assert kept

        host.passed_s += future_s - host.now_s() + 1
        await up.until(up.is_held, 20, "the time comes that was counted by mistake")
        host.passed_s += max(ahead_s, *kept.values()) - host.now_s() + 1
        await up.until(up.is_counted, 20, "and goes by")
        again_s = host.now_s() + 3
        await up.until(lambda: is_covered(up, again_s), 60, "counting goes on")
        assert await crossings_aside(database.uri) == {}
        found = await up.crossings(future_s - 1, again_s)
        assert {id: found.get(id) for id in kept} == kept, "nothing that was acknowledged is lost"
        assert await up.coverage(future_s, ahead_s) == 0.0
        assert await up.coverage(stepped_s + 2, present_s - 4) == 0.0, "what happened then is dated falsely"


async def has_said(up: Up, size_s: float) -> bool:
    return bool(up.said()) and step_s(up.said()[-1]) == about(size_s)


async def is_believed(up: Up) -> bool:
    clock = (await up.api.get("system")).json()["clock"]
    return bool(clock["believed"]) and clock["doubt"] is None


async def live_is_right(port: int, cookie: str) -> bool:
    """Whether a page that begins now gets pictures with tracks of their times."""
    async with live_socket(port, cookie=cookie) as socket:
        await socket.send(wanted("demo", tracks=True))
        alive = await message_of(socket, "alive")
        tracks = await message_of(socket, "tracks")
        await message_of(socket, "picture")
    return abs(parse_time(tracks["time"]) - parse_time(alive["time"])) < 15


async def test_logins_tokens_throttles_and_records_stand_steps_of_the_clock(
    database: DatabaseServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "httpx")
    host = Host()
    begin_s = int(host.now_s() - 2 * HOUR_S)
    tables = Tables(database.uri, now_s=lambda: begin_s - HOUR_S)
    await remember(tables, begin_s, begin_s + 3600)
    await add_user(tables, "root", UserRole.ADMIN)
    await tables.close()
    async with running(database.uri, host, caplog, login="required") as up:
        origin = {"Origin": str(up.api.base_url).partition("/api")[0]}
        port = up.api.base_url.port or 0
        login = await up.api.post("session", json={"user": "root", "password": PASSWORD}, headers=origin)
        cookie = login.headers["set-cookie"].partition(";")[0]
        ends = time_text(host.now_s() + 3 * HOUR_S)
        wanted_token = {"name": "a program", "role": "admin", "expires": ends}
        token = (await up.api.post("tokens", json=wanted_token, headers=origin)).json()["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        await up.until(up.is_counted, 60, "the demo is counted")
        known = await up.crossings(begin_s, begin_s + 3600)
        assert len(known) == 60
        wrong = {"user": "root", "password": "not the right one"}

        async def guess() -> httpx.Response:
            return await up.api.post("session", json=wrong, headers=origin)

        for by_s in (MINUTE_S, -MINUTE_S, HOUR_S, -HOUR_S):
            while (before := await guess()).status_code == 401:
                pass
            up.set_clock(by_s)
            refused = await guess()
            assert refused.status_code == 429, "no step opens what waits"
            waits_s = [int(answer.headers["retry-after"]) for answer in (before, refused)]
            assert 0 < waits_s[1] <= waits_s[0], "nor makes it wait longer"
            assert (await up.camera())["id"] == "demo", "who is logged in stays so"
            async with httpx.AsyncClient(base_url=up.api.base_url, headers=bearer) as program:
                assert (await program.get("cameras")).status_code == 200, "a token that has not expired opens"
            if by_s > 0:
                await up.until(up.is_counted, 30, "pictures are counted")
                assert await live_is_right(port, cookie)
            assert await up.crossings(begin_s, begin_s + 3600) == known, "nothing is deleted"
            await up.until(partial(has_said, up, by_s), 10, "the log tells the step")
        await up.until(lambda: is_believed(up), 60, "a clock that is right again is believed")


async def has_set_aside(up: Up) -> bool:
    return (await up.api.get("system")).json()["set_aside"] > 0


async def crossings_aside(uri: str) -> dict[str, float]:
    """Give the crossings that are set aside, with their times by the millisecond."""
    tables = Tables(uri)
    events = [decode_event(item["event"]) async for item in tables.export.iterate_all(SET_ASIDE)]
    await tables.close()
    return {event.id: round(event.time_s, 3) for event in events if isinstance(event, Crossing)}
