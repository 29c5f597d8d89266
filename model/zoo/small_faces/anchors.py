"""Dense small anchors: where they lie, which face each is for, and boxes as offsets from them.

Sources: Lin et al. (RetinaNet), ICCV 2017, 4: three scales an octave; Deng et al., "RetinaFace", 2019: square
anchors from stride 4 on, IoU 0.5 for a face and under 0.3 for background; Zhang et al., "S3FD", ICCV 2017,
for faces that no anchor fits well.
"""

from functools import cache

import torch
from torch import Tensor

STRIDES = (4, 8, 16, 32, 64)
OCTAVE = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))
ANCHOR_SIDES_PX: tuple[tuple[float, ...], ...] = (
    *(tuple(2 * stride * scale for scale in OCTAVE) for stride in STRIDES[:-1]),
    tuple(octave * scale for octave in (128, 256) for scale in OCTAVE),
)
"""Sides of the square anchors of each level: 8 px at stride 4, twice as many a level, to 406 px at the last.

RetinaFace begins with 16 px, for pictures with a short side of up to 1,600; here, where a picture has a long
side of 480, half of that. The last level has two octaves, so that no face is larger than all anchors."""
FACE_OVERLAP, BACKGROUND_OVERLAP = 0.5, 0.3
LEAST_OVERLAP = 0.2
"""A face that no anchor overlaps by half gets those that overlap it most, from this IoU on."""
MAX_TIMES = 3.0
"""An anchor that is this many times larger than a box to ignore is about something else."""
CENTRE_GAIN, SIDE_GAIN = 10.0, 5.0
"""What offsets are multiplied with, so that those of centres and sides are of one size (SSD's variances)."""

BACKGROUND, IGNORED = -1, -2
"""What an anchor is for, in place of a class."""


@cache
@torch.inference_mode(False)
def make_anchors(height: int, width: int, device: torch.device) -> Tensor:
    """The anchors (N, 4; centre x, y, width, height in pixels) of a picture, finest level first.

    Within a level row by row, and in a cell by side. Whoever asks first, they serve training and export too.
    """
    levels = []
    for stride, sides in zip(STRIDES, ANCHOR_SIDES_PX, strict=True):
        rows, columns = (
            torch.arange(-(-side // stride), device=device, dtype=torch.float32) for side in (height, width)
        )
        y, x = torch.meshgrid((rows + 0.5) * stride, (columns + 0.5) * stride, indexing="ij")
        centres = torch.stack((x, y), -1).view(-1, 1, 2).expand(-1, len(sides), 2)
        of_level = torch.tensor(sides, device=device).view(1, -1, 1).expand(centres.shape[0], -1, 2)
        levels.append(torch.cat((centres, of_level), -1).reshape(-1, 4))
    return torch.cat(levels)


def encode(boxes: Tensor, anchors: Tensor) -> Tensor:
    """Boxes (n, 4; centre, width, height) as offsets from their anchors (n, 4), scaled by the gains.

    Source: Girshick et al., "R-CNN", CVPR 2014: (x - xa) / wa and log(w / wa).
    """
    centres = (boxes[:, :2] - anchors[:, :2]) / anchors[:, 2:] * CENTRE_GAIN
    return torch.cat((centres, torch.log(boxes[:, 2:] / anchors[:, 2:]) * SIDE_GAIN), 1)


def decode(offsets: Tensor, anchors: Tensor) -> Tensor:
    """Offsets (..., n, 4) as boxes (..., n, 4; centre, width, height) of at most 20 times their anchors."""
    centres = anchors[:, :2] + offsets[..., :2] / CENTRE_GAIN * anchors[:, 2:]
    return torch.cat((centres, anchors[:, 2:] * torch.exp((offsets[..., 2:] / SIDE_GAIN).clamp(max=3.0))), -1)


def anchor_overlaps(anchors: Tensor, boxes: Tensor) -> Tensor:
    """Intersection over union (n, m) of anchors (n, 4) with boxes (m, 4), by centre, width and height."""
    shared = torch.ones(len(anchors), len(boxes), device=anchors.device)
    for axis in (0, 1):
        centre, half = anchors[:, axis, None], anchors[:, axis + 2, None] / 2
        other, other_half = boxes[None, :, axis], boxes[None, :, axis + 2] / 2
        high = torch.minimum(centre + half, other + other_half)
        shared *= (high - torch.maximum(centre - half, other - other_half)).clamp(0)
    areas = anchors[:, 2:].prod(1)[:, None] + boxes[:, 2:].prod(1)[None]
    return shared / (areas - shared).clamp_min(1e-9)


def assign(anchors: Tensor, boxes: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    """What each anchor (n, 4) is for: its class (n,), BACKGROUND or IGNORED, and the row of its box (n,).

    Boxes (m, 4) in pixels with classes (m,), below 0 for those that are neither face nor background: an
    anchor that overlaps one, or whose centre lies in it, is ignored.
    """
    wanted = torch.full((len(anchors),), BACKGROUND, dtype=torch.long, device=anchors.device)
    row = torch.zeros_like(wanted)
    ignored = boxes[classes < 0]
    if len(ignored):
        wanted[_touch(anchors, ignored)] = IGNORED
    faces = torch.nonzero(classes >= 0)[:, 0]
    if not len(faces):
        return wanted, row
    overlap = anchor_overlaps(anchors, boxes[faces])
    best, which = overlap.max(1)
    wanted[(best >= BACKGROUND_OVERLAP) & (best < FACE_OVERLAP)] = IGNORED
    chosen = best >= FACE_OVERLAP
    most = overlap.max(0).values
    for face in torch.nonzero((most < FACE_OVERLAP) & (most >= LEAST_OVERLAP))[:, 0].tolist():
        closest = (overlap[:, face] >= most[face] - 1e-6) & ~chosen
        chosen |= closest
        which[closest] = face
    wanted[chosen] = classes[faces[which[chosen]]].long()
    row[chosen] = faces[which[chosen]]
    return wanted, row


def _touch(anchors: Tensor, boxes: Tensor) -> Tensor:
    """Which anchors overlap one of the boxes, or lie with their centre in it and are not far larger."""
    inside = ((anchors[:, None, :2] - boxes[None, :, :2]).abs() <= boxes[None, :, 2:] / 2).all(2)
    alike = anchors[:, None, 2] <= MAX_TIMES * boxes[None, :, 2:].amax(2)
    return ((anchor_overlaps(anchors, boxes) >= BACKGROUND_OVERLAP) | (inside & alike)).any(1)
