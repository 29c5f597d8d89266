"""A recording of dense traffic played by a camera over RTSP and counted live, frame by frame."""

import json
import time
from pathlib import Path

import httpx
import pytest

from tests.machine import others
from tests.processes import camera, platform, wait_until

TOLERANCE = 0.15
"""Share by which a live pass may differ: the jump from end to start cuts tracks near a line."""


@pytest.mark.data
@pytest.mark.rtsp
def test_dense_traffic_is_counted_live(tmp_path: Path, rtsp_python: str, test_data: Path):
    clips = json.loads((test_data / "clips" / "counts.json").read_text())["clips"]
    clip = next(c for c in clips if c["file"] == "stuttgart-crossing.mp4")
    with (
        camera(rtsp_python, test_data / "clips" / clip["file"]) as source,
        platform(tmp_path / "data", "--camera", f"gate={source.url}") as up,
        httpx.Client(base_url=f"{up.url}/api/v1/", timeout=20) as api,
    ):
        wait_until(lambda: api.get("cameras/gate").status_code == 200, 20, "the camera is there")
        api.patch("cameras/gate", json={"fps": clip["fps"]}).raise_for_status()
        for line in clip["lines"]:
            points = [[line["x1"], line["y1"]], [line["x2"], line["y2"]]]
            api.post("cameras/gate/lines", json={"id": line["id"], "points": points}).raise_for_status()
        wait_until(lambda: api.get("cameras/gate").json()["status"] == "live", 30, "live")
        from_s = time.time() + 3
        with others() as busy:
            time.sleep(3 + clip["seconds"] + 4)
        span = {"from": moment(from_s), "to": moment(from_s + clip["seconds"])}
        for line in clip["lines"]:
            answer = api.get("counts", params={"camera": "gate", "line": line["id"], "bucket": "1d", **span})
            total = answer.json()["total"]
            counted = sum(total["forward"].values()) + sum(total["backward"].values())
            covered = answer.json()["coverage"]
            print(f"{line['id']}: true {line['total']}, counted live {counted}, covered {covered:.2f}")
            busy.require_time(covered, 0.9)
            missing = TOLERANCE + 1 - covered
            assert -missing * line["total"] - 1 <= counted - line["total"] <= TOLERANCE * line["total"] + 1


def moment(time_s: float) -> str:
    milliseconds = round(time_s * 1000) % 1000
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time_s)) + f".{milliseconds:03d}Z"
