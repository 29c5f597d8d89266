"""Checkpoints of Ultralytics become models of ours, by their own program in its own environment."""

import subprocess
from pathlib import Path

import pytest

from model.importing.checkpoint import ENVIRONMENT
from services.cli.import_command import import_model_command
from services.detector.infer.models import read_info

PYTHON = ENVIRONMENT / "bin" / "python"
MAKE = """
import sys
import model.zoo.ultralytics.plugin
from ultralytics import YOLO
network = YOLO(sys.argv[1] + ".yaml")
network.model.names = {0: "helmet", 1: "head", **{number: f"other {number}" for number in range(2, 80)}}
network.save(sys.argv[2])
"""


@pytest.mark.skipif(not PYTHON.exists(), reason="Ultralytics' environment is absent")
@pytest.mark.parametrize(
    ("name", "layout"), [("yolov8n", "YOLO without objectness"), ("yolo26n", "rows of box, score and class")]
)
def test_a_checkpoint_becomes_a_model(
    name: str, layout: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, output = tmp_path / f"{name}.pt", tmp_path / "ours.onnx"
    made = subprocess.run(
        [str(PYTHON), "-c", MAKE, name, str(checkpoint)], cwd=tmp_path, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr[-2000:]
    import_model_command(
        checkpoint,
        output,
        classes=None,
        names=None,
        size="160x96",
        confidence=0.25,
        picture=None,
        normalize=None,
        bgr=None,
        boxes=None,
        first_label=None,
        trust=True,
    )
    info = read_info(output)
    assert (info.classes[0], len(info.classes)) == ("helmet", 80)
    assert (info.input_width, info.input_height) == (160, 96)
    assert layout in " ".join(capsys.readouterr().out.split())
