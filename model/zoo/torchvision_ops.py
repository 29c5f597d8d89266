"""The door to torchvision, which also opens where its C++ library does not fit the torch at hand.

The registry has torchvision for CUDA alone. Beside a torch for processors its library cannot be loaded, and
the import ends at the first operator that it declares. What its detectors need of that library are two
operators, which are written here in NumPy and torch.
"""

import importlib
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from services.core.errors import BadInputError

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
"""The operators that torchvision takes for declared when it is imported."""

_operators: list[Any] = []
"""Operators last as long as the object that has declared them."""


def import_torchvision() -> ModuleType:
    """Give torchvision with operators that work; BadInputError says how to install it.

    Nothing of it is replaced where its own library loads. Whoever wants a submodule has it as an attribute:
    `torchvision.models.detection`.
    """
    spec = find_spec("torchvision")
    if spec is None or spec.origin is None:
        raise BadInputError("torchvision is missing: run scripts/setup.sh --train in Sightline's folder")
    if not _operators and not _loads(Path(spec.origin).parent):
        _declare()
    torchvision = importlib.import_module("torchvision")
    if _operators:
        # A function has taken the name of its module in the package.
        sys.modules["torchvision.ops.roi_align"]._roi_align = roi_align  # type: ignore[attr-defined]
        torchvision.extension._has_ops = lambda: True
    return torchvision


def _loads(folder: Path) -> bool:
    """Whether the library of an installed torchvision loads beside this torch."""
    libraries = [*folder.glob("_C*.so"), *folder.glob("_C*.pyd")]
    try:
        for library in libraries:
            torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
    except OSError:
        return False
    return bool(libraries)


def _declare() -> None:
    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in SCHEMAS:
        library.define(schema)
    library.impl("nms", nms, "CPU")
    _operators.append(library)


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """The rows of boxes (n, 4; corners) that no better one overlaps by more than that, best first."""
    order = scores.detach().float().argsort(descending=True, stable=True).numpy()
    corners = boxes.detach().float().numpy()
    area = (corners[:, 2:] - corners[:, :2]).prod(1)
    kept = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        low = np.maximum(corners[best, :2], corners[rest, :2])
        high = np.minimum(corners[best, 2:], corners[rest, 2:])
        shared = (high - low).clip(0).prod(1)
        order = rest[shared <= iou_threshold * (area[best] + area[rest] - shared)]
    return torch.tensor(kept, dtype=torch.long)


def roi_align(
    maps: Tensor,
    rois: Tensor,
    spatial_scale: float,
    pooled_height: int,
    pooled_width: int,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Maps (B, C, H, W) cut to (K, C, pooled height, pooled width) by rois (K, 5): picture, corners.

    Each bin is the mean of sampling_ratio^2 points (2 where it is not positive), interpolated bilinearly.
    Source: He et al., "Mask R-CNN", ICCV 2017, section 3.
    """
    points = sampling_ratio if sampling_ratio > 0 else 2
    height, width = maps.shape[-2:]
    corners = rois[:, 1:].to(maps.dtype) * spatial_scale - (0.5 if aligned else 0.0)
    sides = corners[:, 2:] - corners[:, :2]
    sides = sides if aligned else sides.clamp(min=1.0)
    x = _sampled(corners[:, 0], sides[:, 0], pooled_width * points) * (2 / max(width - 1, 1)) - 1
    y = _sampled(corners[:, 1], sides[:, 1], pooled_height * points) * (2 / max(height - 1, 1)) - 1
    result = maps.new_zeros((len(rois), maps.shape[1], pooled_height, pooled_width))
    for picture in range(len(maps)):
        chosen = (rois[:, 0] == picture).nonzero()[:, 0]
        if not len(chosen):
            continue
        columns = x[chosen][:, None, :].expand(-1, y.shape[1], -1)
        lines = y[chosen][:, :, None].expand(-1, -1, x.shape[1])
        grid = torch.stack((columns, lines), -1).reshape(1, -1, x.shape[1], 2)
        sampled = F.grid_sample(maps[picture][None], grid, padding_mode="border", align_corners=True)[0]
        bins = F.avg_pool2d(sampled, points).view(maps.shape[1], len(chosen), pooled_height, pooled_width)
        result = result.index_copy(0, chosen, bins.transpose(0, 1))
    return result


def _sampled(start: Tensor, length: Tensor, count: int) -> Tensor:
    """Centres (K, count) of equal parts of each length, from its start on."""
    shares = (torch.arange(count, device=start.device) + 0.5) / count
    return start[:, None] + shares * length[:, None]
