"""Counts of today of all cameras: what the counts of each say, at once, however often they are asked for."""

import asyncio
import time
from dataclasses import replace
from typing import Any

from services.common.database.documents import camera_document, date_of, line_document, minute_document
from services.common.wire import time_text
from services.core.types import CameraId, Crossing, LineId, MinuteCount, Ownership
from tests.makers import GATE, camera, crossing, line, seconds
from tests.web_app import Web

MIDNIGHT = 1_795_996_800.0
NOON = MIDNIGHT + 12 * 3600.0
MOST_S = 0.03


def _set_clock(web: Web, now_s: float) -> None:
    web.app.state.context = replace(web.app.state.context, now_s=lambda: now_s)
    web.tables.now_s = lambda: now_s


async def _gate(web: Web) -> None:
    _set_clock(web, MIDNIGHT - 3600)
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    await web.tables.setups.add_line("gate", line("exit"))
    _set_clock(web, NOON)


async def _today(web: Web, tz: str = "UTC") -> dict[str, Any]:
    """Ask, and compare with what the counts say."""
    body = (await web.client.get("/api/v1/counts/today", params={"tz": tz})).raise_for_status().json()
    for item in body["items"]:
        query = {"from": body["from"], "to": body["to"], "bucket": "1d", "tz": tz, "by": "line"}
        answer = await web.client.get("/api/v1/counts", params={**query, "camera": item["camera"]})
        counts = answer.raise_for_status().json()
        assert (item["coverage"], item["total"]) == (counts["coverage"], counts["total"])
        known = {one["line"]: one["total"] for one in counts["lines"]}
        for one in item["lines"]:
            assert known.pop(one["line"]) == {key: one[key] for key in ("forward", "backward")}
        assert not any(total["forward"] or total["backward"] for total in known.values())
    return body


def _at(time_s: float, number: int, **other: Any) -> Crossing:
    return crossing(number, time_s, **other)


async def test_all_that_comes_shows_with_the_next_question(web: Web) -> None:
    assert (await _today(web))["items"] == []
    await _gate(web)
    events = web.tables.events
    await events.insert_events([_at(NOON - 9 * 3600, 1), _at(NOON - 5, 2), _at(MIDNIGHT - 1, 3)])
    await events.insert_events(seconds(NOON - 9 * 3600, 600))
    first = await _today(web)
    assert (first["from"], first["to"]) == (time_text(MIDNIGHT), time_text(MIDNIGHT + 86_400))
    assert first["items"][0]["total"] == {"forward": {"car": 2}, "backward": {}}
    await events.insert_events([_at(NOON - 1, 4, line="exit", direction="backward", class_name="bus")])
    assert (await _today(web))["items"][0]["lines"] == [
        {"line": "main", "forward": {"car": 2}, "backward": {}},
        {"line": "exit", "forward": {}, "backward": {"bus": 1}},
    ]


async def test_what_comes_late_shows_too(web: Web) -> None:
    """A crossing, evidence, and an ownership that takes both away, of hours ago."""
    await _gate(web)
    events, then = web.tables.events, NOON - 3 * 3600
    await _today(web)
    await events.insert_events([_at(then, 1)])
    assert (await _today(web))["items"][0]["total"]["forward"] == {"car": 1}
    await events.insert_events(seconds(then, 3600, epoch=1))
    assert (await _today(web))["items"][0]["coverage"] == 0.0833
    await events.insert_events([Ownership(GATE, 2, then - 60)])
    gone = (await _today(web))["items"][0]
    assert (gone["coverage"], gone["total"]["forward"]) == (0.0, {})


async def test_lines_that_change_and_minutes_that_pass(web: Web) -> None:
    await _gate(web)
    await web.tables.events.insert_events([*seconds(NOON - 1200, 1195), _at(NOON - 30, 1)])
    before = (await _today(web))["items"][0]
    for after_s in (120.0, 700.0, 4000.0):
        _set_clock(web, NOON + after_s)
        assert (await _today(web))["items"][0]["total"] == before["total"]
    await web.tables.setups.delete_line("gate", "exit")
    _set_clock(web, NOON + 5000)
    await web.tables.events.insert_events([*seconds(NOON + 4100, 800), _at(NOON + 4990, 2)])
    lines = (await _today(web))["items"][0]["lines"]
    assert [(one["line"], one["forward"]) for one in lines if one["forward"]] == [("main", {"car": 2})]
    _set_clock(web, MIDNIGHT + 86_400)
    (fresh,) = (await _today(web))["items"]
    assert (fresh["coverage"], fresh["total"]["forward"]) == (None, {})


