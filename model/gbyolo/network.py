"""The whole network in its sizes, and the way to build one."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from model.gbyolo.backbone import Backbone
from model.gbyolo.blocks import Conv
from model.gbyolo.fusion import WeightedAdd
from model.gbyolo.head import DEFAULT_ANCHORS, AnchorHead, Anchors
from model.gbyolo.neck import BiFPN

Size = Literal["n", "s"]


@dataclass(frozen=True)
class Scale:
    """Multiples of YOLOv5's widths and depths, and the common width of the neck."""

    width: float
    depth: float
    neck_width: int


SCALES: dict[str, Scale] = {"n": Scale(0.25, 0.33, 64), "s": Scale(0.5, 0.33, 96)}


class GBYolo(nn.Module):
    """Pictures (B, 3, H, W), RGB 0..1, H and W multiples of 32, to predictions (see AnchorHead)."""

    def __init__(self, scale: Scale, class_count: int, anchors: Anchors) -> None:
        super().__init__()
        self.backbone = Backbone(scale.width, scale.depth)
        self.neck = BiFPN(self.backbone.channels_out, scale.neck_width)
        self.head = AnchorHead(scale.neck_width, class_count, anchors)

    def forward(self, pictures: Tensor) -> list[Tensor] | Tensor:
        """Raw maps in training mode, (B, N, 4 + classes) in evaluation mode."""
        predictions: list[Tensor] | Tensor = self.head(self.neck(*self.backbone(pictures)))
        return predictions

    def fuse(self) -> "GBYolo":
        """Folds batch normalisation and fusion weights into constants, in place; inference only."""
        for module in self.modules():
            if isinstance(module, Conv):
                module.fuse()
            elif isinstance(module, WeightedAdd):
                module.deploy()
        return self


def build(size: Size, class_count: int, anchors: Anchors = DEFAULT_ANCHORS) -> GBYolo:
    """A network with random weights; raises ValueError for a size that is none or for no class."""
    if size not in SCALES:
        raise ValueError(f"no size {size!r}, there are {', '.join(SCALES)}")
    if class_count < 1:
        raise ValueError("a detector needs at least one class")
    return GBYolo(SCALES[size], class_count, anchors)


def parameter_count(network: nn.Module) -> int:
    """The number of learned values."""
    return sum(parameter.numel() for parameter in network.parameters())
