"""Tiny labelled pictures: bright squares on a dark ground, so that a network learns them in seconds."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from model.data.samples import Sample
from model.network.build import TaskHead
from model.network.checkpoint import CheckpointDescription, Progress, write_checkpoint
from services.core.types import MASK_CLASSES


def square_sample(index: int, side_px: int = 96) -> Sample:
    rng = np.random.default_rng(index)
    picture = rng.integers(0, 60, (side_px, side_px, 3), np.uint8)
    box_px = int(rng.integers(24, 48))
    x, y = (int(value) for value in rng.integers(0, side_px - box_px, 2))
    cv2.rectangle(picture, (x, y), (x + box_px, y + box_px), (240, 240, 240), -1)
    labels = np.array([[index % 3, x, y, x + box_px, y + box_px]], np.float32)
    return Sample(f"square{index}", picture, labels)


@pytest.fixture
def squares() -> list[Sample]:
    return [square_sample(index) for index in range(16)]


@pytest.fixture
def yolo_folder(tmp_path: Path) -> Path:
    """A YOLO folder of eight squares to train on and four to evaluate on."""
    folder = tmp_path / "squares"
    for split, numbers in (("train", range(8)), ("val", range(8, 12))):
        (folder / "images" / split).mkdir(parents=True)
        (folder / "labels" / split).mkdir(parents=True)
        for number in numbers:
            sample = square_sample(number)
            cv2.imwrite(str(folder / "images" / split / f"{sample.name}.png"), sample.picture)
            values = sample.labels[0]
            centre, sides = (values[1:3] + values[3:]) / 2 / 96, (values[3:] - values[1:3]) / 96
            text = " ".join(f"{value:.6f}" for value in (*centre, *sides))
            (folder / "labels" / split / f"{sample.name}.txt").write_text(f"{int(values[0])} {text}\n")
    return folder


@pytest.fixture(scope="session")
def random_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mask detector that learned nothing, whose scores and boxes are spread as those of one that did."""
    torch.manual_seed(0)
    description = CheckpointDescription("gbyolo", "n", (TaskHead("mask", MASK_CLASSES),), 96, "test")
    network = description.build()
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:  # the head
                torch.nn.init.zeros_(module.bias)
                module.weight.data *= 0.1
    path = tmp_path_factory.mktemp("random") / "checkpoint.pt"
    write_checkpoint(path, description, Progress(), network.state_dict())
    return path
