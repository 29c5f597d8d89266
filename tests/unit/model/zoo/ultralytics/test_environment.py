"""Ultralytics in its own environment: GB-YOLO as its definitions, and its detectors as rows of a table."""

import csv
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from model.data.samples import DataSource
from model.evaluation.evaluate import load_onnx
from model.zoo.rival import Schedule
from model.zoo.ultralytics.rivals import UltralyticsRival, rivals
from tests.parcels import write_parcels

DEFINITIONS = """
import sys
from model.network.build import build
from model.zoo.ultralytics.plugin import STAND_INS, definition
from ultralytics import YOLO
from ultralytics.nn import tasks
for size in "ns":
    theirs, ours = YOLO(definition(size)).model.model[:-1], build("gbyolo", size, 1)
    parts = (theirs, ours.backbone, ours.neck)
    counts = [sum(value.numel() for value in part.parameters()) for part in parts]
    assert counts[0] == counts[1] + counts[2], counts
assert all(getattr(tasks, name) is not module for name, module in STAND_INS.values())
YOLO("yolo11n" + ".yaml")
import os
from ultralytics.utils import ONLINE, AUTOINSTALL, SETTINGS, USER_CONFIG_DIR
assert not ONLINE and not AUTOINSTALL and not SETTINGS["sync"]
assert str(USER_CONFIG_DIR).startswith(sys.prefix)
"""
AGAIN = """
import sys
from model.zoo.ultralytics import plugin
from ultralytics import YOLO
model = YOLO(sys.argv[1])
names = {type(module).__name__ for module in model.model.modules()}
assert {"GhostStack", "WeightedAdd"} <= names, names
settings = {"imgsz": 64, "workers": 0, "device": "cpu", "plots": False, "project": sys.argv[3]}
assert 0 <= model.val(data=sys.argv[2], **settings).box.map50 <= 1
pictures = sys.argv[2].replace("data.yaml", "images/val")
found = model.predict(pictures, imgsz=64, device="cpu", verbose=False, conf=0)
assert len(found) == 12 and all(one.boxes.shape[1] == 6 for one in found)
print(model.export(format="onnx", imgsz=64))
"""


def _done(*words: str | Path) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parcels")
    write_parcels(folder)
    return folder / "parcels"


def test_the_definitions_are_our_networks_and_it_keeps_to_itself(ultralytics_environment: Path) -> None:
    _done(ultralytics_environment / "bin" / "python", "-c", DEFINITIONS)


def test_a_training_is_taken_up_in_a_fresh_process(
    ultralytics_environment: Path, parcels: Path, tmp_path: Path
) -> None:
    data, best = parcels / "data.yaml", tmp_path / "run" / "weights" / "best.pt"
    words = ("imgsz=64", "epochs=1", "batch=8", "workers=0", "device=cpu", "plots=False", "name=run")
    yolo = ultralytics_environment / "bin" / "yolo"
    _done(yolo, "train", "model=gbyolo-n.yaml", f"data={data}", f"project={tmp_path}", *words)
    _done(ultralytics_environment / "bin" / "python", "-c", AGAIN, best, data, tmp_path)
    assert best.with_suffix(".onnx").stat().st_size > 1_000_000


class _KilledError(Exception):
    pass


def _train(rival: UltralyticsRival, source: Path, run: Path, killed_at: float = 2.0) -> list[float]:
    shares: list[float] = []

    def step(share: float) -> None:
        shares.append(share)
        if share >= killed_at:
            raise _KilledError

    rival.train([DataSource(source)], run, Schedule(40, 64), step)
    return shares


def test_a_row_is_trained_goes_on_after_a_kill_and_computes_here(
    ultralytics_environment: Path, yolo_folder: Path, tmp_path: Path
) -> None:
    rival, run = rivals()[0], tmp_path / "yolo26-n"
    with pytest.raises(_KilledError):
        _train(rival, yolo_folder, run, killed_at=0.35)
    run = run.rename(tmp_path / "moved")
    shares = _train(rival, yolo_folder, run)
    assert not (tmp_path / "yolo26-n").exists()
    assert shares[0] >= 0.2 and shares == sorted(shares) and shares[-1] == 1
    history = list(csv.DictReader((run / "history.csv").open()))
    assert [int(row["epoch"]) for row in history] == list(range(1, 11))
    assert all(float(row["loss"]) > 0 and 0 <= float(row["map50"]) <= 1 for row in history)
    rival.load(run)
    picture = cv2.imread(str(yolo_folder / "images" / "val" / "square8.png"))
    found = rival.predict(np.asarray(picture, np.uint8))
    assert found.boxes.shape == (len(found.scores), 4) and (found.scores >= 0.01).all()
    assert 2_000_000 < rival.cost().parameters < 3_000_000
    rival.export(tmp_path / "row.onnx")
    model = load_onnx(tmp_path / "row.onnx")
    output = model.predict(np.zeros((1, 3, 64, 64), np.float32))
    assert output.shape[2] == 7 and model.classes == ("mask", "no_mask", "mask_incorrect")
    assert not (run / "pictures").exists()
    assert _train(rival, yolo_folder, run) == [1.0]
