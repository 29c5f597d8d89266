"""Masks drawn onto bare faces: more masked and badly worn faces than the pictures have.

A mask is a curved patch with straps, placed by the face's box alone, in a fabric that takes the light of
the face beneath. It looks like a mask to a small detector, not to a person.
"""

from dataclasses import dataclass, replace
from enum import Enum

import cv2
import numpy as np
import numpy.typing as npt

from model.data.samples import Picture, Sample
from services.core.types import MASK_CLASSES

MASK, NO_MASK, MASK_INCORRECT = range(len(MASK_CLASSES))

SHARE_WORN, SHARE_WORN_BADLY = 0.2, 0.12
"""Of the bare faces, how many get a mask worn well and worn badly."""
MIN_FACE_PX = 12.0
"""On smaller faces a mask is a few pixels that say nothing."""

LIGHT_CELLS = (6, 6)
"""The light on a mask is that of so many fields of what lies beneath, blended."""

Colour = tuple[int, int, int]
FloatArray = npt.NDArray[np.float32]


class MaskWear(Enum):
    """How a mask is worn, with the upper and lower edge as shares of the face's height."""

    RIGHT = (0.42, 0.99)
    NOSE_FREE = (0.66, 1.0)
    UNDER_CHIN = (0.84, 1.12)

    @property
    def label(self) -> int:
        """The class of a face that wears it so."""
        return MASK if self is MaskWear.RIGHT else MASK_INCORRECT


@dataclass(frozen=True)
class MaskFabric:
    """What a mask is made of: colours in BGR, and its lines."""

    colours: tuple[Colour, ...]
    folds: int = 0
    """Horizontal folds, as surgical masks have."""
    patterned: bool = False
    bulge: float = 0.04
    """By how much the edges bend, as a share of the face's height."""


FABRICS = {
    "surgical": MaskFabric(((215, 190, 140), (225, 205, 165), (200, 215, 180), (235, 235, 230)), folds=3),
    "respirator": MaskFabric(((240, 240, 240), (225, 230, 232), (60, 60, 62)), bulge=0.09),
    "cloth": MaskFabric(((40, 40, 42), (120, 70, 40), (60, 60, 150), (90, 120, 70), (170, 150, 190))),
    "patterned": MaskFabric(((200, 200, 205), (70, 60, 120), (120, 90, 40)), patterned=True),
}


def wear_masks(sample: Sample, rng: np.random.Generator) -> Sample:
    """The sample with masks on some of its bare faces, and their classes changed accordingly."""
    chosen = [(index, wear) for index in range(len(sample.labels)) if (wear := _choose(sample, index, rng))]
    if not chosen:
        return sample
    picture, labels = sample.picture.copy(), sample.labels.copy()
    for index, wear in chosen:
        draw_mask(picture, labels[index, 1:], wear, FABRICS[str(rng.choice(list(FABRICS)))], rng)
        labels[index, 0] = wear.label
    return replace(sample, picture=picture, labels=labels)


def _choose(sample: Sample, index: int, rng: np.random.Generator) -> MaskWear | None:
    label, x1, y1, x2, y2 = sample.labels[index]
    draw = rng.random()
    if label != NO_MASK or min(x2 - x1, y2 - y1) < MIN_FACE_PX or draw >= SHARE_WORN + SHARE_WORN_BADLY:
        return None
    if draw < SHARE_WORN:
        return MaskWear.RIGHT
    return MaskWear.NOSE_FREE if rng.random() < 0.6 else MaskWear.UNDER_CHIN


def draw_mask(
    picture: Picture, box: FloatArray, wear: MaskWear, fabric: MaskFabric, rng: np.random.Generator
) -> None:
    """Draws a mask into a picture (H, W, 3) over the face in a box (x1, y1, x2, y2; pixels)."""
    shape = _outline(box, wear, fabric, rng)
    straps = _straps(shape, box)
    x1, y1 = np.floor(np.min([*shape, *straps.reshape(-1, 2)], 0)).astype(int) - 2
    x2, y2 = np.ceil(np.max([*shape, *straps.reshape(-1, 2)], 0)).astype(int) + 2
    x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, picture.shape[1]), min(y2, picture.shape[0])
    if x2 <= x1 or y2 <= y1:
        return
    part = picture[y1:y2, x1:x2]
    origin = np.array((x1, y1), np.float32)
    width_px = max(1, round(float(box[2] - box[0]) / 60))
    colour = np.array(fabric.colours[rng.integers(len(fabric.colours))], np.float32)
    cover = np.zeros(part.shape[:2], np.uint8)
    for start, end in straps - origin:
        cv2.line(cover, _fixed(start), _fixed(end), 200, width_px, cv2.LINE_AA, SHIFT)
    cv2.fillPoly(cover, [_fixed_polygon(shape - origin)], 255, cv2.LINE_AA, SHIFT)
    cloth = _cloth(part, colour, shape - origin, fabric, rng)
    alpha = cover[..., None].astype(np.float32) / 255
    part[:] = (part * (1 - alpha) + cloth * alpha).astype(np.uint8)