async def test_a_camera_that_is_made_anew_begins_at_nothing(web: Web) -> None:
    """Also one without lines, whose counts say nothing of it."""
    _set_clock(web, MIDNIGHT - 3600)
    await web.tables.setups.add_camera(camera())
    _set_clock(web, NOON)
    await web.tables.events.insert_events(seconds(NOON - 3 * 3600, 3600, epoch=1))
    assert (await _today(web))["items"][0]["coverage"] == 0.0833
    await web.tables.setups.delete_camera("gate")
    assert (await _today(web))["items"] == []
    await web.tables.setups.add_camera(camera())
    for after_s in (30.0, 700.0):
        _set_clock(web, NOON + after_s)
        assert (await _today(web))["items"][0]["coverage"] == 0.0
    epoch = int((NOON + 3600) * 1000)
    await web.tables.events.insert_events(seconds(NOON + 600, 90, epoch=epoch))
    assert (await _today(web))["items"][0]["coverage"] == round(90 / 692, 4)


async def test_a_camera_is_made_anew_between_two_questions(web: Web) -> None:
    _set_clock(web, MIDNIGHT - 3600)
    await web.tables.setups.add_camera(camera())
    _set_clock(web, NOON)
    await web.tables.events.insert_events(seconds(NOON - 3 * 3600, 3600, epoch=1))
    assert (await _today(web))["items"][0]["coverage"] == 0.0833
    await web.tables.setups.delete_camera("gate")
    await web.tables.setups.add_camera(camera())
    for after_s in (30.0, 700.0):
        _set_clock(web, NOON + after_s)
        assert (await _today(web))["items"][0]["coverage"] == 0.0


async def test_what_the_camera_saw_by_its_clock_before_it_was_made_counts_as_everywhere(web: Web) -> None:
    """The clock of the machine that analyses may be behind: no share is above the whole."""
    _set_clock(web, NOON)
    await web.tables.setups.add_camera(camera())
    await web.tables.events.insert_events(seconds(NOON - 20, 100, epoch=1))
    for after_s in (90.0, 700.0):
        _set_clock(web, NOON + after_s)
        assert (await _today(web))["items"][0]["coverage"] <= 1


async def test_the_day_is_that_of_the_zone(web: Web) -> None:
    await _gate(web)
    await web.tables.events.insert_events([_at(MIDNIGHT - 1800, 1), _at(MIDNIGHT + 5 * 3600 - 1, 2)])
    totals = {tz: (await _today(web, tz))["items"][0]["total"]["forward"] for tz in ("UTC", "Europe/Berlin")}
    assert totals == {"UTC": {"car": 1}, "Europe/Berlin": {"car": 2}}
    for tz in ("America/New_York", "Asia/Kathmandu", "Etc/Unknown", "Pacific/Apia", "UTC"):
        await _today(web, tz)
    assert (await web.client.get("/api/v1/counts/today?tz=Mars/Base")).status_code == 422


async def test_asking_again_costs_little(web: Web) -> None:
    _set_clock(web, MIDNIGHT - 3600)
    cameras = [f"camera-{number}" for number in range(16)]
    lines = [f"line-{number}" for number in range(4)]
    made = [camera_document(camera(name), MIDNIGHT - 3600) for name in cameras]
    drawn = [line_document(name, line(one), MIDNIGHT - 3600) for name in cameras for one in lines]
    await web.tables.link.collection("cameras").insert_many(made)
    await web.tables.link.collection("lines").insert_many(drawn)
    minutes = [int(MIDNIGHT) // 60 + number for number in range(12)]
    counted = [
        minute_document(MinuteCount(CameraId(name), LineId(one), minute, {"car": 2, "bus": 1}, {"car": 1}))
        for name in cameras
        for one in lines
        for minute in minutes
    ]
    analysed = [
        {"_id": f"{name}/{n}", "camera": name, "time": date_of(n * 60), "seconds": list(range(60))}
        for name in cameras
        for n in minutes
    ]
    await web.tables.link.collection("minutes").insert_many(counted)
    await web.tables.link.collection("analysed").insert_many(analysed)
    _set_clock(web, MIDNIGHT + 720)
    items = (await _today(web))["items"]
    assert [item["total"]["forward"] for item in items] == [{"bus": 48, "car": 96}] * 16
    costs = []
    for _ in range(5):
        began_s = time.process_time()
        await web.client.get("/api/v1/counts/today")
        costs.append(time.process_time() - began_s)
    assert min(costs) < MOST_S, costs


async def test_those_who_wait_for_the_same_share_one_reading(web: Web, monkeypatch: Any) -> None:
    await _gate(web)
    read = []
    ask = web.tables.setups.line_versions_of_all

    async def counted() -> Any:
        read.append(1)
        return await ask()

    monkeypatch.setattr(web.tables.setups, "line_versions_of_all", counted)
    answers = await asyncio.gather(*(web.client.get("/api/v1/counts/today") for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(read) <= 3
