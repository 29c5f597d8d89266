"""Coverage of lines over HTTP: from when they were counted, whenever they were drawn."""

import asyncio
from dataclasses import replace

import pytest

from services.common.bus.messages import decode_event, encode_event
from services.common.wire import time_text
from services.core.errors import DiskFullError
from services.core.types import AnalysedSecond, CameraSetup, LineId
from services.web.mirror import SetupMirror
from tests.makers import GATE, camera, crossing, line, recent_minute_s
from tests.tables import Tables
from tests.web_app import Web

EXIT = {"id": "exit", "points": [[0.1, 0.3], [0.9, 0.3]]}


async def published(web: Web) -> CameraSetup:
    """The setup that detectors count by from now on."""
    async with web.bus.setups.follow() as changes:
        async for setups in changes:
            if setups:
                return setups[0]
    raise AssertionError


def counted(
    start_s: float, number: int, revision: str, lacking: tuple[str, ...] = ()
) -> list[AnalysedSecond]:
    """The evidence of some seconds, as the bus brings it."""
    seconds = (
        AnalysedSecond(GATE, int(start_s) + n, 1, 7, revision, tuple(map(LineId, lacking)))
        for n in range(number)
    )
    return [
        event for item in seconds if isinstance(event := decode_event(encode_event(item)), AnalysedSecond)
    ]


async def coverage(web: Web, start_s: float, line: str | None) -> list[float]:
    query = {"from": time_text(start_s), "to": time_text(start_s + 180), "bucket": "1m", "camera": "gate"}
    body = (await web.client.get("/api/v1/counts", params=query | ({"line": line} if line else {}))).json()
    return [bucket["coverage"] for bucket in body["buckets"]]


async def test_a_line_that_nobody_counts_yet_is_not_covered(web: Web) -> None:
    """NATS is away for a minute after a line was drawn: the detector goes on with the lines that it knows."""
    start = recent_minute_s()
    web.tables.now_s = lambda: start - 60
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    await web.app.state.context.mirror.refresh()
    before = await published(web)
    web.tables.now_s = lambda: start + 30
    (await web.client.post("/api/v1/cameras/gate/lines", json=EXIT)).raise_for_status()
    after = await published(web)
    assert before.revision != after.revision
    events = counted(start, 120, before.revision) + counted(start + 120, 60, after.revision)
    await web.tables.events.insert_events(events)
    assert await coverage(web, start, "exit") == [0.0, 0.0, 1.0]
    assert await coverage(web, start, "main") == [1.0, 1.0, 1.0]
    assert await coverage(web, start, None) == [0.5, 0.0, 1.0]
    gaps = await web.client.get(
        "/api/v1/cameras/gate/gaps", params={"from": time_text(start), "to": time_text(start + 180)}
    )
    assert gaps.json() == {"items": []}, "the camera was analysed all the while"


@pytest.mark.parametrize(("change", "is_covered"), [({"name": "Out"}, True), ({"anchor": "foot"}, False)])
async def test_a_changed_line_is_covered_where_it_counts_the_same(
    web: Web, change: dict[str, str], is_covered: bool
) -> None:
    start = recent_minute_s()
    web.tables.now_s = lambda: start - 60
    await web.tables.setups.add_camera(camera())
    (await web.client.post("/api/v1/cameras/gate/lines", json=EXIT)).raise_for_status()
    before = await published(web)
    web.tables.now_s = lambda: start + 60
    (await web.client.patch("/api/v1/cameras/gate/lines/exit", json=change)).raise_for_status()
    await web.tables.events.insert_events(counted(start, 180, before.revision))
    assert await coverage(web, start, "exit") == ([1.0, 1.0, 1.0] if is_covered else [1.0, 0.0, 0.0])


async def test_what_one_line_lacks_is_no_gap_of_another(web: Web) -> None:
    start = recent_minute_s()
    web.tables.now_s = lambda: start - 60
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    (await web.client.post("/api/v1/cameras/gate/lines", json=EXIT)).raise_for_status()
    setup = await published(web)
    events = counted(start, 30, setup.revision) + counted(start + 30, 30, setup.revision, ("exit",))
    for _ in range(2):
        await web.tables.events.insert_events(events)
    assert (await coverage(web, start, "exit"))[0] == 0.5
    assert (await coverage(web, start, "main"))[0] == 1.0
    assert (await coverage(web, start, None))[0] == 0.5


