"""Odd cameras beside a good one, live and in real time: `make cameras` runs this and prints the table."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from services.core.types import Line, LineId
from services.demo.encode import write_video
from services.demo.scenes import Scene
from services.demo.traffic import make_scene
from services.demo.truth import truth_of
from tests.camera_habits import CAMERA_HABITS, CameraHabit
from tests.odd_cameras import odd_camera
from tests.processes import platform, wait_until

SEED, LOOP_S = 4, 40.0
SHIFTS = (-0.2, -0.1, 0.0, 0.1)
"""Where lines lie across the road, beside the scene's own: so a short clip has many crossings."""

KNOWN_S = 6.0
"""After a camera has come up, before its counts are compared: a second is counted when the tracker knows what
is in the picture."""

LATE_S = 9.0
"""Evidence of a second is there so much later."""


@dataclass(frozen=True, slots=True)
class Street:
    """A clip that cameras loop over, its lines, and how often they are crossed in a loop."""

    clip: Path
    lines: tuple[Line, ...]
    crossings: int


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Street:
    scene: Scene = make_scene(SEED, LOOP_S)
    road = next(line for line in scene.lines if line.id == "road")
    lines = tuple(
        replace(road, id=LineId(f"road{n}"), points=tuple((x + shift, y) for x, y in road.points))
        for n, shift in enumerate(SHIFTS)
    )
    clip = tmp_path_factory.mktemp("street") / "street.mp4"
    write_video(scene, clip)
    return Street(clip, lines, len(truth_of(scene, lines)))


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, street: Street) -> Iterator[httpx.Client]:
    """A platform without cameras."""
    data = tmp_path_factory.mktemp("habits") / "data"
    with (
        platform(data, "--camera", f"first={street.clip}") as up,
        httpx.Client(base_url=f"{up.url}/api/v1/", timeout=20) as client,
    ):
        wait_until(lambda: client.delete("cameras/first").is_success, 30, "the first camera is gone")
        yield client


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted of a camera within one loop of its clip."""

    crossings: int
    coverage: float
    gaps: tuple[str, ...]


def watch(api: httpx.Client, cameras: dict[str, str], street: Street) -> dict[str, Counted]:
    """Count cameras side by side for the length of the clip, each from its address."""
    for name, url in cameras.items():
        api.post("cameras", json={"id": name, "name": name, "url": url, "fps": 10}).raise_for_status()
        for line in street.lines:
            body = {"id": line.id, "points": [list(point) for point in line.points]}
            api.post(f"cameras/{name}/lines", json=body).raise_for_status()
    for name in cameras:
        wait_until(lambda name=name: api.get(f"cameras/{name}").json()["status"] == "live", 30, "live")  # type: ignore[misc]
    time.sleep(KNOWN_S)
    span = {"from": moment(time.time()), "to": moment(time.time() + LOOP_S)}
    time.sleep(LOOP_S + LATE_S)
    counted = {name: _counted(api, name, street, span) for name in cameras}
    for name in cameras:
        api.delete(f"cameras/{name}").raise_for_status()
    return counted


def _counted(api: httpx.Client, name: str, street: Street, span: dict[str, str]) -> Counted:
    crossings, coverage = 0, 1.0
    for line in street.lines:
        query = {"camera": name, "line": line.id, "bucket": "1d", **span}
        answer = api.get("counts", params=query).raise_for_status().json()
        crossings += sum(sum(answer["total"][way].values()) for way in ("forward", "backward"))
        coverage = min(coverage, answer["coverage"])
    gaps = api.get(f"cameras/{name}/gaps", params=span).raise_for_status().json()["items"]
    return Counted(crossings, coverage, tuple(gap["cause"] for gap in gaps))


def moment(time_s: float) -> str:
    milliseconds = round(time_s * 1000) % 1000
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time_s)) + f".{milliseconds:03d}Z"


@pytest.mark.realtime
@pytest.mark.parametrize("habit", CAMERA_HABITS, ids=lambda habit: habit.name)
def test_an_odd_camera_is_counted_as_a_good_one(
    habit: CameraHabit, api: httpx.Client, street: Street
) -> None:
    with ExitStack() as stack:
        good = stack.enter_context(odd_camera(street.clip))
        odd = stack.enter_context(odd_camera(street.clip, *habit.options))
        address = odd.url.replace("://", f"://{habit.login}@") if habit.login else odd.url
        number = CAMERA_HABITS.index(habit)
        counted = watch(api, {f"good{number}": good.url, f"odd{number}": address}, street)
    right, seen = counted[f"good{number}"], counted[f"odd{number}"]
    print(
        f"\n| {habit.name:28} | true {street.crossings:3} | good {right.crossings:3} at {right.coverage:4.0%}"
        f" | odd {seen.crossings:3} at {seen.coverage:4.0%} | {'; '.join(seen.gaps)}"
    )
    assert seen.crossings >= habit.least_counted * right.crossings
    assert seen.coverage >= habit.least_coverage * right.coverage
