"""The networks that classify crops: input (N, 3, S, S) RGB from 0 to 1, output (N, classes) logits.

Each brings the light of its input into the form that it wants, so that all take the same. Layers whose size
follows in the papers from an input of 224 pixels have here the size that follows from the input they get.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from model.zoo.torchvision_ops import import_torchvision
from services.core.types import MASK_CLASSES

CLASS_COUNT = len(MASK_CLASSES)
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the colours of photographs, as torchvision's networks want them (ImageNet)."""
GREY_SHARES = (0.299, 0.587, 0.114)
"""Of red, green and blue in brightness (ITU-R BT.601)."""


class Colours(nn.Module):
    """Colours less their mean, by their deviation."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1))

    def forward(self, crops: Tensor) -> Tensor:
        """(N, 3, S, S) as such."""
        scaled: Tensor = (crops - self.mean) / self.deviation
        return scaled


class Brightness(nn.Module):
    """Brightness from -1 to 1."""

    shares: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("shares", torch.tensor(GREY_SHARES).view(1, 3, 1, 1))

    def forward(self, crops: Tensor) -> Tensor:
        """(N, 3, S, S) as (N, 1, S, S)."""
        grey: Tensor = (crops * self.shares).sum(1, keepdim=True)
        return 2 * grey - 1


class EvenLight(nn.Module):
    """Brightness without the slope of the light across the window, by its deviation.

    The slope is that of the plane that fits best, as in Rowley et al., "Neural Network-Based Face Detection",
    IEEE PAMI 20, 1998, who then flattened the histogram; here the deviation is made 1.
    """

    basis: Tensor

    def __init__(self, side_px: int) -> None:
        super().__init__()
        along = torch.linspace(-1, 1, side_px)
        rows, columns = torch.meshgrid(along, along, indexing="ij")
        plane = torch.stack((torch.ones_like(rows), rows, columns), -1).view(-1, 3)
        basis, _ = torch.linalg.qr(plane)
        self.register_buffer("basis", basis)
        self.brightness = Brightness()

    def forward(self, crops: Tensor) -> Tensor:
        """(N, 3, S, S) as (N, S * S)."""
        grey = self.brightness(crops).flatten(1)
        even = grey - (grey @ self.basis) @ self.basis.T
        lit: Tensor = even / (even.square().mean(1, keepdim=True) + 1e-4).sqrt()
        return lit


def mobilenetv2(side_px: int, classes: int, width: float = 1.0) -> nn.Module:
    """MobileNetV2 with SSDMNV2's head; its average pooling, there of 7x7, takes the whole map here too."""
    models = import_torchvision().models
    network = models.mobilenet_v2(weights=None, width_mult=width)
    features = network.last_channel
    return nn.Sequential(
        Colours(),
        network.features,
        nn.AvgPool2d(side_px // 32),
        nn.Flatten(),
        nn.Linear(features, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, classes),
    )


def resnet50(_: int, classes: int) -> nn.Module:
    """ResNet-50 as torchvision has it."""
    return nn.Sequential(Colours(), import_torchvision().models.resnet50(weights=None, num_classes=classes))


def vgg16(side_px: int, classes: int) -> nn.Module:
    """VGG-16; its first dense layer takes the fields that the input leaves."""
    network = import_torchvision().models.vgg16(weights=None, num_classes=classes)
    fields = side_px // 32
    network.avgpool = nn.Identity()
    network.classifier[0] = nn.Linear(512 * fields * fields, 4096)
    return nn.Sequential(Colours(), network)


def alexnet(side_px: int, classes: int) -> nn.Module:
    """AlexNet; its first dense layer takes the fields that the input leaves."""
    network = import_torchvision().models.alexnet(weights=None, num_classes=classes)
    with torch.no_grad():
        fields = network.features(torch.zeros(1, 3, side_px, side_px)).shape[-1]
    network.avgpool = nn.Identity()
    network.classifier[1] = nn.Linear(256 * fields * fields, 4096)
    return nn.Sequential(Colours(), network)


def lenet5(side_px: int, classes: int) -> nn.Module:
    """LeNet-5: two convolutions of 5x5 with average pooling, then 120, 84; tanh throughout."""
    fields = ((side_px - 4) // 2 - 4) // 2
    return nn.Sequential(
        Brightness(),
        *(nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(16 * fields * fields, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh()),
        nn.Linear(84, classes),
    )


def plain_cnn(side_px: int, classes: int) -> nn.Module:
    """Two convolutions of 100 filters of 3x3, each with ReLU and max pooling; dropout, and 50 dense."""
    fields = ((side_px - 2) // 2 - 2) // 2
    return nn.Sequential(
        Brightness(),
        *(nn.Conv2d(1, 100, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(100, 100, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Dropout(0.5), nn.Linear(100 * fields * fields, 50), nn.ReLU()),
        nn.Linear(50, classes),
    )


def feed_forward(side_px: int, classes: int, hidden: int = 64) -> nn.Module:
    """One hidden layer on a grey window of even light; a window is a few hundred inputs."""
    return nn.Sequential(
        EvenLight(side_px), nn.Linear(side_px * side_px, hidden), nn.Tanh(), nn.Linear(hidden, classes)
    )


def window_cnn(side_px: int, classes: int) -> nn.Module:
    """A small network for the windows of a picture: three convolutions and two dense layers."""
    fields = side_px // 8
    layers: list[nn.Module] = [Colours()]
    for before, after in ((3, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
    dense = (nn.Flatten(), nn.Linear(64 * fields * fields, 128), nn.ReLU(), nn.Dropout(0.5))
    return nn.Sequential(*layers, *dense, nn.Linear(128, classes))


@dataclass(frozen=True)
class NetworkKind:
    """One network of the table, and how it is trained."""

    name: str
    title: str
    make: Callable[..., nn.Module]
    side_px: int
    learning_rate: float = 1e-3
    shown_share: float = 1.0
    """Of the table's schedule; stated in its row where it is not all."""
    bf16: bool = False
    """Whether training in bfloat16 is faster, where the processor has it."""
    options: dict[str, Any] = field(default_factory=dict)
    classes: int = CLASS_COUNT

    def build(self) -> nn.Module:
        """The network with new weights."""
        return self.make(self.side_px, self.classes, **self.options)


KINDS: Sequence[NetworkKind] = (
    NetworkKind("mobilenetv2", "MobileNetV2 (SSDMNV2)", mobilenetv2, 96),
    NetworkKind(
        "mobilenetv2-half", "MobileNetV2 (SSDMNV2), half as wide", mobilenetv2, 96, options={"width": 0.5}
    ),
    NetworkKind("feed-forward", "Feed-forward net on small windows", feed_forward, 20),
    NetworkKind("lenet5", "LeNet-5", lenet5, 32),
    NetworkKind("plain-cnn", "CNN, two convolutions of 100 filters", plain_cnn, 64, bf16=True),
    NetworkKind("alexnet", "AlexNet", alexnet, 96, learning_rate=2e-4, bf16=True),
    NetworkKind("resnet50", "ResNet-50", resnet50, 96, shown_share=0.5, bf16=True),
    NetworkKind("vgg16", "VGG-16", vgg16, 96, learning_rate=1e-4, shown_share=0.25, bf16=True),
)