async def test_seconds_of_an_older_release_cover_the_lines_that_were_there(web: Web) -> None:
    start = recent_minute_s()
    web.tables.now_s = lambda: start + 30
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    await web.tables.events.insert_events([AnalysedSecond(GATE, int(start) + n, 1) for n in range(180)])
    assert await coverage(web, start, "main") == [0.5, 1.0, 1.0]
    assert await coverage(web, start, None) == [1.0, 1.0, 1.0]


async def test_evidence_of_the_future_comes_back_as_it_was(tables: Tables) -> None:
    start = recent_minute_s()
    events = counted(start, 3, "0123456789abcdef", ("exit",))
    await tables.events.insert_events(events)
    assert await tables.aside.take_aside(start - 60) == 3
    assert await tables.aside.bring_back(start + 600) == 3
    (found,) = await asyncio.to_thread(
        lambda: list(tables.records.for_thread().evidence("gate", start, start + 60))
    )
    assert (found.seconds, found.revision, found.lacking) == (0b111, "0123456789abcdef", {"exit": 0b111})


async def test_a_backup_carries_what_revisions_stand_for(web: Web) -> None:
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    await web.app.state.context.mirror.refresh()
    setup = await published(web)
    kept = [item async for item in web.tables.export.export_documents() if item[0] == "revisions"]
    assert setup.revision in {document["_id"].partition("/")[2] for _, document in kept}
    records = web.tables.records.for_thread()
    assert await asyncio.to_thread(records.line_versions_of, "gate", setup.revision) == {"main": 1}
    assert await asyncio.to_thread(records.line_versions_of, "gate", "none") is None


async def test_cameras_do_not_wait_for_room_on_the_disk(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a revision the rules of older releases hold."""

    async def full(_: object) -> None:
        raise DiskFullError("the disk is full")

    await web.tables.setups.add_camera(camera())
    await web.app.state.context.mirror.refresh()
    await web.tables.setups.add_line("gate", line())
    monkeypatch.setattr(web.tables.setups, "keep_revisions", full)
    mirror = SetupMirror(web.tables.web, web.bus.setups, web.bus.access)
    await mirror.refresh()
    assert (mirror.setup("gate").revision, len(mirror.setup("gate").lines)) == ("", 1)
    monkeypatch.undo()
    await mirror.refresh()
    assert mirror.setup("gate").revision


async def test_a_camera_that_an_older_release_set_to_too_few_frames_can_be_changed(web: Web) -> None:
    await web.tables.setups.add_camera(replace(camera(), fps=1.5))
    body = (await web.client.patch("/api/v1/cameras/gate", json={"name": "Yard"})).raise_for_status().json()
    assert (body["name"], body["fps"]) == ("Yard", 4.0)
    refused = await web.client.patch("/api/v1/cameras/gate", json={"fps": 2})
    assert refused.status_code == 422
    assert "fps is 2: give 4 to 60 frames to analyse a second" in refused.json()["detail"]
    assert (await web.client.get("/api/v1/system")).json()["fps"] == {"least": 4.0, "most": 60.0}


async def test_what_was_before_the_camera_is_neither_covered_nor_a_gap(web: Web) -> None:
    """A fresh install does not show the night before it as one that was not analysed."""
    start = recent_minute_s()
    web.tables.now_s = lambda: start + 90
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    await web.tables.events.insert_events([AnalysedSecond(GATE, int(start) + 90 + n, 1) for n in range(75)])
    for drawn in ("main", None):
        assert await coverage(web, start, drawn) == [None, 1.0, 0.75]
    span = {"from": time_text(start), "to": time_text(start + 180)}
    body = (await web.client.get("/api/v1/counts", params=span)).json()
    assert body["coverage"] == round(75 / 90, 4)
    gaps = (await web.client.get("/api/v1/cameras/gate/gaps", params=span)).json()["items"]
    assert [gap["from"] for gap in gaps] == [time_text(start + 165)], "the same is said of gaps"


async def test_a_crossing_that_is_older_than_the_camera_begins_its_time(web: Web) -> None:
    """A backup of an older release, say: what was counted is never beyond all coverage."""
    start = recent_minute_s()
    web.tables.now_s = lambda: start + 170
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    await web.tables.events.insert_events([crossing(1, start + 70), *counted(start + 170, 10, "")])
    assert (await coverage(web, start, "main"))[:2] == [None, 0.0]
