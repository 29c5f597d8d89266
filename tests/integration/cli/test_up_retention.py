"""The retention that the settings file of `up` asks for, as somebody sees it who asks its API."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.cli.platform import Platform, PlatformSettings
from services.cli.setup_seed import SetupSeed
from services.cli.up_settings import UpConfig
from services.common.connections.listening import listen
from services.common.settings.files import load_settings
from services.core.types import Camera, CameraId
from services.store import keeper
from services.web.settings import WebSettings
from tests.database_server import DatabaseServer
from tests.makers import GATE, crossing, trajectory
from tests.tables import Tables

DAY_S = 86_400.0
PORTS = ("json_port", "mjpeg_port", "relay_port", "annotated_port")
WITHOUT_PORTS = "".join(f"{port}: null\n" for port in PORTS)


async def _fill(tables: Tables) -> None:
    """Records of a minute and of fifty days ago, and a camera that is switched off: nothing else happens."""
    await tables.setups.add_camera(Camera(CameraId("off"), "Off", "demo://traffic", enabled=False))
    for number, age_s in enumerate((60.0, 50 * DAY_S)):
        then_s = time.time() - age_s
        await tables.events.insert_events([crossing(number, then_s), trajectory(number, then_s)])


async def _left(tables: Tables) -> tuple[int, int, int]:
    """The number of crossings, minutes and trajectories that are there."""
    crossings = [item async for item in tables.records.crossings(GATE, 0, time.time())]
    minutes = await tables.records.minute_counts(GATE, 0, time.time())
    tracks = [item async for item in tables.records.trajectories(GATE, 0, time.time())]
    return len(crossings), len(minutes), len(tracks)


async def _up(uri: str, file: Path, until: Any) -> Any:
    """Run `up` with a settings file until the API says something."""
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        settings = load_settings(UpConfig, file, {}).changed({"port": port})
        platform = Platform(
            PlatformSettings(settings, WebSettings(port=port), uri, "MongoDB", None), SetupSeed((), "traffic")
        )
        task = asyncio.create_task(platform.run(listening))
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1/", timeout=20) as api:
                async with asyncio.timeout(60):
                    while not (found := await until(api)):
                        await asyncio.sleep(0.1)
                return found
        finally:
            task.cancel()
            await asyncio.wait([task])


async def _retention(api: httpx.AsyncClient) -> dict[str, Any] | None:
    retention = (await api.get("system")).json()["retention"]
    return retention if retention and retention["days"] else None


async def _pending(api: httpx.AsyncClient) -> dict[str, Any] | None:
    retention = await _retention(api)
    return retention and retention["pending"]


async def test_it_holds_by_the_rule_for_shorter_ones(
    own_server: DatabaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "LOOK_S", 0.3)
    file, tables = tmp_path / "up.yaml", Tables(own_server.uri)
    await _fill(tables)
    file.write_text(WITHOUT_PORTS + "retention: {trajectories_days: 400}\n", encoding="utf-8")
    first = await _up(own_server.uri, file, _retention)
    assert first["days"]["trajectories"] == 400 and first["pending"] is None

    shorter = "retention: {crossings_days: 20, minutes_days: 30, trajectories_days: 5}\n"
    file.write_text(WITHOUT_PORTS + shorter, encoding="utf-8")
    pending = await _up(own_server.uri, file, _pending)
    assert pending["days"] == {"crossings": 20, "minutes": 30, "trajectories": 5}
    assert pending["records"] == {"crossings": 1, "minutes": 1, "trajectories": 1}
    assert await _left(tables) == (2, 2, 2)

    said: list[str] = []

    async def confirmed(api: httpx.AsyncClient) -> dict[str, Any] | None:
        if not said and (waiting := await _pending(api)):
            said.append(waiting["id"])
            answer = await api.patch("system/retention", json={"confirm": waiting["id"]})
            assert answer.status_code == 204
        return await _retention(api) if await _left(tables) == (1, 1, 1) else None

    last = await _up(own_server.uri, file, confirmed)
    assert last["pending"] is None
    assert {name: last["days"][name] for name in pending["days"]} == pending["days"]
    await tables.close()
