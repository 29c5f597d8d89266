"""SSD-ResNet10: the kind of face finder that SSDMNV2 uses, trained here.

Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, on maps of a residual network of ten layers
(He et al., "Deep Residual Learning for Image Recognition", CVPR 2016) at 300x300. Heads, default boxes and
loss are torchvision's.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from model.data.augment import GREY, augment
from model.data.corrections import IGNORED_LABEL
from model.data.samples import Sample
from model.evaluation.predictions import FloatArray, letterbox, to_input
from model.export.writing import METADATA_KEY, write_onnx
from model.files import replacing
from model.zoo.classifiers.training import Answered
from model.zoo.torchvision_ops import import_torchvision

SIDE_PX = 300
WIDTHS = (32, 64, 128, 256)
"""Channels of the four stages."""
DOWN_BY = (8, 16, 32, 64)
"""Picture pixels a place of each map."""
BOX_SCALES = (0.035, 0.09, 0.2, 0.42, 0.85)
"""Sides of the default boxes of each map, and of the one beyond the last, as shares of the picture."""
FACE_RATIO = 1.4
"""Height to width of a default box that fits a face better than a square, and its inverse."""
LARGEST_GROWTH = 4.0
"""Of a default box to a face, as a natural logarithm."""
BATCH = 16
LEARNING_RATE = 1e-3
NAME = "ssd-resnet10"


class ResNet10(nn.Module):
    """Maps of a slim residual network of ten layers, and one more map that is half as fine."""

    def __init__(self) -> None:
        super().__init__()
        block = import_torchvision().models.resnet.BasicBlock
        first = WIDTHS[0]
        stem = (
            nn.Conv2d(3, first, 7, 2, 3, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )
        self.stem = nn.Sequential(*stem, block(first, first))
        self.stages = nn.ModuleList(
            block(before, after, 2, _down(before, after)) for before, after in pairwise(WIDTHS)
        )
        last = WIDTHS[-1]
        self.more = nn.Sequential(
            *(nn.Conv2d(last, last // 2, 1, bias=False), nn.BatchNorm2d(last // 2), nn.ReLU()),
            *(nn.Conv2d(last // 2, last, 3, 2, 1, bias=False), nn.BatchNorm2d(last), nn.ReLU()),
        )

    def forward(self, pictures: Tensor) -> "OrderedDict[str, Tensor]":
        """(B, 3, 300, 300) to four maps."""
        maps, value = [], self.stem(pictures)
        for stage in self.stages:
            value = stage(value)
            maps.append(value)
        maps.append(self.more(value))
        return OrderedDict((str(index), one) for index, one in enumerate(maps))


def _down(before: int, after: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(before, after, 1, 2, bias=False), nn.BatchNorm2d(after))


def build_ssd() -> Any:
    """torchvision's SSD of one class on ResNet10."""
    detection = import_torchvision().models.detection
    boxes = detection.anchor_utils.DefaultBoxGenerator(
        [[FACE_RATIO]] * len(DOWN_BY), scales=list(BOX_SCALES), steps=list(DOWN_BY)
    )
    head = detection.ssd.SSDHead([*WIDTHS[1:], WIDTHS[-1]], boxes.num_anchors_per_location(), 2)
    return detection.ssd.SSD(ResNet10(), boxes, (SIDE_PX, SIDE_PX), 2, head=head)


class FaceRows(nn.Module):
    """An SSD as a detector of this program: (1, 3, 300, 300) RGB 0..1 to rows (1, N, 5)."""

    centres: Tensor
    sides: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self, ssd: Any) -> None:
        super().__init__()
        self.backbone, self.head = ssd.backbone, ssd.head
        picture = torch.zeros(1, 3, SIDE_PX, SIDE_PX)
        images = import_torchvision().models.detection.image_list.ImageList(picture, [(SIDE_PX, SIDE_PX)])
        with torch.no_grad():
            maps = list(ssd.backbone.eval()(picture).values())
            corners = ssd.anchor_generator(images, maps)[0]
        self.register_buffer("centres", (corners[:, :2] + corners[:, 2:]) / 2)
        self.register_buffer("sides", corners[:, 2:] - corners[:, :2])
        self.register_buffer("mean", torch.tensor(ssd.transform.image_mean).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(ssd.transform.image_std).view(1, 3, 1, 1))
        self.place_weights, self.size_weights = ssd.box_coder.weights[:2], ssd.box_coder.weights[2:]

    def forward(self, pictures: Tensor) -> Tensor:
        """Centre x, y, width, height in input pixels, and a score."""
        maps = list(self.backbone((pictures - self.mean) / self.deviation).values())
        said = self.head(maps)
        shift = said["bbox_regression"]
        place = torch.tensor(self.place_weights, dtype=shift.dtype)
        size = torch.tensor(self.size_weights, dtype=shift.dtype)
        centres = self.centres + shift[..., :2] / place * self.sides
        sides = self.sides * (shift[..., 2:] / size).clamp(max=LARGEST_GROWTH).exp()
        return torch.cat((centres, sides, said["cls_logits"].softmax(-1)[..., 1:]), -1)


