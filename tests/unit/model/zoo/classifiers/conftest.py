"""Small faces that differ by class alone: a light patch low, high, or at the side of a dark square."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from model.data.samples import Sample
from model.zoo.classifiers.crops import FaceCrop, cut_all

PLACES = ((30, 55, 70, 75), (30, 20, 70, 40), (20, 25, 38, 75))
"""Of the patch in a face of 100 pixels, by class."""


def face_sample(index: int, side_px: int = 100) -> Sample:
    """A noisy picture with one face, of the class index % 3."""
    rng = np.random.default_rng(index)
    picture = rng.integers(0, 256, (side_px, side_px, 3), np.uint8)
    x, y = (int(value) for value in rng.integers(0, side_px - 60, 2))
    label = index % 3
    face = picture[y : y + 60, x : x + 60]
    soft = rng.integers(0, 90, (5, 5, 3), np.uint8)
    face[:] = cv2.resize(soft, (60, 60), interpolation=cv2.INTER_LINEAR)
    x1, y1, x2, y2 = (round(value * 0.6) for value in PLACES[label])
    face[y1:y2, x1:x2] = 220
    return Sample(
        f"face{index}", picture, np.array([[label, x, y, x + 60, y + 60]], np.float32), file=f"f/{index}"
    )


@pytest.fixture(scope="session")
def faces() -> list[Sample]:
    return [face_sample(index) for index in range(24)]


@pytest.fixture(scope="session")
def crops(faces: list[Sample]) -> list[FaceCrop]:
    return cut_all(faces)


@pytest.fixture(scope="session")
def face_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A YOLO folder of faces: twelve to train on, six in its folder val."""
    folder = tmp_path_factory.mktemp("faces") / "faces"
    for split, numbers in (("train", range(12)), ("val", range(20, 29))):
        (folder / "images" / split).mkdir(parents=True)
        (folder / "labels" / split).mkdir(parents=True)
        for number in numbers:
            sample = face_sample(number)
            cv2.imwrite(str(folder / "images" / split / f"{sample.name}.png"), sample.picture)
            label, *corners = (float(value) for value in sample.labels[0])
            x1, y1, x2, y2 = (value / 100 for value in corners)
            row = f"{int(label)} {(x1 + x2) / 2:.4f} {(y1 + y2) / 2:.4f} {x2 - x1:.4f} {y2 - y1:.4f}\n"
            (folder / "labels" / split / f"{sample.name}.txt").write_text(row)
    return folder
