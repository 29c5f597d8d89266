"""Odd cameras beside a good one, live and in real time: `make cameras` runs this and prints the table."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.camera_habits import CAMERA_HABITS, CameraHabit
from tests.odd_cameras import odd_camera
from tests.odd_clocks import EVERY_S, LANES, PASSES_S, street
from tests.processes import platform, wait_until

FPS, LOOP_S, WIDTH, HEIGHT = 25, 40, 320, 180
CROSSINGS = int(LANES * (LOOP_S - PASSES_S / 2 - EVERY_S / 2) / EVERY_S)
"""About so often the line is crossed in a loop of the clip."""

KNOWN_S = 6.0
"""After a camera has come up, before its counts are compared: a second is counted when the tracker knows what
is in the picture."""

LATE_S = 9.0
"""Evidence of a second is there so much later."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bright blocks that pass a line in the middle, on a dark ground."""
    path = tmp_path_factory.mktemp("street") / "street.mp4"
    size = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS), "-i", "-"]
    codec = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-threads", "1"]
    command = ["ffmpeg", "-v", "error", *size, *codec, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for number in range(FPS * LOOP_S):
            picture = np.full((HEIGHT, WIDTH), 40, np.uint8)
            for block in street(number / FPS):
                x1, y1, x2, y2 = block.box
                rows = slice(round(y1 * HEIGHT), round(y2 * HEIGHT))
                picture[rows, max(0, round(x1 * WIDTH)) : max(0, round(x2 * WIDTH))] = 220
            process.stdin.write(picture.tobytes())
    assert process.returncode == 0
    return path


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Iterator[httpx.Client]:
    """A platform without cameras."""
    data = tmp_path_factory.mktemp("habits") / "data"
    with (
        platform(data, "--camera", f"first={clip}", program="tests.fixtures.block_up") as up,
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


def watch(api: httpx.Client, cameras: dict[str, str]) -> dict[str, Counted]:
    """Count cameras side by side for the length of the clip, each from its address."""
    for name, url in cameras.items():
        api.post("cameras", json={"id": name, "name": name, "url": url, "fps": 10}).raise_for_status()
        line = {"id": "middle", "points": [[0.5, 0.0], [0.5, 1.0]]}
        api.post(f"cameras/{name}/lines", json=line).raise_for_status()
    wait_until(lambda: all(_is_live(api, name) for name in cameras), 30, "all cameras are live")
    time.sleep(KNOWN_S)
    span = {"from": moment(time.time()), "to": moment(time.time() + LOOP_S)}
    time.sleep(LOOP_S + LATE_S)
    counted = {name: _counted(api, name, span) for name in cameras}
    for name in cameras:
        api.delete(f"cameras/{name}").raise_for_status()
    return counted


def _is_live(api: httpx.Client, name: str) -> bool:
    return bool(api.get(f"cameras/{name}").json()["status"] == "live")


def _counted(api: httpx.Client, name: str, span: dict[str, str]) -> Counted:
    query = {"camera": name, "line": "middle", "bucket": "1d", **span}
    answer = api.get("counts", params=query).raise_for_status().json()
    crossings = sum(sum(answer["total"][way].values()) for way in ("forward", "backward"))
    gaps = api.get(f"cameras/{name}/gaps", params=span).raise_for_status().json()["items"]
    return Counted(crossings, answer["coverage"], tuple(gap["cause"] for gap in gaps))


def moment(time_s: float) -> str:
    milliseconds = round(time_s * 1000) % 1000
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time_s)) + f".{milliseconds:03d}Z"


@pytest.mark.realtime
@pytest.mark.parametrize("habit", CAMERA_HABITS, ids=lambda habit: habit.name)
def test_an_odd_camera_is_counted_as_a_good_one(habit: CameraHabit, api: httpx.Client, clip: Path) -> None:
    with ExitStack() as stack:
        good = stack.enter_context(odd_camera(clip))
        odd = stack.enter_context(odd_camera(clip, *habit.options))
        address = odd.url.replace("://", f"://{habit.login}@") if habit.login else odd.url
        number = CAMERA_HABITS.index(habit)
        counted = watch(api, {f"good{number}": good.url, f"odd{number}": address})
    right, seen = counted[f"good{number}"], counted[f"odd{number}"]
    print(
        f"\n| {habit.name:28} | about {CROSSINGS} | good {right.crossings:3} at {right.coverage:4.0%}"
        f" | odd {seen.crossings:3} at {seen.coverage:4.0%} | {'; '.join(seen.gaps)}"
    )
    assert seen.crossings >= habit.least_counted * right.crossings
    assert seen.coverage >= habit.least_coverage * right.coverage
