import csv
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn

from model.data.samples import DataSource, Sample
from model.evaluation.evaluate import load_onnx
from model.evaluation.predictions import to_input
from model.export.reading import read_export, unfold
from model.export.writing import ExportConfig, export_model
from model.network.build import Architecture, Size
from model.network.checkpoint import read_checkpoint
from model.training.config import TrainConfig
from model.training.starting import widen
from model.training.train import train
from model.training.trainer import Trainer
from services.core.errors import BadInputError, ConflictError
from services.core.model_classes import TASK_CLASSES


def config(folder: Path, run: Path, **changes: object) -> TrainConfig:
    values = {"task": "mask", "input_px": 96, "batch": 4, "minutes": None, "epochs": 1, "threads": 1}
    return TrainConfig((DataSource(folder),), run, **(values | changes))  # type: ignore[arg-type]


@pytest.fixture(params=["gbyolo", "gbyolo-concat", "yolov5"])
def exported(request: pytest.FixtureRequest, yolo_folder: Path, tmp_path: Path) -> Path:
    architecture: Architecture = request.param
    run = train(config(yolo_folder, tmp_path / "run", architecture=architecture))
    export_model(ExportConfig(run / "best.pt", tmp_path / "squares-n.onnx", width=96, height=96))
    return tmp_path / "squares-n.onnx"


def test_an_exported_file_unfolds_to_a_network_that_computes_the_same(
    exported: Path, squares: list[Sample]
) -> None:
    pictures = to_input(np.stack([sample.picture for sample in squares]))
    network = unfold(read_export(exported), torch.from_numpy(pictures[8:]))
    with torch.inference_mode():
        output = network(torch.from_numpy(pictures[:8])).numpy()
    assert np.abs(output - load_onnx(exported).predict(pictures[:8])).max() < 0.05
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms and all(norm.running_var.std() > 0 for norm in norms if norm.running_var is not None)


@pytest.mark.parametrize("size", ["n", "s"])
def test_a_training_starts_from_an_exported_file_of_its_size_or_a_smaller_one(
    exported: Path, size: Size, yolo_folder: Path, squares: list[Sample], tmp_path: Path
) -> None:
    description = read_export(exported).description
    settings = config(
        yolo_folder, tmp_path / "next", init=exported, architecture=description.architecture, size=size
    )
    trainer = Trainer(settings, {"mask": squares}, {"mask": squares[:4]}, "test")
    assert trainer.description.heads == description.heads
    assert description.heads[0].classes == TASK_CLASSES["mask"]
    pictures = to_input(np.stack([sample.picture for sample in squares[:4]]))
    network = trainer.network.detector("mask").eval()
    with torch.inference_mode():
        output = network(torch.from_numpy(pictures)).numpy()
    assert np.abs(output - load_onnx(exported).predict(pictures)).max() < 0.05


def test_a_training_starts_from_no_other_architecture_and_no_larger_size(
    yolo_folder: Path, squares: list[Sample], tmp_path: Path
) -> None:
    run = train(config(yolo_folder, tmp_path / "run", size="s"))
    settings = config(yolo_folder, tmp_path / "next", init=run / "best.pt")
    for changed in (settings, replace(settings, size="s", architecture="yolov5")):
        with pytest.raises(ConflictError, match="another architecture, or of a larger size"):
            Trainer(changed, {"mask": squares}, {"mask": squares[:4]}, "test")


def test_the_mean_of_start_and_end_becomes_the_best_when_it_is(
    yolo_folder: Path, squares: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = train(config(yolo_folder, tmp_path / "run"))
    run = tmp_path / "next"
    settings = config(yolo_folder, run, init=first / "best.pt")
    trainer = Trainer(settings, {"mask": squares}, {"mask": squares[:4]}, "test")
    start = read_checkpoint(run / "start.pt")["averaged"]
    end = {name: value + value.is_floating_point() for name, value in start.items()}
    trainer.averaged.state = end
    trainer.progress.best_map = 0.5
    name = next(name for name, value in start.items() if value.is_floating_point())

    def half_way_is_best(weights: dict[str, torch.Tensor]) -> dict[str, SimpleNamespace]:
        share = float((weights[name] - start[name]).mean())
        return {"mask": SimpleNamespace(map50=share, map50_95=1 - abs(share - 0.5))}

    monkeypatch.setattr(trainer, "evaluate", half_way_is_best)
    blends = trainer.blend_with_start()
    assert [round(one.map50, 3) for one in blends] == [0, 0.25, 0.5, 0.75, 1]
    best = read_checkpoint(run / "best.pt")["averaged"]
    assert torch.allclose(best[name], start[name] + 0.5, atol=1e-5)
    assert read_checkpoint(run / "checkpoint.pt")["averaged"][name].equal(end[name])
    trainer.progress.best_map = 2.0
    (run / "best.pt").unlink()
    trainer.blend_with_start()
    assert not (run / "best.pt").exists()


def test_a_training_tells_of_the_means_with_its_start(yolo_folder: Path, tmp_path: Path) -> None:
    first = train(config(yolo_folder, tmp_path / "run"))
    assert not (first / "blends.csv").exists()
    said = Console(file=StringIO(), width=100)
    run = train(config(yolo_folder, tmp_path / "next", init=first / "best.pt"), console=said)
    rows = list(csv.DictReader((run / "blends.csv").open()))
    assert [row["share"] for row in rows] == ["0.0", "0.25", "0.5", "0.75", "1.0"]
    last = list(csv.DictReader((run / "metrics.csv").open()))[-1]
    assert rows[-1]["map50_95"] == last["map50_95"]
    assert isinstance(said.file, StringIO)
    assert "0.50 of the start, 0.50 of the end: mAP50 " in said.file.getvalue()


def test_copied_channels_share_a_weight_by_chance() -> None:
    narrow = {"weight": torch.randn(4, 4, 3, 3), "bias": torch.randn(4), "depthwise": torch.randn(4, 1, 3, 3)}
    shapes = {"weight": torch.empty(6, 8, 3, 3), "bias": torch.empty(6), "depthwise": torch.empty(8, 1, 3, 3)}
    wide = widen(narrow, shapes)
    assert wide["bias"].equal(narrow["bias"][[0, 0, 1, 2, 2, 3]])
    assert wide["depthwise"].equal(narrow["depthwise"].repeat_interleave(2, 0))
    shares = wide["weight"].reshape(6, 4, 2, 3, 3)
    torch.testing.assert_close(shares.sum(2), narrow["weight"][[0, 0, 1, 2, 2, 3]])
    assert (shares[:, :, 0] - shares[:, :, 1]).abs().min() > 0


def test_other_files_are_no_start(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no model"):
        read_export(tmp_path / "none.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(BadInputError, match="no ONNX file"):
        read_export(tmp_path / "broken.onnx")
