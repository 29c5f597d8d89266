"""Everything that people write for Sightline is read as their editor saves it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from model.data.samples import read_rows
from model.data.sources import sources_of
from services.cli.camera_option import read_address
from services.cli.count_command import count
from services.cli.detect_command import detect
from services.cli.up_settings import UpConfig
from services.common.settings.files import load_settings
from services.common.settings.service import secret_address
from services.web.auth.first_admin import PASSWORD_FILE_VARIABLE, _given

ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-be")
LINE = {"id": "main", "x1": 0.1, "y1": 0.5, "x2": 0.9, "y2": 0.5}
URL = "rtsp://10.0.0.5/stream"


def run(command: object, *arguments: object) -> str:
    app = typer.Typer()
    app.command()(command)  # type: ignore[type-var]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.exception
    return result.stdout


@pytest.fixture(params=ENCODINGS)
def encoding(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def saved(folder: Path, name: str, text: str, encoding: str) -> Path:
    path = folder / name
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    return path


def test_lines_and_detections(tmp_path: Path, encoding: str) -> None:
    place = {"center_x": 0.5, "center_y": 0.5, "width": 0.1, "height": 0.1}
    car = {"class_id": 2, "name": "car\u2028", "relative_coordinates": place, "confidence": 0.9}
    rows = [json.dumps({"frame_id": n, "objects": [car]}, ensure_ascii=False) + "\n" for n in range(5)]
    lines = saved(tmp_path, "lines.json", json.dumps({"lines": [LINE]}, indent=1), encoding)
    found = saved(tmp_path, "found.jsonl", "".join(rows), encoding)
    report = run(count, "--detections", found, "--fps", 10, "--lines", lines, "--json", "-")
    assert json.loads(report)["frames"] == 5


def test_settings_with_cameras(tmp_path: Path, encoding: str) -> None:
    text = f"port: 8081\ncameras:\n  - id: gate\n    name: Straße\n    url: {URL}\n"
    settings = load_settings(UpConfig, saved(tmp_path, "config.yaml", text, encoding), {})
    assert (settings.port, settings.cameras[0].name) == (8081, "Straße")


def test_addresses_and_passwords(tmp_path: Path, encoding: str) -> None:
    address = saved(tmp_path, "address", f"{URL}\n", encoding)
    assert read_address(f"@{address}").url == URL
    assert secret_address("X", URL, "it", {"X_FILE": str(address)}) == URL
    word = saved(tmp_path, "password", "a long new password\n", encoding)
    assert _given({PASSWORD_FILE_VARIABLE: str(word)}) == ("a long new password", str(word))


def test_labels_and_lists(tmp_path: Path) -> None:
    labels = saved(tmp_path, "a.txt", "2 0.5 0.5 0.1 0.1\n", "utf-8-sig")
    assert read_rows(labels).tolist() == [pytest.approx([2, 0.5, 0.5, 0.1, 0.1])]
    saved(tmp_path, "manifest.csv", "file,source\na.jpg,street\n", "utf-8-sig")
    assert sources_of(tmp_path) == {"a": "street"}


@pytest.mark.parametrize("name", ["a:b %03d.png", "[red].png", "\udcff.png"])
def test_pictures_of_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "rtsp:x"
    folder.mkdir()
    is_good, data = cv2.imencode(".png", np.zeros((40, 60, 3), np.uint8))
    assert is_good
    (folder / name).write_bytes(data.tobytes())
    (report,) = json.loads(run(detect, folder, "--save", tmp_path / "saved:x", "--json", "-"))
    assert (report["image"], report["width"]) == (name, 60)
    assert [path.name for path in (tmp_path / "saved:x").iterdir()] == [name]
    run(detect, folder)
