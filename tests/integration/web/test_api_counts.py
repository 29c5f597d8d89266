"""Counts, crossings and gaps over HTTP."""

import csv
import io
import json
from dataclasses import replace

from services.common.wire import time_text
from services.core.types import CameraStatus, StatusChange
from tests.makers import GATE, camera, crossing, line, recent_minute_s, seconds
from tests.web_app import Web


async def _filled(web: Web) -> float:
    start = recent_minute_s()
    web.tables.now_s = lambda: start - 600
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    events = [crossing(n, start + n, direction="backward" if n % 3 == 0 else "forward") for n in range(150)]
    await web.tables.events.insert_events([*events, *seconds(start, 90), *seconds(start + 100, 80)])
    down = StatusChange(GATE, start + 91, CameraStatus.DEGRADED, "connection refused")
    await web.tables.events.insert_events([StatusChange(GATE, start - 300, CameraStatus.LIVE), down])
    return start


async def test_counts_say_how_complete_they_are(web: Web) -> None:
    start = await _filled(web)
    query = {"from": time_text(start), "to": time_text(start + 240), "bucket": "1m"}
    for extra in ({}, {"camera": "gate", "line": "main"}):
        body = (await web.client.get("/api/v1/counts", params=query | extra)).json()
        assert body["total"] == {"forward": {"car": 100}, "backward": {"car": 50}}
        assert [b["coverage"] for b in body["buckets"]] == [1.0, 0.8333, 1.0, 0.0]
        assert [sum(b["forward"].values()) for b in body["buckets"]] == [40, 40, 20, 0]
        assert body["coverage"] == 0.7083
        assert body["buckets"][1]["start"] == time_text(start + 60)


async def test_a_span_that_cuts_minutes_is_exact(web: Web) -> None:
    start = await _filled(web)
    query = {"from": time_text(start + 30.5), "to": time_text(start + 130), "bucket": "1m"}
    body = (await web.client.get("/api/v1/counts", params=query)).json()
    assert sum(body["total"]["forward"].values()) + sum(body["total"]["backward"].values()) == 99
    assert body["buckets"][0]["start"] == time_text(start + 30.5)
    assert len(body["buckets"]) == 3


async def test_by_default_a_minute_is_counted_in_its_own_hour(web: Web) -> None:
    now_s = 1765033920.0385962
    web.app.state.context = replace(web.app.state.context, now_s=lambda: now_s)
    web.tables.now_s = lambda: now_s - 90_000
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    hour = int(now_s) // 3600 * 3600
    moments = [hour - 60.0, hour, hour + 60.0]
    await web.tables.events.insert_events([crossing(n, time_s) for n, time_s in enumerate(moments)])
    body = (await web.client.get("/api/v1/counts")).json()
    assert (body["from"], body["to"]) == ("2025-12-05T15:00:00.000Z", "2025-12-06T16:00:00.000Z")
    assert len(body["buckets"]) == 25
    counted = [b["forward"].get("car", 0) for b in body["buckets"]]
    assert counted[-2:] == [1, 2] and sum(counted) == 3
    assert all(b["start"].endswith(":00:00.000Z") for b in body["buckets"])
    day = (await web.client.get("/api/v1/counts?bucket=1d&tz=Asia/Kolkata")).json()
    assert (day["from"], day["to"]) == ("2025-12-04T18:30:00.000Z", "2025-12-06T18:30:00.000Z")


async def test_the_longest_span_up_to_now_is_answered_at_any_moment(web: Web) -> None:
    """It ends with the bucket that holds now, and is no longer for that."""
    await web.tables.setups.add_camera(camera())
    for now_s in (1765033920.0385962, 1765065540.5):
        web.app.state.context = replace(web.app.state.context, now_s=lambda now_s=now_s: now_s)
        for bucket, length_s in (("1m", 12_000 * 60), ("1h", 400 * 86_400), ("1d", 400 * 86_400)):
            query = {"bucket": bucket, "from": time_text(now_s - length_s + 1), "tz": "Asia/Kathmandu"}
            answer = await web.client.get("/api/v1/counts", params=query)
            assert answer.status_code == 200, (bucket, answer.text)
            refused = query | {"from": time_text(now_s - length_s - 90_000)}
            assert (await web.client.get("/api/v1/counts", params=refused)).status_code == 422