SHIFT = 4
"""Bits of a pixel's fraction in the coordinates that OpenCV draws at."""


def _fixed(point: FloatArray) -> tuple[int, int]:
    return round(float(point[0]) * 2**SHIFT), round(float(point[1]) * 2**SHIFT)


def _fixed_polygon(points: FloatArray) -> npt.NDArray[np.int32]:
    fixed: npt.NDArray[np.int32] = np.round(points * 2**SHIFT).astype(np.int32)
    return fixed


def _outline(box: FloatArray, wear: MaskWear, fabric: MaskFabric, rng: np.random.Generator) -> FloatArray:
    """The mask's edge (n, 2) in pixels of the picture: upper edge from left to right, lower one back."""
    top, bottom = (edge + rng.uniform(-0.03, 0.03) for edge in wear.value)
    turn = rng.uniform(-0.12, 0.12)
    upper_half, lower_half = rng.uniform(0.42, 0.5), rng.uniform(0.26, 0.36)
    along = np.linspace(-1, 1, 9)
    bend = fabric.bulge * (1 - along**2)
    upper = np.stack((0.5 + turn + upper_half * along, top - bend), 1)
    lower = np.stack((0.5 + turn + lower_half * along[::-1], bottom + bend - 0.02), 1)
    unit = np.concatenate((upper, lower))
    angle = rng.uniform(-0.15, 0.15)
    rotation = np.array(((np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))))
    sides = (box[2:] - box[:2]).astype(np.float64)
    around = ((unit - 0.5) * sides) @ rotation.T
    outline: FloatArray = (around + (box[:2] + box[2:]) / 2).astype(np.float32)
    return outline


def _straps(outline: FloatArray, box: FloatArray) -> FloatArray:
    """Lines (2, 2, 2) from the upper corners to where the ears would be."""
    half = len(outline) // 2
    height = float(box[3] - box[1])
    left, right = outline[0], outline[half - 1]
    ears = np.array(((box[0], left[1] - 0.12 * height), (box[2], right[1] - 0.12 * height)))
    return np.stack((np.stack((left, ears[0])), np.stack((right, ears[1])))).astype(np.float32)


def _cloth(
    part: Picture, colour: FloatArray, outline: FloatArray, fabric: MaskFabric, rng: np.random.Generator
) -> FloatArray:
    """The fabric over the whole part (H, W, 3), lit as what lies beneath it."""
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)
    coarse = cv2.resize(grey, LIGHT_CELLS, interpolation=cv2.INTER_AREA)
    light = cv2.resize(coarse, part.shape[1::-1], interpolation=cv2.INTER_CUBIC).astype(np.float32)
    light = 0.35 + 0.65 * light / max(float(light.max()), 60.0) * min(1.0, float(light.mean()) / 90.0 + 0.3)
    cloth = np.broadcast_to(colour, part.shape).astype(np.float32)
    if fabric.patterned:
        step = max(2, round(part.shape[1] / rng.uniform(6, 14)))
        rows, columns = np.indices(part.shape[:2]) // step
        cloth = np.where(((rows + columns) % 2 == 0)[..., None], cloth, 0.6 * cloth + 50)
    cloth = cloth * light[..., None]
    top, bottom = float(outline[:, 1].min()), float(outline[:, 1].max())
    for number in range(fabric.folds):
        y = round(top + (bottom - top) * (number + 1.5) / (fabric.folds + 2))
        cloth[max(0, y) : max(0, y) + max(1, part.shape[0] // 40)] *= 0.85
    noise = rng.normal(0, 4, part.shape[:2]).astype(np.float32)
    lit: FloatArray = np.clip(cloth + noise[..., None], 0, 255).astype(np.float32)
    return lit
