"""Ready is who can do what was asked: what the command line wants is there, and the ports are open."""

import asyncio
from types import SimpleNamespace

import pytest

from services.cli.platform import Platform, PlatformSettings
from services.cli.serve.ingest import IngestProcess
from services.cli.serve.rtsp import RtspProcess
from services.cli.serve.settings import IngestSettings, RtspSettings
from services.cli.setup_seed import SetupSeed
from services.cli.up_settings import UpConfig
from services.core.sentences.sentence import sentence
from services.web.api.system import get_readiness
from services.web.settings import WebSettings
from services.web.system import SystemInfo


async def test_the_whole_platform_is_ready_when_its_cameras_are_there() -> None:
    settings = PlatformSettings(UpConfig(), WebSettings(), "mongodb://127.0.0.1:1/", "made up", None)
    platform = Platform(settings, SetupSeed((), "traffic"))
    assert platform._missing() == (sentence("cameras-not-seeded"),)
    seeded = asyncio.Event()
    platform._tasks.start("seed", _until(seeded), may_end=True)
    await asyncio.sleep(0)
    assert platform._missing()
    seeded.set()
    await asyncio.wait(platform._tasks._tasks.values())
    assert not platform._missing()
    await platform._access.link.close()


async def _until(event: asyncio.Event) -> None:
    await event.wait()


async def test_what_is_missing_is_said_in_the_answer() -> None:
    async def works() -> None:
        """The database does."""

    missing = [sentence("cameras-not-seeded")]
    system = SystemInfo("0", "made up", 0.0, missing=lambda: missing)
    database = SimpleNamespace(probe=SimpleNamespace(check=works))
    answer = await get_readiness(SimpleNamespace(database=database, system=system))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert missing[0].text.encode() in answer.body and b'"code": "cameras-not-seeded"' in answer.body
    missing.clear()
    assert (await get_readiness(SimpleNamespace(database=database, system=system))).status_code == 200


def test_services_of_ports_are_ready_when_these_are_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_NATS_URL", "nats://127.0.0.1:1")
    rtsp, ingest = RtspProcess(RtspSettings()), IngestProcess(IngestSettings())
    assert rtsp._missing() == (sentence("port-closed", port=8555),)
    rtsp._service = SimpleNamespace(port=8555)
    assert not rtsp._missing()
    assert ingest._missing() == (sentence("video-port-closed"),)
    ingest._manager = SimpleNamespace(cameras=())
    assert ingest._missing() == (sentence("port-closed", port=8554),)
    ingest._relay = SimpleNamespace(port=8554)
    assert not ingest._missing()
