"""Two processes never both count: one that stood still past its lease wakes up and finds another owner.

NATS loses its disk meanwhile; the long form (`make chaos`) also shows it with a NATS that keeps it.
"""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.chaos.observation import Outage, check, owner_of, set_up
from tests.chaos.scene import chaos_scene
from tests.cluster import Cluster, cluster
from tests.processes import camera, wait_until

DETECTORS = ("detector1", "detector2")
WARM_UP_S = 14.0
FROZEN_S = 9.0
AFTER_S = 26.0
LOSES = (False, True) if "SIGHTLINE_CHAOS_ROUNDS" in os.environ else (True,)
ROUND_S = FROZEN_S + AFTER_S + 8

pytestmark = [pytest.mark.rtsp, pytest.mark.timeout(300)]


def freeze_owner(system: Cluster, *, lose_nats: bool) -> Outage:
    """Stop the owner past its lease, let the other take over, and wake it."""
    owner = owner_of(system, *DETECTORS)
    other = next(name for name in DETECTORS if name != owner)
    system[owner].send(signal.SIGSTOP)
    frozen_s = time.time()
    if lose_nats:
        system.nats.kill()
        system.nats.lose_disk()
        system.nats.start()
    wait_until(lambda: system[other].metric("sightline_cameras_owned"), 20, f"{other} takes over")
    taken_s = time.time()
    time.sleep(max(0.0, frozen_s + FROZEN_S - time.time()))
    system[owner].send(signal.SIGCONT)
    wait_until(lambda: not system[owner].metric("sightline_cameras_owned"), 10, f"{owner} drops the camera")
    print(f"{other} took over {taken_s - frozen_s:.1f} s after {owner} had stopped; lost NATS: {lose_nats}")
    return Outage(owner, frozen_s, taken_s)


def test_a_woken_owner_adds_nothing(tmp_path: Path, rtsp_python: str) -> None:
    scene = chaos_scene(WARM_UP_S + len(LOSES) * ROUND_S + 30)
    with cluster(tmp_path, "ingest", *DETECTORS, "store", "web") as system:
        began_s = float(round(time.time()) + 1)
        with camera(rtsp_python, scene.video, began_s=began_s) as source, system.api as api:
            set_up(api, source.url, scene)
            outages = []
            time.sleep(max(0.0, began_s + WARM_UP_S - time.time()))
            for lose_nats in LOSES:
                outages.append(freeze_owner(system, lose_nats=lose_nats))
                time.sleep(AFTER_S)
            span = (began_s + WARM_UP_S - 2, time.time() - 6)
            check(scene, began_s, span, api, outages)
