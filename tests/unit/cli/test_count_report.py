"""What `sightline count` writes of its lines."""

import json
from pathlib import Path

import typer
from typer.testing import CliRunner

from services.cli.count_command import count

PLACE = {"center_x": 0.5, "width": 0.1, "height": 0.1}


def _detections(folder: Path) -> Path:
    """A car that goes from the top of the picture to its bottom."""
    rows = []
    for frame in range(40):
        place = PLACE | {"center_y": 0.1 + frame * 0.02}
        car = {"class_id": 2, "name": "car", "relative_coordinates": place, "confidence": 0.9}
        rows.append(json.dumps({"frame_id": frame, "objects": [car]}))
    path = folder / "car.jsonl"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_names_of_directions_stand_beside_the_counts(tmp_path: Path) -> None:
    named = {"id": "main", "x1": 0.1, "y1": 0.5, "x2": 0.9, "y2": 0.5, "forward_name": "in"}
    plain = {"id": "plain", "points": [[0.1, 0.6], [0.9, 0.6]]}
    lines, report = tmp_path / "LINES.json", tmp_path / "out.json"
    lines.write_text(json.dumps({"lines": [named, plain]}), encoding="utf-8")
    app = typer.Typer()
    app.command()(count)
    arguments = ["--detections", _detections(tmp_path), "--fps", 10, "--lines", lines, "--json", report]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    assert "forward (in)" in result.output
    found = json.loads(report.read_text(encoding="utf-8"))["lines"]
    assert [(item["forward"], item["backward"]) for item in found] == [({"car": 1}, {})] * 2
    assert [(item["forward_name"], item["backward_name"]) for item in found] == [("in", None), (None, None)]
