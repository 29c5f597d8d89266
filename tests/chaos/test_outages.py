"""MongoDB or NATS away for a while: analysis goes on, and afterwards nothing is missing.

`SIGHTLINE_OUTAGE_S` (8; `make chaos`: 60) says for how long.
"""

import os
import time
from pathlib import Path

import pytest

from tests.chaos.observation import check, gaps, set_up
from tests.chaos.scene import chaos_scene
from tests.cluster import cluster
from tests.processes import camera, wait_until

OUTAGE_S = float(os.environ.get("SIGHTLINE_OUTAGE_S", "8"))
WARM_UP_S = 14.0
AFTER_S = 14.0

pytestmark = [pytest.mark.rtsp, pytest.mark.timeout(400)]


def test_nothing_is_missing_after_an_outage(tmp_path: Path, rtsp_python: str) -> None:
    scene = chaos_scene(WARM_UP_S + 2 * (OUTAGE_S + AFTER_S) + 60)
    with cluster(tmp_path, "ingest", "detector", "store", "web") as system:
        began_s = float(round(time.time()) + 1)
        with camera(rtsp_python, scene.video, began_s=began_s) as source, system.api as api:
            set_up(api, source.url, scene)
            time.sleep(max(0.0, began_s + WARM_UP_S - time.time()))
            from_s = time.time()
            for name, part in (("MongoDB", system.database), ("NATS", system.nats)):
                part.kill()
                time.sleep(OUTAGE_S)
                part.start()
                wait_until(lambda: system["store"].is_ready(), 30, f"the store has {name} again")
                time.sleep(AFTER_S)
            to_s = time.time() - 10
            check(scene, began_s, (from_s, to_s), api, [])
            assert not gaps(api, from_s, to_s)
            assert system["detector"].metric("sightline_events_dropped_total") == 0