async def test_a_date_is_the_day_of_the_zone_on_every_route(web: Web) -> None:
    berlin = 1795906800.0
    assert time_text(berlin) == "2026-11-28T23:00:00.000Z"
    web.app.state.context = replace(web.app.state.context, now_s=lambda: berlin + 10 * 86_400)
    web.tables.now_s = lambda: berlin - 90_000
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    moments = [berlin - 0.001, berlin, berlin + 86_399.999, berlin + 86_400]
    await web.tables.events.insert_events([crossing(n, time_s) for n, time_s in enumerate(moments)])
    day = {"from": "2026-11-29", "to": "2026-11-30", "tz": "Europe/Berlin"}
    counts = (await web.client.get("/api/v1/counts", params={**day, "bucket": "1d"})).json()
    assert [b["start"] for b in counts["buckets"]] == [counts["from"]] == [time_text(berlin)]
    assert counts["total"]["forward"] == {"car": 2}
    for query in ({}, {"format": "ndjson"}):
        answer = await web.client.get("/api/v1/crossings", params={**day, **query})
        assert answer.text.count('"id"') == 2
    gaps = (await web.client.get("/api/v1/cameras/gate/gaps", params=day)).json()["items"]
    assert [(gap["from"], gap["to"]) for gap in gaps] == [(counts["from"], counts["to"])]
    for route in ("counts", "crossings", "cameras/gate/gaps"):
        assert (await web.client.get(f"/api/v1/{route}?tz=Mars/Base")).status_code == 422


async def test_bad_questions_are_refused(web: Web) -> None:
    assert (await web.client.get("/api/v1/counts")).status_code == 404
    await _filled(web)
    for query in (
        "bucket=2m",
        "tz=Mars/Base",
        "from=yesterday",
        "from=2026-01-02&to=2026-01-01",
        "from=1e99",
    ):
        assert (await web.client.get(f"/api/v1/counts?{query}")).status_code == 422, query
    assert (await web.client.get("/api/v1/counts?camera=none")).status_code == 404
    assert (await web.client.get("/api/v1/counts?line=none")).status_code == 404


async def test_crossings_come_in_pages_newest_first(web: Web) -> None:
    await _filled(web)
    ids: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "40"} | ({"cursor": cursor} if cursor else {})
        body = (await web.client.get("/api/v1/crossings", params=query)).json()
        ids += [item["id"] for item in body["items"]]
        cursor = body["next"]
        if cursor is None:
            break
    assert ids == [f"gate-1-main-{n}" for n in reversed(range(150))]
    first = (await web.client.get("/api/v1/crossings?limit=1")).json()["items"][0]
    assert (first["class"], first["direction"], first["along"], first["mask"]) == (
        "car",
        "forward",
        0.25,
        None,
    )
    assert (await web.client.get("/api/v1/crossings?cursor=xx")).status_code == 422


