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


def moment(time_s: float, duration_s: float) -> float:
    """When a scripted moment comes round after the warm-up: in the first loop or in the second."""
    return time_s if time_s >= WARM_UP_S else time_s + duration_s


def items(api: httpx.Client, path: str, **params: str) -> list[dict]:
    answer = api.get(path, params=params)
    return answer.json()["items"] if answer.status_code == 200 else []


def text(time_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time_s)) + ".000Z"
