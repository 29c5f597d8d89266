"""`sightline up` as a newcomer starts it: the demo camera counts what its script says."""

import time
from pathlib import Path

import httpx
import pytest

from services.common.wire import parse_time
from services.demo.traffic import make_scene
from services.demo.truth import truth_of
from tests.accuracy.scoring import Event, score
from tests.machine import others
from tests.processes import platform, wait_until

WARM_UP_S = 6.0
"""The first seconds belong to the start of the detector."""


@pytest.mark.timeout(240)
def test_the_demo_counts_what_its_script_says(tmp_path: Path):
    scene = make_scene()
    with platform(tmp_path / "data") as up, httpx.Client(base_url=f"{up.url}/api/v1/", timeout=20) as api:
        wait_until(
            lambda: [c for c in items(api, "cameras") if c["status"] == "live"], 40, "the demo is live"
        )
        begin_s = parse_time(items(api, "cameras")[0]["since"])
        from_s = begin_s + WARM_UP_S
        with others() as busy:
            time.sleep(from_s + scene.duration_s + 4 - time.time())
        counted = items(api, "crossings", camera="demo", **{"from": text(begin_s), "limit": "500"})
        coverage = api.get(
            "counts",
            params={
                "camera": "demo",
                "from": text(from_s),
                "to": text(from_s + scene.duration_s),
                "bucket": "1d",
            },
        ).json()["coverage"]
        _check_system(api.get("system").json())
    print(f"coverage {coverage:.3f}")
    busy.require_time(coverage, 0.95)
    for line in scene.lines:
        true = [t for t in truth_of(scene) if t.line == line.id]
        expected = [
            Event(begin_s + moment(t.time_s, scene.duration_s), t.direction, t.class_name) for t in true
        ]
        own = [
            Event(parse_time(c["time"]), c["direction"], c["class"])
            for c in counted
            if c["line"] == line.id and from_s <= parse_time(c["time"]) < from_s + scene.duration_s
        ]
        result = score(f"demo {line.id}", expected, own, tolerance_s=1.0)
        print(result)
        assert result.is_exact
        assert len(result.missed) <= 1, "one vehicle stops on the line, where a pixel decides its time"


def _check_system(system: dict) -> None:
    """The page shows what the demo costs, by which engine and why, and the queues that it goes through."""
    (cost,) = system["cameras"]
    assert (cost["camera"], cost["model"]) == ("demo", "traffic-n")
    assert 0 < cost["cores"] < 1
    assert 0 < cost["frames_per_s"] <= cost["received_fps"]
    assert cost["delay_ms"] is not None
    (engine,) = system["engines"]
    assert (engine["model"], engine["chosen"]) == (cost["model"], cost["engine"])
    assert engine["chosen"] in [trial["engine"] for trial in engine["tried"] if trial["passed"]]
    times_ms = {model["name"]: model["ms_per_frame"] for model in system["models"]}
    assert times_ms["traffic-n"] > 0
    assert times_ms["mask-n"] is None
    queues = {queue["name"]: queue for service in system["services"] for queue in service["queues"]}
    assert queues.keys() >= {"video", "tracks", "events", "connections", "streams", "questions"}
    assert queues["events"]["dropped"] == 0
    assert system["disk"]["used_bytes"] > 0


def moment(time_s: float, duration_s: float) -> float:
    """When a scripted moment comes round after the warm-up: in the first loop or in the second."""
    return time_s if time_s >= WARM_UP_S else time_s + duration_s


def items(api: httpx.Client, path: str, **params: str) -> list[dict]:
    answer = api.get(path, params=params)
    return answer.json()["items"] if answer.status_code == 200 else []


def text(time_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time_s)) + ".000Z"
