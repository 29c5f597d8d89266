"""Counts, crossings and gaps of what is selected: lines, classes, directions, masks, confidences, cameras."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from services.common.wire import time_text
from services.web.system import ModelEntry
from tests.makers import camera, crossing, line, recent_minute_s, seconds
from tests.web_app import Web

NOBODY = {"rate": None, "counted": 0}


@pytest.fixture
async def start(web: Web) -> float:
    """Two lines, of which the second was drawn two minutes later, and what they counted in four minutes."""
    start = recent_minute_s()
    web.tables.now_s = lambda: start - 600
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    web.tables.now_s = lambda: start + 120
    await web.tables.setups.add_line("gate", replace(line("exit"), name="=Exit, \u00e4u\u00dferer"))
    names = ("car", "bus", "mask", "no_mask")
    events = [
        replace(
            crossing(n, start + n, "exit" if n % 3 == 2 else "main", class_name=names[n % 4]),
            direction="backward" if n % 5 == 0 else "forward",
            confidence=0.5 + n / 1000,
        )
        for n in range(240)
    ]
    await web.tables.events.insert_events([*events, *seconds(start, 240)])
    return start


async def _ask(web: Web, path: str, **query: Any) -> Any:
    answer = await web.client.get(f"/api/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json() if answer.headers["content-type"] == "application/json" else answer


def _span(start: float) -> dict[str, str]:
    return {"from": time_text(start), "to": time_text(start + 240), "bucket": "1m"}


def _sums(counts: dict[str, Any]) -> tuple[int, int]:
    return sum(counts["forward"].values()), sum(counts["backward"].values())


async def test_lines_in_one_answer_are_what_each_alone_is_and_the_sum_is_covered_where_all_were(
    web: Web, start: float
) -> None:
    alone = {name: await _ask(web, "counts", line=name, **_span(start)) for name in ("main", "exit")}
    for query in ({}, {"line": ["exit", "main", "exit", ""]}):
        body = await _ask(web, "counts", by="line", **_span(start), **query)
        assert [one["line"] for one in body["lines"]] == (["exit", "main"] if query else ["main", "exit"])
        for one in body["lines"]:
            known = alone[one["line"]]
            assert {key: one[key] for key in ("coverage", "total", "compliance", "buckets")} == {
                key: known[key] for key in ("coverage", "total", "compliance", "buckets")
            }
        assert {key: body[key] for key in alone["main"]} == await _ask(web, "counts", **_span(start), **query)
        assert _sums(body["total"]) == (192, 48)
    assert "lines" not in alone["main"]
    names = {one["line"]: one["name"] for one in body["lines"]}
    assert names == {"main": "main", "exit": "=Exit, \u00e4u\u00dferer"}

    def shares(body: dict[str, Any]) -> list[float]:
        return [bucket["coverage"] for bucket in body["buckets"]]

    body = await _ask(web, "counts", line=["main", "exit"], by="line", **_span(start))
    assert shares(body) == [0.0, 0.0, 1.0, 1.0]
    assert [shares(one) for one in body["lines"]] == [[1.0] * 4, [0.0, 0.0, 1.0, 1.0]]
    assert shares(await _ask(web, "counts", **_span(start))) == [1.0] * 4

    web.tables.now_s = lambda: start + 180
    await web.tables.setups.delete_line("gate", "main")
    body = await _ask(web, "counts", by="line", **_span(start))
    assert [one["line"] for one in body["lines"]] == ["main", "exit"]
    assert [bucket["coverage"] for bucket in body["lines"][0]["buckets"]] == [1.0, 1.0, 1.0, 0.0]
    assert (await web.client.get("/api/v1/counts?line=main&line=none")).status_code == 404


async def test_classes_and_directions_are_counted_alone_and_a_rate_without_sense_is_null(
    web: Web, start: float
) -> None:
    whole = await _ask(web, "counts", **_span(start))
    cut = {**_span(start), "from": time_text(start + 0.5)}
    for span, less in ((_span(start), 0), (cut, 1)):
        body = await _ask(web, "counts", **span, **{"class": ["car", "bus"], "direction": "backward"})
        counted = whole["total"]["backward"]
        assert body["total"] == {
            "forward": {},
            "backward": {"bus": counted["bus"], "car": counted["car"] - less},
        }
        assert sum(_sums(bucket)[1] for bucket in body["buckets"]) == counted["bus"] + counted["car"] - less
    both = await _ask(web, "counts", **_span(start), direction=["forward", "backward"])
    assert both == whole

    async def rate(*classes: str, **query: str) -> Any:
        body = await _ask(web, "counts", **_span(start), **query, **{"class": [*classes]})
        return body["compliance"]["rate"], body["compliance"]["counted"]

    assert await rate("mask", "no_mask", "mask_incorrect") == (0.5, 120)
    assert await rate("mask", "no_mask") == (None, 120)
    assert await rate("mask") == (None, 60)
    assert await rate("car") == (None, 0)
    body = await _ask(web, "counts", **_span(start), direction="forward")
    assert (body["compliance"]["backward"], body["compliance"]["counted"]) == (NOBODY, 96)


async def test_a_class_that_nothing_finds_is_told_and_one_of_a_foreign_model_is_known(
    web: Web, start: float
) -> None:
    for path in ("counts", "crossings"):
        for query in ({"class": ["car", "cars"]}, {"class": "cars", "format": "csv"}):
            answer = await web.client.get(f"/api/v1/{path}", params=query)
            assert answer.status_code == 422 and "'cars'" in answer.json()["detail"], answer.text
            assert "bus, car" in answer.json()["detail"]
        assert (await web.client.get(f"/api/v1/{path}", params={"class": "truck"})).status_code == 200

    assert (await web.client.get("/api/v1/counts?class=cat")).status_code == 422
    system = replace(web.app.state.context.system, models=lambda: [ModelEntry("pets.onnx", ("cat", "=dog"))])
    web.app.state.context = replace(web.app.state.context, system=system)
    assert (await _ask(web, "counts", **{"class": "cat"}))["total"] == {"forward": {}, "backward": {}}
    web.app.state.context = replace(web.app.state.context, system=replace(system, models=tuple))
    await web.tables.events.insert_events([crossing(900, start + 5, class_name="=dog")])
    for path in ("counts", "crossings"):
        assert "dog" in json.dumps(await _ask(web, path, **{"class": "=dog"}, **{"from": time_text(start)}))
    answer = await _ask(web, "crossings", **{"class": "=dog"}, format="csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["class"] == "'=dog"


async def test_counts_and_crossings_come_as_files(web: Web, start: float) -> None:
    query = {**_span(start), "tz": "Asia/Kolkata"}
    body = await _ask(web, "counts", by="line", **query)
    answer = await web.client.get(
        "/api/v1/counts", params={**query, "by": "line"}, headers={"Accept": "text/csv"}
    )
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="counts-gate.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["line"], row["name"]) for row in rows[::4]] == [
        ("main", "main"),
        ("exit", "'=Exit, \u00e4u\u00dferer"),
    ]
    assert [row["coverage"] for row in rows] == ["1.0"] * 4 + ["0.0", "0.0", "1.0", "1.0"]
    first = body["lines"][0]["buckets"][0]
    assert (rows[0]["start"], int(rows[0]["forward_car"])) == (first["start"], first["forward"]["car"])
    assert sum(int(row["forward"]) + int(row["backward"]) for row in rows) == 240
    german = (await _ask(web, "counts", format="csv", spreadsheet="semicolon", **query)).content
    assert german.startswith(b"\xef\xbb\xbfstart;local_time;coverage;forward;")
    assert b";1,0;" in german
    for form in ("parquet", "ndjson", "xml"):
        assert (await web.client.get("/api/v1/counts", params={"format": form})).status_code == 422

    await web.tables.events.insert_events([crossing(999, start + 300.999)])
    answer = await _ask(web, "crossings", format="csv", tz="Asia/Kolkata")
    names = answer.text.partition("\r\n")[0]
    assert names.startswith("id,camera,line,line_version,time,class,direction,along,track,")
    assert names.endswith(",confidence,mask,direction_name,local_time")
    row = next(csv.DictReader(io.StringIO(answer.text)))
    assert row["local_time"] == time_text(start + 300 + 5.5 * 3600)[:19].replace("T", " ")
    plain = await _ask(web, "crossings", format="csv", spreadsheet="comma")
    assert plain.content.startswith(b"\xef\xbb\xbfid,camera,")


async def test_crossings_are_selected(web: Web, start: float) -> None:
    everything = (await _ask(web, "crossings", limit=5000))["items"]

    async def check(fits: Any, **query: Any) -> None:
        for form in ("json", "ndjson"):
            found = await _ask(web, "crossings", limit=5000, format=form, **query)
            items = found["items"] if form == "json" else [json.loads(row) for row in found.text.splitlines()]
            assert items == [item for item in everything if fits(item)] != everything
            assert items

    await check(lambda item: item["class"] in ("car", "mask"), **{"class": ["car", "mask"]})
    await check(lambda item: item["direction"] == "backward", direction="backward")
    await check(lambda item: item["mask"] is not None, mask=["mask", "no_mask", "mask_incorrect"])
    await check(lambda item: item["line"] == "exit", line=["exit", "none"])
    await check(lambda item: 0.6 <= item["confidence"] <= 0.65, min_confidence=0.6, max_confidence=0.65)
    await check(lambda item: item["confidence"] == 0.6, min_confidence=0.6, max_confidence=0.6)
    await check(
        lambda item: item["class"] == "car" and item["line"] == "main" and item["confidence"] > 0.7,
        **{"class": "car", "line": "main", "min_confidence": 0.7001},
    )
    assert (await _ask(web, "crossings", line=["main", "exit"], limit=5000))["items"] == everything
    query = {"class": "bus", "direction": "forward", "limit": "7"}
    first = await _ask(web, "crossings", **query)
    second = await _ask(web, "crossings", **query, cursor=first["next"])
    fitting = [item for item in everything if (item["class"], item["direction"]) == ("bus", "forward")]
    assert first["items"] + second["items"] == fitting[:14]


async def test_what_cannot_be_selected_is_refused_and_zones_that_browsers_tell_are_known(
    web: Web, start: float
) -> None:
    for query in (
        *(
            "min_confidence=0.7&max_confidence=0.6",
            "min_confidence=2",
            "max_confidence=-1",
            "min_confidence=nan",
        ),
        *("direction=up", "mask=none", "spreadsheet=tab", "format=parquet", "&".join(["line=a"] * 101)),
        "class=" + "x" * 101,
    ):
        answer = await web.client.get(f"/api/v1/crossings?{query}")
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), (
            query
        )

    known = ("Etc/Unknown", "US/Eastern", "Asia/Calcutta", "Europe/Kiev")
    for zone in (*known, "", "europe/berlin", "etc/unknown", "../Etc/Unknown", "Unknown"):
        for path in ("counts", "counts/today", "crossings", "cameras/gate/gaps", "gaps"):
            answer = await web.client.get(f"/api/v1/{path}", params={"tz": zone})
            assert answer.status_code == (200 if zone in known else 422), (zone, path, answer.text)
    unknown = {"bucket": "1d", "tz": "Etc/Unknown"}
    assert await _ask(web, "counts", **unknown) == await _ask(web, "counts", **unknown | {"tz": "UTC"})

    lines = [replace(line(f"line-{n}"), name=f"{n}") for n in range(12)]
    for one in lines:
        await web.tables.setups.add_line("gate", one)
    query = {"bucket": "1m", "by": "line", "from": time_text(start - 6 * 86_400)}
    answer = await web.client.get("/api/v1/counts", params=query)
    assert answer.status_code == 422 and "more than 100000" in answer.json()["detail"]
    assert (await web.client.get("/api/v1/counts", params=query | {"line": "main"})).status_code == 200


async def test_gaps_of_all_cameras_are_those_of_each(web: Web, start: float) -> None:
    web.tables.now_s = lambda: start + 60
    await web.tables.setups.add_camera(camera("yard"))
    query = {"from": time_text(start), "to": time_text(start + 300)}
    body = await _ask(web, "gaps", **query)
    alone = {name: (await _ask(web, f"cameras/{name}/gaps", **query))["items"] for name in ("gate", "yard")}
    assert body["items"] == [{**gap, "camera": name} for name, gaps in alone.items() for gap in gaps]
    assert [(gap["camera"], gap["from"]) for gap in body["items"]] == [
        ("gate", time_text(start + 240)),
        ("yard", time_text(start + 60)),
    ]
    assert (await _ask(web, "gaps", **{"from": "1970-01-01", "to": "1970-02-01"})) == {"items": []}
    assert (await web.client.get("/api/v1/gaps?tz=Mars/Base")).status_code == 422
