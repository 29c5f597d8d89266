"""Faces of labelled pictures cut out by their boxes, on the side of the picture that they are of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from model.data.samples import DataSource, Picture, Sample, load_split, picture_paths, validation_sources
from model.data.synthetic_masks import FABRICS, NO_MASK, SHARE_WORN, SHARE_WORN_BADLY, MaskWear, draw_mask
from model.zoo.classifiers.near_copies import near_pairs
from services.core.crops import cut_square
from services.core.types import MASK_CLASSES

MARGIN = 0.15
"""What a classifier sees around a face, as a share of the longer side of its box, at each end."""
KEPT_MARGIN, KEPT_PX = 0.4, 144
"""What is kept of a face: enough around it to turn and shift it, and not more pixels than any input needs."""
MIN_FACE_PX = 12.0
"""Longer side, in the picture at a long side of 640 px, from which on a face says anything."""
PICTURE_PX = 640
BACKGROUND = len(MASK_CLASSES)
"""The label of a crop without a face, for classifiers that look at windows."""


@dataclass(frozen=True)
class FaceCrop:
    """A square (S, S, 3) BGR with a face in its middle, its box there, and the picture that it is of."""

    file: str
    """Folder and file name of the picture."""
    picture: Picture
    box: npt.NDArray[np.float32]
    label: int


@dataclass(frozen=True)
class Sides:
    """The crops to train on and those to measure by, with the pictures to measure finders by."""

    train: Sequence[FaceCrop]
    val: Sequence[FaceCrop]
    unseen: Sequence[FaceCrop]
    copies: frozenset[str]
    """Training pictures left out as near copies of one that measures, by folder and file name."""


def faces_of(sample: Sample) -> list[tuple[npt.NDArray[np.float32], int]]:
    """The boxes (4,; corners) and classes of a picture's faces that are large enough and have a class."""
    return [
        (box, int(label))
        for label, box in zip(sample.labels[:, 0], sample.labels[:, 1:], strict=True)
        if 0 <= label < len(MASK_CLASSES) and float((box[2:] - box[:2]).max()) >= MIN_FACE_PX
    ]


def cut_faces(sample: Sample) -> list[FaceCrop]:
    """The faces of a picture, with what training needs around them."""
    return [_cut(sample, box, label) for box, label in faces_of(sample)]


def _cut(sample: Sample, box: npt.NDArray[np.float32], label: int) -> FaceCrop:
    sides = box[2:] - box[:2]
    whole = float(sides.max()) * (1 + 2 * KEPT_MARGIN)
    side_px = int(min(KEPT_PX, max(8, round(whole))))
    half = sides / whole * side_px / 2
    inner = np.concatenate((side_px / 2 - half, side_px / 2 + half)).astype(np.float32)
    return FaceCrop(sample.file, cut_square(sample.picture, box, KEPT_MARGIN, side_px), inner, label)


def load_sides(sources: Sequence[DataSource], step: Callable[[], None] = lambda: None) -> Sides:
    """Crops of the splits `train`, `val` (of the first folder that has one) and `unseen`, none near another.

    `step` is called after each picture. BadInputError where a side has no picture; `unseen` may be empty.
    """
    val = load_split(validation_sources(sources)[:1], "val", PICTURE_PX, step)
    unseen = load_unseen(sources, step)
    train = load_split(sources, "train", PICTURE_PX, step)
    copies = copied_files(train, [*val, *unseen])
    return Sides(
        train=[crop for crop in cut_all(train) if crop.file not in copies],
        val=cut_all(val),
        unseen=cut_all(unseen),
        copies=copies,
    )


def cut_all(samples: Sequence[Sample]) -> list[FaceCrop]:
    """The faces of all pictures."""
    return [crop for sample in samples for crop in cut_faces(sample)]


def copied_files(train: Sequence[Sample], measuring: Sequence[Sample]) -> frozenset[str]:
    """The training pictures that are near copies of one that measures, or that show one of its faces.

    Other parts of the same photograph are no copies of each other as a whole; their faces are.
    """
    whole = near_pairs([one.picture for one in train], [one.picture for one in measuring])
    ours, theirs = cut_all(train), cut_all(measuring)
    faces = near_pairs([one.picture for one in ours], [one.picture for one in theirs])
    return frozenset({train[index].file for index, _ in whole} | {ours[index].file for index, _ in faces})


def load_unseen(sources: Sequence[DataSource], step: Callable[[], None] = lambda: None) -> list[Sample]:
    """The pictures of the sources that no training sees; empty where the folders have none."""
    if not any(picture_paths(source.folder, "unseen") for source in sources):
        return []
    return load_split(sources, "unseen", PICTURE_PX, step)


def wear_mask(crop: FaceCrop, rng: np.random.Generator) -> FaceCrop:
    """The crop, now and then with a mask drawn onto its face where that is bare; of the same picture."""
    draw = rng.random()
    if crop.label != NO_MASK or draw >= SHARE_WORN + SHARE_WORN_BADLY:
        return crop
    wear = MaskWear.RIGHT
    if draw >= SHARE_WORN:
        wear = MaskWear.NOSE_FREE if rng.random() < 0.6 else MaskWear.UNDER_CHIN
    picture = crop.picture.copy()
    draw_mask(picture, crop.box, wear, FABRICS[str(rng.choice(list(FABRICS)))], rng)
    return replace(crop, picture=picture, label=wear.label)


def chances(crops: Sequence[FaceCrop]) -> npt.NDArray[np.float64]:
    """How likely each crop is shown next (n,): rare classes by the square root of their rarity."""
    labels = np.array([crop.label for crop in crops])
    counts = np.bincount(labels)
    weights = 1 / np.sqrt(counts[labels])
    share: npt.NDArray[np.float64] = weights / weights.sum()
    return share
