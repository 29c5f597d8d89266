"""Crops as a classifier trains on them: turned, scaled, shifted, sheared and mirrored, as in the papers.

The ranges are those of SSDMNV2 (Nagrath et al., "SSDMNV2: A real time DNN-based face mask detection system
using single shot multibox detector and MobileNetV2", Sustainable Cities and Society 66, 2021).
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from model.data.samples import Picture
from model.zoo.classifiers.crops import MARGIN, FaceCrop, wear_mask
from services.core.crops import cut_square

TURN_DEGREES, ZOOM, SHIFT, SHEAR = 20.0, 0.15, 0.2, 0.15
"""Most of each, either way; shift and shear as shares of the crop's side."""


def plain(crop: FaceCrop, side_px: int) -> Picture:
    """The crop (side, side, 3) as it is classified."""
    return cut_square(crop.picture, crop.box, MARGIN, side_px)


def augmented(crop: FaceCrop, side_px: int, rng: np.random.Generator) -> Picture:
    """The crop (side, side, 3) as chance shows it; what lies beyond what is kept repeats its edge."""
    seen_px = float((crop.box[2:] - crop.box[:2]).max()) * (1 + 2 * MARGIN)
    scale = side_px / seen_px
    picture = crop.picture
    kept_px = picture.shape[0]
    if scale < 1:
        kept_px = max(1, round(picture.shape[0] * scale))
        picture = np.asarray(cv2.resize(picture, (kept_px, kept_px), interpolation=cv2.INTER_AREA), np.uint8)
        scale = 1.0
    turned = cv2.warpAffine(
        picture,
        _matrix(kept_px, side_px, scale, rng),
        (side_px, side_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(turned, np.uint8)


def _matrix(kept_px: int, side_px: int, scale: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """The affine map (2, 3) from what is kept to the crop."""
    turn = np.deg2rad(rng.uniform(-TURN_DEGREES, TURN_DEGREES))
    zoom = scale * (1 + rng.uniform(-ZOOM, ZOOM))
    shear = rng.uniform(-SHEAR, SHEAR)
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    shift = rng.uniform(-SHIFT, SHIFT, 2) * side_px
    rotation = np.array(((np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))))
    linear = rotation @ np.array(((mirror, shear), (0.0, 1.0))) * zoom
    offset = np.full(2, side_px / 2) + shift - linear @ np.full(2, kept_px / 2)
    return np.concatenate((linear, offset[:, None]), 1)


def training_batch(
    crops: Sequence[FaceCrop],
    chances: npt.NDArray[np.float64],
    count: int,
    side_px: int,
    rng: np.random.Generator,
) -> tuple[Picture, npt.NDArray[np.int64]]:
    """Crops drawn by their chances (n,), augmented (count, side, side, 3), with their labels (count,)."""
    pictures, labels = [], []
    for index in rng.choice(len(crops), count, p=chances):
        crop = wear_mask(crops[int(index)], rng)
        pictures.append(augmented(crop, side_px, rng))
        labels.append(crop.label)
    return np.stack(pictures), np.array(labels, np.int64)
