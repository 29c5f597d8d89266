"""`sightline bench`: with a video or none as ever, and the comparison of models."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.bench import command
from services.cli.model_commands import load_module
from services.core.errors import BadInputError

RUN = ["models", "--speed", "--size", "n", "--input", "64", "--rounds", "2"]


def run(*arguments: str) -> str:
    """What a command prints; raises what it raises."""
    result = CliRunner().invoke(command.app, arguments, env={"COLUMNS": "100"}, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize(
    ("arguments", "video", "model"),
    [
        ((), None, "traffic-n"),
        (("gate.mp4",), "gate.mp4", "traffic-n"),
        (("--model", "own.onnx", "gate.mp4"), "gate.mp4", "own.onnx"),
        (("frame", "gate.mp4"), "gate.mp4", "traffic-n"),
    ],
)
def test_without_a_name_the_frame_is_measured(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], video: str | None, model: str
) -> None:
    class FakeDetector:
        def __init__(self, path: str) -> None:
            self.info = type("Info", (), {"name": path})

    measured: list[Path] = []

    def measure(path: Path, detector: object) -> list[command.MeasuredCost]:
        measured.append(path)
        return [command.MeasuredCost("decode", 1.25)]

    monkeypatch.setattr(command, "OnnxRuntimeDetector", FakeDetector)
    monkeypatch.setattr(command, "model_path", lambda name: name)
    monkeypatch.setattr(command, "write_video", lambda scene, path: None)
    monkeypatch.setattr(command, "measure", measure)
    shown = run(*arguments)
    assert f"{video or 'demo.mp4'} with {model}" in " ".join(shown.split()) and "1.25" in shown
    assert [path.name for path in measured] == [video or "demo.mp4"]


def test_models_are_compared_by_engine_and_input(tmp_path: Path) -> None:
    file = tmp_path / "speed.json"
    shown = run(*RUN, "--json", str(file))
    assert "gbyolo n" in shown and "yolov5 n" in shown and "64x64" in shown
    assert "median of 2 rounds" in " ".join(shown.split())
    kept = json.loads(file.read_text())
    assert kept["processor"] and kept["threads"] == 1
    for engine, title in kept["engines"].items():
        package, precision = engine.split()
        assert title.startswith(package) and title.endswith(precision) and title in shown
    baseline = kept["speeds"][0]
    assert baseline["architecture"] == "yolov5" and baseline["times_yolov5"] == 1
    for speed in kept["speeds"]:
        assert len(speed["samples_ms"]) == 2 and len(speed["weights_sha256"]) == 64
        assert speed["engine"] in kept["engines"]


def test_an_engine_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    engines = load_module("evaluation.speed")
    monkeypatch.setattr(
        engines, "find_spec", lambda name: None if name == "openvino" else object(), raising=True
    )
    shown = run(*RUN)
    assert "openvino fp32 is left out: openvino is not installed" in shown
    assert "openvino bf16 is left out: openvino is not installed" in shown
    assert "onnxruntime" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["models"], "--speed"),
        (["models", "--speed", "--input", "100"], "100 pixels is no multiple of 32"),
        (["models", "--speed", "--size", "x"], "no size 'x'"),
    ],
)
def test_bad_input(arguments: list[str], message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        run(*arguments)


def test_without_torch_it_says_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [name for name in sys.modules if name.startswith("model.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(BadInputError, match=r"torch is missing: run scripts/setup.sh --train"):
        run(*RUN)
