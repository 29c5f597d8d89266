"""`sightline train`, `evaluate` and `export`, one after the other, as a person runs them."""

import signal
from pathlib import Path

import pytest

from model.training.trainer import Trainer
from services.cli.main import main


def status(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr("sys.argv", ["sightline", *map(str, arguments)])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_train_evaluate_and_export(
    yolo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run, model, errors = tmp_path / "run", tmp_path / "squares-n.onnx", tmp_path / "errors"
    settings = ["--task", "mask", "--epochs", "1", "--input-px", "96", "--batch", "4", "--threads", "1"]
    data = ("--data", yolo_folder)
    side = ("--width", "96", "--height", "96", "--half")
    assert status(monkeypatch, "train", *data, "--run", run, *settings) == 0
    assert status(monkeypatch, "export", run / "best.pt", model, *side) == 0
    assert status(monkeypatch, "train", *data, "--run", tmp_path / "again", "--init", model, *settings) == 0
    assert status(monkeypatch, "evaluate", model, *data, "--errors", errors) == 0
    shown = capsys.readouterr().out
    assert "| no_mask | 1 |" in shown and "| missed: an object that nothing overlaps |" in shown
    assert (errors / "errors.csv").read_text().startswith("kind,")
    assert status(monkeypatch, "evaluate", model, *data, "--split", "test", "--errors", errors) == 2
    assert "chooses nothing" in capsys.readouterr().err


def test_a_stopped_training_says_so_and_goes_on(
    yolo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step = Trainer.train_batch

    def interrupted(trainer: Trainer, *arguments: object) -> object:
        signal.raise_signal(signal.SIGTERM)
        return step(trainer, *arguments)  # type: ignore[arg-type]

    settings = ["--task", "mask", "--epochs", "4", "--input-px", "96", "--batch", "4", "--threads", "1"]
    command = ("train", "--data", yolo_folder, "--run", tmp_path / "run", *settings)
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train_batch", interrupted)
        assert status(monkeypatch, *command) == 130
    shown = capsys.readouterr()
    assert "stopped before its end, the same command goes on" in shown.err and not shown.out
    assert (tmp_path / "run" / "checkpoint.pt").is_file()
    assert status(monkeypatch, *command) == 0
    shown = capsys.readouterr()
    assert "stopped" not in shown.err and "best.pt" in shown.out
