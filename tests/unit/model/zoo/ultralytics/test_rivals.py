"""What Ultralytics' rows do in our environment: data for it, the cost of its files, words without it."""

import json
from pathlib import Path

import numpy as np
import pytest

from model.data.samples import DataSource
from model.export.writing import write_onnx
from model.network.build import build, multiplications
from model.zoo.rival import Schedule
from model.zoo.ultralytics import rivals
from model.zoo.ultralytics.data import write_data
from model.zoo.ultralytics.onnx_cost import onnx_cost
from services.core.errors import BadInputError

CLASSES = ("mask", "no_mask", "mask_incorrect")


def test_data_is_written_with_our_splits_labels_and_weights(yolo_folder: Path, tmp_path: Path) -> None:
    labels = yolo_folder / "labels" / "train" / "square1.txt"
    labels.write_text(f"-1 0.5 0.5 0.1 0.1\n{labels.read_text()}")
    folder = tmp_path / "data"
    for _ in range(2):
        write_data(folder, [DataSource(yolo_folder, 2.0)], CLASSES, {2: 3.0})
    data = json.loads((folder / "data.yaml").read_text())
    assert data["names"] == dict(zip("012", CLASSES, strict=True))
    training = [Path(line) for line in (folder / data["train"]).read_text().splitlines()]
    validation = (folder / data["val"]).read_text().splitlines()
    assert len(training) == 8 and all(path.is_file() for path in training)
    assert {Path(line).stem for line in validation} < {f"squares-square{number}" for number in range(8, 12)}
    kept = (folder / "labels" / "train" / "squares-square1.txt").read_text().split()
    assert len(kept) == 5 and np.allclose(
        [float(one) for one in kept], [float(one) for one in labels.read_text().split()[5:]], atol=1e-6
    )
    weights = json.loads((folder / "weights.json").read_text())
    assert [weights[str(path)] for path in training] == [2, 2, 6, 2, 2, 6, 2, 2]


def test_pictures_have_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no pictures of the split train"):
        write_data(tmp_path / "data", [DataSource(tmp_path)], CLASSES, {})


def test_a_file_costs_what_its_network_does(tmp_path: Path) -> None:
    network, path = build("gbyolo", "n", 3).eval(), tmp_path / "model.onnx"
    gflops = 2 * multiplications(network, 96, 64) / 1e9
    write_onnx(network.fuse(), path, width=96, height=64)
    cost = onnx_cost(path)
    fusions = sum(value.numel() for name, value in network.named_parameters() if name.endswith("raw_weights"))
    assert cost.gflops == pytest.approx(gflops)
    assert cost.parameters == sum(value.numel() for value in network.parameters()) - fusions
    assert cost.size_bytes == path.stat().st_size


def test_the_command_that_installs_it_is_named(
    yolo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rivals, "PYTHON", tmp_path / "none")
    for rival in rivals.rivals():
        with pytest.raises(BadInputError, match=r"scripts/setup.sh --ultralytics"):
            rival.train([DataSource(yolo_folder)], tmp_path / rival.name, Schedule(8, 64), lambda share: None)


def test_weights_come_before_pictures(tmp_path: Path) -> None:
    names = [rival.name for rival in rivals.rivals()]
    assert names == ["yolo26-n", "yolo26-s", "yolo11-n"]
    rival = rivals.rivals()[0]
    with pytest.raises(BadInputError, match="YOLO26n has no weights"):
        rival.predict(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(BadInputError, match="holds no trained YOLO26n"):
        rival.load(tmp_path)
