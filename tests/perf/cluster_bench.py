"""Measures what a second detector process adds, and what the split into processes costs beside `up`.

Processor time of the processes themselves; the parts that are compared run in turn, more than once.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from services.demo.encode import write_video
from services.demo.traffic import make_scene
from tests.cluster import Cluster, cluster
from tests.processes import platform, wait_until

console = Console()
WARM_UP_S = 8.0

READER = "services.ingest.apart"


def cpu_s(pids: Iterable[int]) -> float:
    """Processor seconds of processes and the readers of their cameras' streams, without other children."""
    processes = [psutil.Process(pid) for pid in pids]
    readers = [
        child for process in processes for child in process.children() if READER in " ".join(child.cmdline())
    ]
    times = [process.cpu_times() for process in (*processes, *readers)]
    return sum(one.user + one.system + one.children_user + one.children_system for one in times)


def add_cameras(url: str, video: Path, numbers: Iterable[int], fps: float) -> None:
    for number in numbers:
        body = {"id": f"c{number}", "name": f"Camera {number}", "url": str(video), "fps": fps}
        httpx.post(f"{url}/api/v1/cameras", json=body, timeout=20).raise_for_status()


def with_files(video: Path) -> dict[str, str]:
    """The setting that lets the video be a camera."""
    return {"SIGHTLINE_FILE_CAMERA_FOLDERS": str(video.parent)}


def analysed_fps(url: str) -> float:
    """Frames a second that are analysed, over all cameras."""
    items = httpx.get(f"{url}/api/v1/cameras", timeout=20).json()["items"]
    return sum(item["measured_fps"] for item in items)


def pids_of(system: Cluster) -> dict[str, int]:
    return {name: one.process.pid for name, one in system.services.items() if one.process is not None}


def split_cost(folder: Path, video: Path, cameras: int, seconds: float, rounds: int) -> None:
    """Compare `up` with the same cameras over four processes, both without NATS and database."""
    table = Table(title=f"{cameras} cameras, 640x360 at 25 fps, 10 fps analysed: cores")
    for column in ("", "idle", f"{cameras} cameras", "a camera"):
        table.add_column(column)
    up: list[tuple[float, float]] = []
    split: list[tuple[float, float]] = []
    parts: dict[str, list[float]] = {}
    for number in range(rounds):
        up.append(measure_up(folder / f"up{number}", video, cameras, seconds))
        split.append(measure_split(folder / f"split{number}", video, cameras, seconds, parts))
    for name, values in (("up", up), ("split", split)):
        idle, busy = (median(column) for column in zip(*values, strict=True))
        table.add_row(name, f"{idle:.3f}", f"{busy:.3f}", f"{(busy - idle) / cameras:.4f}")
    console.print(table)
    ratios = [(s[1] - s[0]) / (u[1] - u[0]) for u, s in zip(up, split, strict=True)]
    console.print(f"a camera costs {median(ratios):.2f} times as much when split ({rounds} rounds in turn)")
    for name, values in parts.items():
        console.print(f"  {name}: {median(values):.3f} cores with {cameras} cameras")


def measure_up(folder: Path, video: Path, cameras: int, seconds: float) -> tuple[float, float]:
    folder.mkdir()
    with platform(folder / "data", environment=with_files(video)) as up:
        wait_until(lambda: httpx.get(f"{up.url}/readyz", timeout=5).status_code == 200, 60, "up is ready")
        demo = f"{up.url}/api/v1/cameras/demo"
        wait_until(lambda: httpx.get(demo, timeout=5).status_code == 200, 20, "the demo is there")
        httpx.delete(demo, timeout=20).raise_for_status()
        time.sleep(WARM_UP_S)
        idle = rate(lambda: cpu_s([up.process.pid]), seconds / 2)
        add_cameras(up.url, video, range(cameras), 10)
        time.sleep(WARM_UP_S)
        return idle, rate(lambda: cpu_s([up.process.pid]), seconds)


def rate(used: Callable[[], float], seconds: float) -> float:
    """Cores, from a function that gives processor seconds."""
    before, began_s = used(), time.monotonic()
    time.sleep(seconds)
    return (used() - before) / (time.monotonic() - began_s)


def measure_split(
    folder: Path, video: Path, cameras: int, seconds: float, parts: dict[str, list[float]]
) -> tuple[float, float]:
    folder.mkdir()
    with cluster(folder, "ingest", "detector", "store", "web", **with_files(video)) as system:
        pids = pids_of(system)
        time.sleep(WARM_UP_S)
        idle = rate(lambda: cpu_s(pids.values()), seconds / 2)
        add_cameras(system["web"].url(), video, range(cameras), 10)
        time.sleep(WARM_UP_S)
        before, began_s = {name: cpu_s([pid]) for name, pid in pids.items()}, time.monotonic()
        time.sleep(seconds)
        elapsed_s = time.monotonic() - began_s
        used = {name: (cpu_s([pid]) - before[name]) / elapsed_s for name, pid in pids.items()}
        for name, value in used.items():
            parts.setdefault(name, []).append(value)
        return idle, sum(used.values())


def throughput(folder: Path, video: Path, cameras: int, seconds: float, rounds: int, one_core: bool) -> None:
    """Give more cameras than one process can analyse, and add a second process."""
    folder.mkdir()
    one: list[float] = []
    two: list[float] = []
    with cluster(folder, "ingest", "store", "web", **with_files(video)) as system:
        with on_core(0 if one_core else None):
            system.add("detector1")
        system.wait_ready()
        add_cameras(system["web"].url(), video, range(cameras), 25)
        for _ in range(rounds):
            one.append(settled_fps(system, seconds))
            with on_core(1 if one_core else None):
                if "detector2" in system.services:
                    system["detector2"].start()
                else:
                    system.add("detector2")
            wait_until(system["detector2"].is_ready, 60, "the second process is ready")
            time.sleep(cameras / 2 + 5)
            two.append(settled_fps(system, seconds))
            system["detector2"].stop()
    held = "each held to a core of its own" if one_core else "free to use all cores"
    console.print(
        f"{cameras} cameras that ask for 25 fps each, detector processes {held}: {median(one):.0f} frames/s "
        f"with one, {median(two):.0f} with two: {median(two) / median(one):.2f} times ({rounds} rounds in "
        f"turn); one process so carries {median(one) / 10:.0f} cameras at 10 fps"
    )


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Let what is started meanwhile run on one core only; None: on all."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def settled_fps(system: Cluster, seconds: float) -> float:
    time.sleep(WARM_UP_S)
    end_s, values = time.monotonic() + seconds, []
    while time.monotonic() < end_s:
        values.append(analysed_fps(system["web"].url()))
        time.sleep(2)
    return median(values)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=3)
    parser.add_argument("--load-cameras", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = folder / "street.mp4"
        write_video(make_scene(), video)
        split_cost(folder, video, options.cameras, options.seconds, options.rounds)
        for one_core in (True, False):
            where = folder / f"load-{one_core}"
            throughput(where, video, options.load_cameras, options.seconds, options.rounds, one_core)
    return 0


if __name__ == "__main__":
    sys.exit(main())
