"""A model of others, with classes of its own, from its file to counts: helmets are counted, heads are not."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import httpx
import numpy as np
import pytest

from tests.foreign_models import BLOCK_PX, COLOURS, HEIGHT, WIDTH, write_block_model
from tests.processes import REPOSITORY, platform, wait_until

FPS, SECONDS, SCALE = 10, 8, 2
RGB = {"helmet": (255, 0, 0), "head": (0, 255, 0), "vest": (0, 0, 255)}
LINE = [[0.5, 0.0], [0.5, 1.0]]


def write_clip(path: Path) -> None:
    """Two helmets go to the right, then a head to the left, all through the middle."""
    size = BLOCK_PX * SCALE
    width, height = WIDTH * SCALE, HEIGHT * SCALE
    passes = [("helmet", 0.0, 1), ("helmet", 2.5, 1), ("head", 5.0, -1)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "crf": "12"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
        stream.time_base = Fraction(1, FPS)
        for number in range(FPS * SECONDS):
            picture = np.full((height, width, 3), 60, np.uint8)
            for name, from_s, sign in passes:
                share = (number / FPS - from_s) / 2.0
                if 0 <= share <= 1:
                    x = round((width - size) * (share if sign > 0 else 1 - share))
                    picture[30 : 30 + size, x : x + size] = RGB[name]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def sightline(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "services.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=120)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clip and the imported model."""
    folder = tmp_path_factory.mktemp("site")
    write_clip(folder / "clip.mp4")
    foreign = write_block_model(folder / "theirs.onnx")
    done = sightline("import-model", foreign, folder / "site.onnx")
    assert "YOLO without objectness" in done.stdout
    return folder


def test_a_file_is_counted_by_the_classes_of_the_model(site: Path) -> None:
    lines = site / "lines.json"
    line = {"id": "middle", "points": LINE, "classes": ["helmet"]}
    lines.write_text(json.dumps({"lines": [line, {"id": "all", "points": LINE}]}))
    done = sightline(
        "count", site / "clip.mp4", "--model", site / "site.onnx", "--lines", lines, "--json", "-"
    )
    found = {one["id"]: (one["forward"], one["backward"]) for one in json.loads(done.stdout)["lines"]}
    assert found == {"middle": ({}, {"helmet": 2}), "all": ({"head": 1}, {"helmet": 2})}
    lines.write_text(json.dumps({"lines": [{**line, "classes": ["car"]}]}))
    refused = sightline(
        "count", site / "clip.mp4", "--model", site / "site.onnx", "--lines", lines, "--json", "-", code=2
    )
    assert "counts car, which model" in refused.stderr
    assert "helmet, head, vest" in refused.stderr


def test_a_camera_counts_by_the_classes_of_its_model(site: Path, tmp_path: Path) -> None:
    model = str(site / "site.onnx")
    with (
        platform(tmp_path / "data", "--model", model, "--camera", f"site={site / 'clip.mp4'}") as up,
        httpx.Client(base_url=f"{up.url}/api/v1/", timeout=20) as api,
    ):
        wait_until(lambda: api.get("cameras/site").status_code == 200, 20, "the camera is there")
        assert api.get("cameras/site").json()["classes"] == [*COLOURS]
        listed = {one["name"]: one for one in api.get("models").json()["items"]}
        assert (listed[model]["task"], listed[model]["classes"]) == ("detect", [*COLOURS])
        assert listed["mask-n"]["task"] == "mask"
        line = {"id": "middle", "points": LINE, "classes": ["helmet"]}
        refused = api.post("cameras/site/lines", json={**line, "classes": ["car"]})
        assert (refused.status_code, refused.json()["code"]) == (422, "line-class-never")
        api.post("cameras/site/lines", json=line).raise_for_status()
        api.post("cameras/site/lines", json={"id": "all", "points": LINE}).raise_for_status()
        wanted = {"camera": "site", "class": "helmet", "bucket": "1d"}

        def counted(**asked: str) -> dict[str, int]:
            answer = api.get("counts", params={**wanted, **asked})
            answer.raise_for_status()
            return answer.json()["total"]["backward"]

        wait_until(lambda: counted(line="middle").get("helmet", 0) >= 2, 60, "helmets are counted")
        wait_until(lambda: counted(line="all", **{"class": "head"}) is not None, 10, "head can be asked for")
        assert set(counted(line="middle")) == {"helmet"}
        crossings = api.get("crossings", params={"camera": "site", "class": "helmet"}).json()["items"]
        assert {(one["class"], one["mask"]) for one in crossings} == {("helmet", None)}
        assert api.get("counts", params={**wanted, "class": "hellmet"}).status_code == 422
