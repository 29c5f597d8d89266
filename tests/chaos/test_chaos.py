"""Exactly once, shown: each part of the system is killed with -9 while an object is on or near a line.

`SIGHTLINE_CHAOS_ROUNDS` (2; `make chaos`: 10) and `SIGHTLINE_CHAOS_SEED` choose how often and when.
"""

import os
import random
import time
from pathlib import Path

import pytest

from tests.chaos.observation import Outage, Witness, check, owner_of, set_up
from tests.chaos.scene import ChaosScene, chaos_scene
from tests.cluster import Cluster, cluster
from tests.processes import camera, wait_until

ROUNDS = int(os.environ.get("SIGHTLINE_CHAOS_ROUNDS", "2"))
SEED = int(os.environ.get("SIGHTLINE_CHAOS_SEED", "1"))
ROUND_S = 24.0
WARM_UP_S = 12.0
SETTLE_S = 12.0
"""Long enough after the last round for the newest seconds to be durable."""

DETECTORS = ("detector1", "detector2")
VICTIMS = ("detector", "ingest", "store", "web", "mongodb", "nats")

pytestmark = [pytest.mark.rtsp, pytest.mark.timeout(900)]


def strike(system: Cluster, victim: str, outage_s: float) -> Outage:
    """Kill a part at once, wait, and start it again."""
    if victim == "detector":
        victim = owner_of(system, *DETECTORS)
    part = {"mongodb": system.database, "nats": system.nats}.get(victim) or system[victim]
    part.kill()
    killed_s = time.time()
    time.sleep(outage_s)
    part.start()
    back_s = time.time()
    if victim in system.services:
        wait_until(system[victim].is_ready, 30, f"{victim} is ready again")
    return Outage(victim, killed_s, back_s)


def victims(random_: random.Random) -> list[str]:
    """Give who is killed in each round: everybody once before anybody twice."""
    chosen: list[str] = []
    while len(chosen) < ROUNDS:
        chosen += random_.sample(VICTIMS, len(VICTIMS))
    return chosen[:ROUNDS]


def play_rounds(system: Cluster, scene: ChaosScene, began_s: float) -> list[Outage]:
    random_ = random.Random(SEED)
    played = []
    for number, victim in enumerate(victims(random_)):
        earliest_s = WARM_UP_S + number * ROUND_S
        following = sorted(c.time_s for c in scene.crossings if c.time_s >= earliest_s)
        moment_s = random_.choice(following[:6]) + random_.uniform(-0.4, 0.4)
        time.sleep(max(0.0, began_s + moment_s - time.time()))
        played.append(strike(system, victim, random_.uniform(1.0, 4.0)))
        print(f"round {number + 1}: {played[-1]}")
        time.sleep(max(0.0, began_s + earliest_s + ROUND_S - time.time()))
    return played


def test_every_crossing_outside_the_gaps_counts_once(tmp_path: Path, rtsp_python: str) -> None:
    scene = chaos_scene(WARM_UP_S + ROUNDS * ROUND_S + SETTLE_S + 10)
    with cluster(tmp_path, "ingest", *DETECTORS, "store", "web") as system:
        began_s = float(round(time.time()) + 1)
        with camera(rtsp_python, scene.video, began_s=began_s) as source, system.api as api:
            set_up(api, source.url, scene)
            witness = Witness(api, began_s)
            with witness.watching():
                rounds = play_rounds(system, scene, began_s)
                time.sleep(SETTLE_S)
                wait_until(lambda: system["web"].is_ready(), 30, "web is ready")
            from_s, to_s = began_s + WARM_UP_S - 2, rounds[-1].to_s + SETTLE_S
            check(scene, began_s, (from_s, to_s), api, rounds)
            assert not witness.lost, f"shown and gone again: {witness.lost}"