async def test_crossings_come_as_files(web: Web) -> None:
    await _filled(web)
    answer = await web.client.get("/api/v1/crossings", headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert len(rows) == 150
    assert rows[0]["id"] == "gate-1-main-149"
    answer = await web.client.get("/api/v1/crossings?format=ndjson&limit=10&line=main")
    assert len([json.loads(row) for row in answer.text.splitlines()]) == 10
    assert (await web.client.get("/api/v1/crossings?format=parquet")).status_code == 422


async def test_gaps_name_their_causes(web: Web) -> None:
    start = await _filled(web)
    query = {"from": time_text(start), "to": time_text(start + 180)}
    body = (await web.client.get("/api/v1/cameras/gate/gaps", params=query)).json()
    cause = "connection refused"
    gap = {"from": time_text(start + 90), "to": time_text(start + 100), "cause": cause}
    assert body == {"items": [gap | {"code": "other", "params": {"text": cause}}]}
    query = {"from": time_text(start - 3600), "to": time_text(start)}
    body = (await web.client.get("/api/v1/cameras/gate/gaps", params=query)).json()
    assert body["items"][0]["from"] == time_text(start - 600)
    assert (await web.client.get("/api/v1/cameras/none/gaps")).status_code == 404


async def test_a_compliance_rate_comes_with_the_number_that_it_rests_on(web: Web) -> None:
    start = recent_minute_s()
    web.tables.now_s = lambda: start - 600
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    states = ["mask", "mask", "mask", "no_mask", "mask_incorrect", "car"]
    events = [crossing(n, start + 30 + n, class_name=name) for n, name in enumerate(states)]
    events.append(crossing(9, start + 190.5, direction="backward", class_name="mask"))
    await web.tables.events.insert_events([*events, *seconds(start, 60)])
    query = {"camera": "gate", "line": "main", "from": time_text(start), "bucket": "1m"}
    body = (await web.client.get("/api/v1/counts", params=query | {"to": time_text(start + 191)})).json()
    none = {"rate": None, "counted": 0}
    forward, backward = {"rate": 0.6, "counted": 5}, {"rate": 1.0, "counted": 1}
    assert body["compliance"] == {"rate": 0.6667, "counted": 6, "forward": forward, "backward": backward}
    assert body["coverage"] == 0.3141
    rates = [(b["compliance"]["rate"], b["compliance"]["counted"], b["coverage"]) for b in body["buckets"]]
    assert rates == [(0.6, 5, 1.0), (None, 0, 0.0), (None, 0, 0.0), (1.0, 1, 0.0)]
    assert body["buckets"][1]["compliance"] == {**none, "forward": none, "backward": none}
    rows = (await web.client.get("/api/v1/crossings", params={"camera": "gate"})).json()["items"]
    assert [row["mask"] for row in rows] == [
        "mask",
        None,
        "mask_incorrect",
        "no_mask",
        "mask",
        "mask",
        "mask",
    ]
    text = (await web.client.get("/api/v1/crossings", headers={"Accept": "text/csv"})).text
    assert [row["mask"] for row in csv.DictReader(io.StringIO(text))][:3] == ["mask", "", "mask_incorrect"]


async def test_a_line_that_leaves_out_a_state_has_no_rate(web: Web) -> None:
    start = recent_minute_s()
    web.tables.now_s = lambda: start - 600
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", replace(line(), classes=("no_mask", "mask_incorrect")))
    await web.tables.setups.add_line("gate", line("all"))
    events = [crossing(n, start + n, name, class_name="no_mask") for n, name in enumerate(("main", "all"))]
    await web.tables.events.insert_events([*events, *seconds(start, 60)])
    span = {"from": time_text(start), "to": time_text(start + 60), "camera": "gate"}
    for extra, rate, counted in (({"line": "main"}, None, 1), ({"line": "all"}, 0.0, 1), ({}, None, 2)):
        found = (await web.client.get("/api/v1/counts", params=span | extra)).json()["compliance"]
        assert (found["rate"], found["counted"]) == (rate, counted)
    web.tables.now_s = lambda: start + 60
    await web.tables.setups.change_line("gate", line())
    later = {"from": time_text(start + 60), "to": time_text(start + 120), "line": "main"}
    crossed = crossing(9, start + 70, class_name="mask")
    await web.tables.events.insert_events([crossed])
    body = (await web.client.get("/api/v1/counts", params=later)).json()
    assert body["compliance"]["rate"] == 1.0
