"""Names that people give the directions of a line, beside the unchanged keys forward and backward."""

import csv
import io
import json
from dataclasses import replace

from services.cli.setup_seed import SetupSeed, WantedCamera
from services.common.database.schema import LINES
from services.common.wire import time_text
from tests.makers import camera, crossing, line, recent_minute_s, seconds
from tests.web_app import Web

LINES_URL = "/api/v1/cameras/gate/lines"
MAIN = f"{LINES_URL}/main"
IN_OUT = {"forward_name": "in", "backward_name": "out"}


async def test_directions_are_named_renamed_and_no_more_named(web: Web) -> None:
    await web.tables.setups.add_camera(camera())
    body = {"id": "main", "points": [[0.1, 0.7], [0.9, 0.7]], **IN_OUT}
    made = await web.client.post(LINES_URL, json=body)
    assert (made.status_code, made.json() | IN_OUT) == (201, made.json())
    renamed = await web.client.patch(MAIN, json={"backward_name": "hinaus"})
    assert renamed.json() == made.json() | {"version": 2, "backward_name": "hinaus"}
    assert (await web.client.patch(MAIN, json=renamed.json())).json()["version"] == 2
    moved = await web.client.patch(MAIN, json={"points": [[0.1, 0.6], [0.9, 0.7]]})
    assert (moved.json()["forward_name"], moved.json()["backward_name"]) == ("in", "hinaus")
    plain = await web.client.patch(MAIN, json={"forward_name": None})
    assert (plain.json()["version"], plain.json()["forward_name"]) == (4, None)
    for bad in ("", " ", "x" * 41, "a\nb", 7):
        refused = await web.client.patch(MAIN, json={"backward_name": bad})
        assert (refused.status_code, "backward_name" in refused.text) == (422, True), bad
    (setup,) = web.bus.setups.newest()
    assert [item.backward_name for item in setup.lines] == ["hinaus"]


async def test_a_line_of_an_older_release_is_read_and_named(web: Web) -> None:
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    old = web.tables.link.collection(LINES)
    await old.update_many({"camera": "gate"}, {"$unset": dict.fromkeys(IN_OUT, "")})
    found = (await web.client.get(MAIN)).json()
    assert (found["forward_name"], found["backward_name"]) == (None, None)
    assert (await web.client.patch(MAIN, json=found)).json()["version"] == 1
    assert (await web.client.patch(MAIN, json=IN_OUT)).json() == found | IN_OUT | {"version": 2}


async def test_what_was_counted_before_has_the_names_too_and_loses_no_coverage(web: Web) -> None:
    start = recent_minute_s()
    web.tables.now_s = lambda: start - 600
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    events = [crossing(1, start + 1), crossing(2, start + 2, direction="backward")]
    await web.tables.events.insert_events([*events, *seconds(start, 120)])
    web.tables.now_s = lambda: start + 60
    await web.client.patch(MAIN, json=IN_OUT)
    span = {"from": time_text(start), "to": time_text(start + 120), "bucket": "1m"}
    counts = (await web.client.get("/api/v1/counts", params=span | {"line": "main"})).json()
    assert counts | IN_OUT | {"coverage": 1.0} == counts
    assert counts["total"] == {"forward": {"car": 1}, "backward": {"car": 1}}
    of_all = (await web.client.get("/api/v1/counts", params=span)).json()
    assert (of_all["forward_name"], of_all["backward_name"]) == (None, None), "they are of several lines"
    for form in ("json", "ndjson", "csv"):
        answer = await web.client.get("/api/v1/crossings", params=span | {"format": form})
        if form == "csv":
            assert answer.text.splitlines()[0].endswith(",direction_name,local_time")
            rows = list(csv.DictReader(io.StringIO(answer.text)))
        elif form == "json":
            rows = answer.json()["items"]
        else:
            rows = [json.loads(row) for row in answer.text.splitlines()]
        found = [(row["direction"], row["direction_name"]) for row in rows]
        assert found == [("backward", "out"), ("forward", "in")], form


async def test_names_of_the_settings_file_are_kept_once(web: Web) -> None:
    named = replace(line(), **IN_OUT)
    seed = SetupSeed([WantedCamera(camera(), (named,))], "traffic")
    for _ in range(2):
        await seed._apply(web.tables.setups)
        assert await web.tables.setups.lines("gate") == [named]
