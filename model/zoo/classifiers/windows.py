"""The window-proposal R-CNN: windows of a picture, classified one by one with a class for what is no face.

After Girshick et al., "Rich feature hierarchies for accurate object detection and semantic segmentation",
CVPR 2014. Windows slide over the picture in several sizes; those with the most edges in them are proposed,
which stands for the paper's selective search; a small network says what each shows, and of those that overlap
the surest stays.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from model.data.samples import Picture, Sample
from model.evaluation.predictions import FloatArray, Found
from model.zoo.classifiers.crops import BACKGROUND, KEPT_MARGIN, KEPT_PX, MARGIN, FaceCrop
from model.zoo.classifiers.networks import CLASS_COUNT, NetworkKind, window_cnn
from services.core.boxes import overlaps, suppress
from services.core.crops import cut_square, to_blob

WINDOW_RCNN = NetworkKind("window-rcnn", "R-CNN on proposed windows", window_cnn, 32, classes=CLASS_COUNT + 1)
LONG_SIDE_PX = 480
"""Of the picture that windows slide over."""
WINDOWS_PX = (16, 24, 36, 54, 80, 120, 180, 270)
HEIGHT_SHARE = 1.25
"""Height of a window of such a width, about that of a face."""
STEP_SHARE = 0.25
"""Of a window's width, by which it slides."""
PROPOSALS = 600
"""Windows of a picture that are classified."""
OVERLAP = 0.3
BACKGROUNDS_A_PICTURE = 6
NO_FACE_OVERLAP = 0.3
"""A window that shares less with every face is none."""

Said = Callable[[FloatArray], FloatArray]
"""Classifier input (n, 3, S, S) to probabilities (n, classes)."""


def windows(width: int, height: int) -> FloatArray:
    """All windows (n, 4; corners) of a picture of a size."""
    found = []
    for side in WINDOWS_PX:
        window_height = round(side * HEIGHT_SHARE)
        step = max(4, round(side * STEP_SHARE))
        columns = np.arange(0, width - side + 1, step)
        rows = np.arange(0, height - window_height + 1, step)
        x, y = (one.reshape(-1) for one in np.meshgrid(columns, rows))
        found.append(np.stack((x, y, x + side, y + window_height), 1))
    corners: FloatArray = np.concatenate(found).astype(np.float32)
    return corners


def propose(picture: Picture, count: int = PROPOSALS) -> FloatArray:
    """The windows (n, 4; corners) with the strongest edges for their border, a fair part of each size."""
    corners = windows(picture.shape[1], picture.shape[0])
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (0, 0), 1.0)
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    sums = cv2.integral(edges)
    x1, y1, x2, y2 = corners.astype(np.int64).T
    inside = sums[y2, x2] - sums[y1, x2] - sums[y2, x1] + sums[y1, x1]
    strength = inside / (2 * (x2 - x1 + y2 - y1))
    # Larger windows hold more edges to a pixel of border: each size gives the strongest of its own.
    rank = np.zeros(len(corners))
    for side in np.unique(x2 - x1):
        of_size = np.flatnonzero(x2 - x1 == side)
        rank[of_size[np.argsort(-strength[of_size], kind="stable")]] = np.arange(len(of_size))
    return corners[np.argsort(rank, kind="stable")[:count]]


def find_by_windows(picture: Picture, said: Said, side_px: int) -> Found:
    """Faces with their classes in a picture's pixels, best first."""
    scale = min(1.0, LONG_SIDE_PX / max(picture.shape[:2]))
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    boxes = propose(small)
    if not len(boxes):
        return Found(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))
    crops = np.stack([cut_square(small, box, MARGIN, side_px) for box in boxes])
    faces = said(to_blob(crops))[:, :BACKGROUND]
    scores, classes = faces.max(1), faces.argmax(1)
    kept, placed = suppress(boxes, faces.sum(1), np.zeros_like(classes), 0.0, OVERLAP)
    order = kept[scores[kept].argsort(kind="stable")[::-1]]
    places = {int(row): place for row, place in zip(kept, placed, strict=True)}
    corners = np.stack([places[int(row)] for row in order]) / np.float32(scale)
    return Found(
        corners.astype(np.float32), scores[order].astype(np.float32), classes[order].astype(np.int64)
    )


def backgrounds(samples: Sequence[Sample], seed: int = 0) -> list[FaceCrop]:
    """Windows of pictures that hold no face or too little of one, as crops of the class `BACKGROUND`."""
    crops = []
    for number, sample in enumerate(samples):
        rng = np.random.default_rng((seed, number))
        proposed = propose(sample.picture)
        if len(sample.labels) and len(proposed):
            proposed = proposed[overlaps(proposed, sample.labels[:, 1:]).max(1) < NO_FACE_OVERLAP]
        count = min(len(proposed), BACKGROUNDS_A_PICTURE)
        for index in rng.choice(len(proposed), count, replace=False) if count else ():
            crops.append(_background(sample, proposed[index]))
    return crops


def _background(sample: Sample, box: npt.NDArray[np.float32]) -> FaceCrop:
    whole = float((box[2:] - box[:2]).max()) * (1 + 2 * KEPT_MARGIN)
    side_px = int(min(KEPT_PX / 2, max(8, round(whole))))
    half = (box[2:] - box[:2]) / whole * side_px / 2
    inner = np.concatenate((side_px / 2 - half, side_px / 2 + half)).astype(np.float32)
    crop = FaceCrop(sample.file, cut_square(sample.picture, box, KEPT_MARGIN, side_px), inner, BACKGROUND)
    return replace(crop, picture=np.ascontiguousarray(crop.picture))
