from pathlib import Path

import numpy as np

from model.evaluation.judging import judge
from model.evaluation.predictions import Found
from model.zoo.plots import (
    PlotPoint,
    draw_accuracy,
    draw_confusions,
    draw_histories,
    draw_precision,
    read_history,
)

LABELS = np.array([[0, 0, 0, 40, 40], [1, 100, 0, 140, 40]], np.float32)
JUDGED = [judge(Found(LABELS[:, 1:], np.array([0.9, 0.8], np.float32), np.array([0, 0])), LABELS)]
CLASSES = ("mask", "no_mask")


def draw(folder: Path) -> dict[str, bytes]:
    history = folder / "history.csv"
    folder.mkdir()
    history.write_text("epoch,loss,map50\n1,4.0,\n2,2.0,0.25\n3,1.0,0.5\n")
    rows = {"First": JUDGED, "Second": JUDGED}
    draw_accuracy([PlotPoint("First", 5, 0.5), PlotPoint("Second", 50, 0.7)], folder / "a.svg", "mAP50")
    draw_precision(rows, CLASSES, folder / "p.svg")
    draw_confusions(rows, CLASSES, folder / "c.svg")
    draw_histories({"First": history}, folder / "h.svg", "map50", "mAP50")
    assert read_history(history, "map50") == ([2, 3], [0.25, 0.5])
    return {path.name: path.read_bytes() for path in folder.glob("*.svg")}


def test_the_same_figures_give_the_same_files(tmp_path: Path) -> None:
    first = draw(tmp_path / "first")
    assert first == draw(tmp_path / "second") and len(first) == 4
    texts = {name: content.decode() for name, content in first.items()}
    assert all("First" in text and "<dc:date>" not in text for text in texts.values())
    assert "not found" in texts["c.svg"] and "1.00" in texts["c.svg"]
    assert "no_mask" in texts["p.svg"] and "epoch" in texts["h.svg"]