@dataclass(frozen=True)
class SsdLesson:
    """Pictures with faces as a lesson for the finder. Implements the protocol Lesson."""

    shown: int
    """Pictures in all."""
    train: Sequence[Sample] = field(repr=False)
    val: Sequence[Sample] = field(repr=False)
    batch: int = BATCH
    learning_rate: float = LEARNING_RATE

    @property
    def identity(self) -> Mapping[str, Any]:
        """The network and its input."""
        return {"name": NAME, "side_px": SIDE_PX}

    @property
    def steps(self) -> int:
        """Steps in all, at least one."""
        return max(1, round(self.shown / self.batch))

    @property
    def pool(self) -> int:
        """How many pictures there are."""
        return len(self.train)

    def build(self) -> nn.Module:
        """The network with new weights."""
        network: nn.Module = build_ssd()
        return network

    def answer(self, network: nn.Module, rng: np.random.Generator) -> Answered:
        """torchvision's loss over augmented pictures; ignored faces are covered in grey."""
        drawn = [self.train[int(index)] for index in rng.integers(0, len(self.train), self.batch)]
        loss = _loss(network, [shown_faces(augment([one], SIDE_PX, rng)) for one in drawn])
        return Answered(loss, 0, 0)

    def measure(self, network: nn.Module) -> Mapping[str, float]:
        """The loss on the pictures that measure, which torchvision gives in training mode alone."""
        frozen = [module for module in network.train().modules() if isinstance(module, nn.BatchNorm2d)]
        for module in frozen:
            module.eval()
        losses = []
        with torch.inference_mode():
            for start in range(0, len(self.val), self.batch):
                group = [
                    shown_faces(letterbox(one, SIDE_PX, SIDE_PX))
                    for one in self.val[start : start + self.batch]
                ]
                losses.append((float(_loss(network, group)), len(group)))
        network.eval()
        return {"val_loss": sum(loss * count for loss, count in losses) / len(self.val)}


def shown_faces(labelled: tuple[np.ndarray[Any, Any], FloatArray]) -> tuple[FloatArray, FloatArray]:
    """A picture as network input (3, S, S) and its faces (n, 4); what is to be ignored is grey."""
    picture, labels = labelled
    picture = picture.copy()
    ignored = labels[:, 0] == IGNORED_LABEL
    for box in labels[ignored, 1:]:
        x1, y1, x2, y2 = (max(0, round(float(value))) for value in box)
        picture[y1:y2, x1:x2] = GREY
    return to_input(picture[None])[0], labels[~ignored, 1:]


def _loss(network: nn.Module, group: Sequence[tuple[FloatArray, FloatArray]]) -> Tensor:
    pictures = [torch.from_numpy(picture) for picture, _ in group]
    targets = [
        {"boxes": torch.from_numpy(boxes), "labels": torch.ones(len(boxes), dtype=torch.int64)}
        for _, boxes in group
    ]
    losses: dict[str, Tensor] = network(pictures, targets)
    return torch.stack(list(losses.values())).sum()


def export_ssd(network: nn.Module, path: Path) -> None:
    """Write the finder as ONNX that this program reads as a detector of one class."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {
        "name": NAME,
        "task": "face",
        "classes": ["face"],
        "input": [SIDE_PX, SIDE_PX],
        "confidence": 0.25,
        "iou": 0.45,
    }
    with replacing(path) as partial:
        write_onnx(FaceRows(network).eval(), partial, SIDE_PX, SIDE_PX)
        graph = onnx.load(str(partial))
        onnx.helper.set_model_props(graph, {METADATA_KEY: json.dumps(values)})
        onnx.save(graph, str(partial))
