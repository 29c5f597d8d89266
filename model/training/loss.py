"""The loss of YOLOv5 v6: CIoU of matched boxes, objectness everywhere, class of matched boxes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from model.network.gbyolo.head import ANCHORS_PER_CELL, STRIDES, AnchorHead

BOX_GAIN, CLASS_GAIN = 0.05, 0.15
LEVEL_GAINS = (4.0, 1.0, 0.4)
"""Of objectness at strides 8, 16, 32: small objects have the most cells."""
MAX_RATIO = 4.0
"""A box belongs to an anchor whose sides are at most this many times longer or shorter."""
NEIGHBOURS = ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (-0.5, 0.0), (0.0, -0.5))


@dataclass(frozen=True)
class Loss:
    """`total` to minimise; the unweighted parts, summed over the levels, to look at."""

    total: Tensor
    box: float
    objectness: float
    class_: float


@dataclass(frozen=True)
class Match:
    """Pairs of box and prediction (m,): row in the targets, picture, anchor, and the cell's y and x."""

    target: Tensor
    picture: Tensor
    anchor: Tensor
    row: Tensor
    column: Tensor


def ciou(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Complete IoU (n,) of boxes (n, 4) as centre, width, height.

    Source: Zheng et al., "Distance-IoU Loss", AAAI 2020: IoU - rho^2 / c^2 - alpha v.
    """
    p1, p2 = predicted[:, :2] - predicted[:, 2:] / 2, predicted[:, :2] + predicted[:, 2:] / 2
    t1, t2 = wanted[:, :2] - wanted[:, 2:] / 2, wanted[:, :2] + wanted[:, 2:] / 2
    shared = (torch.min(p2, t2) - torch.max(p1, t1)).clamp(0).prod(1)
    iou = shared / (predicted[:, 2:].prod(1) + wanted[:, 2:].prod(1) - shared + 1e-7)
    diagonal = (torch.max(p2, t2) - torch.min(p1, t1)).square().sum(1) + 1e-7
    distance = (predicted[:, :2] - wanted[:, :2]).square().sum(1)
    angles = torch.atan(wanted[:, 2] / (wanted[:, 3] + 1e-7)) - torch.atan(
        predicted[:, 2] / (predicted[:, 3] + 1e-7)
    )
    v = 4 / math.pi**2 * angles.square()
    with torch.no_grad():
        alpha = v / (v - iou + 1 + 1e-7)
    return iou - distance / diagonal - alpha * v


def match_cells(targets: Tensor, width: int, height: int) -> tuple[Tensor, Tensor, Tensor]:
    """Each box with its own cell and up to two nearest neighbour cells.

    Targets (n, 6) as in Batch. Returns rows of the targets, cell y and cell x, each (m,).
    """
    size = torch.tensor((width, height), device=targets.device, dtype=torch.float32)
    centre = targets[:, 2:4] * size
    mirrored = size - centre
    left, top = ((centre % 1 < 0.5) & (centre > 1)).T
    right, bottom = ((mirrored % 1 < 0.5) & (mirrored > 1)).T
    chosen = torch.stack((torch.ones_like(left), left, top, right, bottom))
    offset, rows = chosen.nonzero(as_tuple=True)
    shifts = torch.tensor(NEIGHBOURS, device=targets.device)[offset]
    cells = (centre[rows] - shifts).long()
    return rows, cells[:, 1].clamp(0, height - 1), cells[:, 0].clamp(0, width - 1)


def match_level(targets: Tensor, anchors: Tensor, stride: int, width: int, height: int) -> Match:
    """Pairs every box with the anchors (3, 2; pixels) of one level that resemble it, in its cells."""
    size = torch.tensor((width, height), device=targets.device) * float(stride)
    ratio = (targets[None, :, 4:] * size) / anchors[:, None]
    fits = torch.maximum(ratio, 1 / ratio.clamp_min(1e-9)).amax(2) < MAX_RATIO
    anchor, target = fits.nonzero(as_tuple=True)
    rows, cell_y, cell_x = match_cells(targets[target], width, height)
    anchor, target = anchor[rows], target[rows]
    return Match(target, targets[target, 0].long(), anchor, cell_y, cell_x)


def detection_loss(raw: Sequence[Tensor], targets: Tensor, head: AnchorHead, input_px: int) -> Loss:
    """The loss of a batch.

    `raw` are the head's three maps in training mode, targets (n, 6) as in Batch; those of class -1 take
    their cells out of the objectness loss. `total` is scaled by the batch size, as in YOLOv5.
    """
    ignored = targets[targets[:, 1] < 0]
    wanted = targets[targets[:, 1] >= 0]
    box = objectness = class_ = torch.zeros((), device=targets.device)
    for level, (maps, stride) in enumerate(zip(raw, STRIDES, strict=True)):
        parts = _level_loss(maps, wanted, ignored, head, level, stride)
        box, class_ = box + parts[0], class_ + parts[2]
        objectness = objectness + LEVEL_GAINS[level] * parts[1]
    total = BOX_GAIN * box + (input_px / 640) ** 2 * objectness + CLASS_GAIN * class_
    return Loss(total * raw[0].shape[0], box.item(), objectness.item(), class_.item())


def _level_loss(
    maps: Tensor, wanted: Tensor, ignored: Tensor, head: AnchorHead, level: int, stride: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Box, objectness and class loss of one level."""
    batch, _, height, width = maps.shape
    values = maps.float().view(batch, ANCHORS_PER_CELL, 5 + head.class_count, height, width)
    values = values.permute(0, 1, 3, 4, 2)
    wanted_objectness = torch.zeros(values.shape[:4], device=maps.device)
    box = class_ = torch.zeros((), device=maps.device)
    match = match_level(wanted, head.anchors[level], stride, width, height)
    if len(match.target):
        cells = (match.picture, match.anchor, match.row, match.column)
        chosen, boxes = values[cells], wanted[match.target]
        iou = _matched_iou(chosen, boxes, match, head.anchors[level] / stride, width, height)
        box = (1 - iou).mean()
        quality = iou.detach().clamp(0)
        order = quality.argsort()
        wanted_objectness[tuple(index[order] for index in cells)] = quality[order]
        classes = F.one_hot(boxes[:, 1].long(), head.class_count).float()
        class_ = F.binary_cross_entropy_with_logits(chosen[:, 5:], classes)
    weights = _objectness_weights(wanted_objectness, ignored, width, height)
    objectness = F.binary_cross_entropy_with_logits(values[..., 4], wanted_objectness, weights)
    return box, objectness, class_


def _matched_iou(
    chosen: Tensor, boxes: Tensor, match: Match, anchors: Tensor, width: int, height: int
) -> Tensor:
    """CIoU of matched predictions with their boxes, in cells of the level."""
    centre = chosen[:, :2].sigmoid() * 2 - 0.5
    sides = (chosen[:, 2:4].sigmoid() * 2) ** 2 * anchors[match.anchor]
    size = torch.tensor((width, height) * 2, device=chosen.device)
    scaled = boxes[:, 2:] * size
    corner = torch.stack((match.column, match.row), 1)
    return ciou(torch.cat((centre, sides), 1), torch.cat((scaled[:, :2] - corner, scaled[:, 2:]), 1))


def _objectness_weights(wanted_objectness: Tensor, ignored: Tensor, width: int, height: int) -> Tensor:
    """1 everywhere but 0 in the cells of ignored boxes, where no object is wanted."""
    weights = torch.ones_like(wanted_objectness)
    if len(ignored):
        rows, cell_y, cell_x = match_cells(ignored, width, height)
        weights[ignored[rows, 0].long(), :, cell_y, cell_x] = 0.0
        weights[wanted_objectness > 0] = 1.0
    return weights
