"""The whole system in containers, judged from outside: one script for every engine that runs them.

Someone logs in, points the system at a camera, draws lines, and watches on every port. Then containers are
killed while objects cross, and each crossing outside the gaps must have been counted once.
"""

import os
import shutil
import signal
import time
from collections.abc import Sequence
from math import ceil
from pathlib import Path

import httpx

from services.core.evidence.coverage import SETTLE_S as TOLD_AFTER_S
from tests.chaos.observation import CAMERA, Outage, Witness, check, set_up
from tests.chaos.scene import ChaosScene, chaos_scene
from tests.containers.running_system import CAMERA_FOLDER, CAMERA_HOST, RunningSystem
from tests.containers.visitor import logged_in
from tests.containers.watching import check_ports
from tests.fixtures import camera_video
from tests.processes import REPOSITORY, wait_until

CAMERA_URL = f"rtsp://{CAMERA_HOST}:8554/street"
VICTIMS = ("detector", "store")

LIVE_TIMEOUT_S = 40.0
RESTART_TIMEOUT_S = 60.0
STEADY_S = 5.0
"""After this much of the camera's picture, whatever stood in the first one is tracked."""

PLAYED_S = 34.0
"""The camera shows the street from here on: its light has just turned green, and nobody stands on a line.

Seconds in which somebody does are evidence only when he has left it, and lost if his only detector dies."""

BETWEEN_S = 8.0
"""From the end of one outage to the next."""

AFTER_S = 12.0
"""How long the street is watched after the last outage."""


def accept(system: RunningSystem, folder: Path, victims: Sequence[str] = VICTIMS) -> None:
    """Use the system, break it, and judge what it has counted; `folder` is an empty one for the camera."""
    scene = chaos_scene(180)
    prepare_camera(folder, scene.video)
    with logged_in(system) as api:
        began_s = ceil(time.time()) + 1 - PLAYED_S
        with system.camera(folder, camera_command(scene.video, began_s)):
            set_up(api, CAMERA_URL, scene)
            wait_until(lambda: is_live(api), LIVE_TIMEOUT_S, "the camera is live")
            from_s = time.time() + STEADY_S
            check_ports(system, api, CAMERA)
            witness = Witness(api, from_s)
            with witness.watching():
                outages = [strike_at_crossing(system, api, victim, scene, began_s) for victim in victims]
                time.sleep(AFTER_S + TOLD_AFTER_S)
            check(scene, began_s, (from_s, outages[-1].to_s + AFTER_S), api, outages)
            assert not witness.lost, f"shown and gone again: {witness.lost}"


def prepare_camera(folder: Path, video: Path) -> None:
    """Lay what the camera's container runs and plays into a folder."""
    fixtures = REPOSITORY / "tests" / "fixtures"
    for file in (fixtures / "rtsp_camera.py", Path(camera_video.__file__), video):
        shutil.copy(file, folder)
    folder.chmod(0o755)


def camera_command(video: Path, began_s: float) -> list[str]:
    """Give what the camera's container runs."""
    program = ["python", f"{CAMERA_FOLDER}/rtsp_camera.py", f"{CAMERA_FOLDER}/{video.name}"]
    return [*program, "--host", "0.0.0.0", "--path", "/street", "--began", str(began_s)]


def is_live(api: httpx.Client) -> bool:
    """Tell whether the camera's pictures come in."""
    return bool(api.get(f"/api/v1/cameras/{CAMERA}").raise_for_status().json()["status"] == "live")


def strike_at_crossing(
    system: RunningSystem, api: httpx.Client, victim: str, scene: ChaosScene, began_s: float
) -> Outage:
    """Kill a service while an object is at a line."""
    earliest_s = time.time() + BETWEEN_S - began_s
    moment_s = min(crossing.time_s for crossing in scene.crossings if crossing.time_s >= earliest_s)
    time.sleep(max(0.0, began_s + moment_s - time.time()))
    outage = strike(system, api, victim)
    print(outage)
    return outage


def strike(system: RunningSystem, api: httpx.Client, victim: str) -> Outage:
    """Kill a service's container as a power cut would, and wait until its successor works."""
    process, members = system.process_id(victim), alive(api, victim)
    assert process and members, f"{victim} does not run"
    os.kill(process, signal.SIGKILL)
    killed_s = time.time()
    wait_until(
        lambda: system.process_id(victim) not in (0, process), RESTART_TIMEOUT_S, f"{victim} is started again"
    )
    wait_until(lambda: alive(api, victim) - members, RESTART_TIMEOUT_S, f"{victim} is back")
    return Outage(victim, killed_s, time.time())


def alive(api: httpx.Client, service: str) -> set[str]:
    """Give the processes of a service that the others know of."""
    services = api.get("/api/v1/system").raise_for_status().json()["services"]
    return {one["name"] for one in services if one["name"].startswith(f"{service}-")}
