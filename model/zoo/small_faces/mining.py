"""Mined hard negatives: pictures and regions in which a half-trained network is surely wrong are shown more.

Source of the idea: Sung and Poggio, "Example-based learning for view-based human face detection", 1998:
bootstrapping with the false detections of the network as it is. Online hard negatives are in `loss`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from model.data.augment import clip_labels
from model.data.samples import Sample
from model.evaluation.evaluate import Model, find_all
from model.evaluation.judging import Judged, judge
from model.evaluation.metrics import SURE
from model.evaluation.predictions import FloatArray, Found
from services.core.boxes import overlaps

LOOKED_AT = 1200
"""Pictures that are looked through; the time is better spent on steps than on all of them."""
HARDEST_SHARE, HARD_TIMES = 0.15, 2.0
"""Of those with most false detections, how many are shown so many times as often."""
REGIONS, REGION_SHARE = 200, 0.1
"""Regions at most, and their share of all that is shown afterwards."""
REGION_TIMES, LEAST_REGION_PX = 8.0, 128.0
"""The side of a region: so many times the false detection, in pixels of the picture."""
FACE_OVERLAP = 0.3
"""What overlaps a labelled face by less is about something else."""


@dataclass(frozen=True)
class MinedFaces:
    """What was found: false detections of each picture that was looked at, and regions (k, 5).

    A region is the number of its picture and x1, y1, x2, y2 in its pixels, the surest error first.
    """

    pictures: npt.NDArray[np.int64]
    errors: npt.NDArray[np.int64]
    regions: FloatArray


def mine(
    model: Model, samples: Sequence[Sample], rng: np.random.Generator, step: Callable[[int], None]
) -> MinedFaces:
    """Look through some of the training pictures for what is surely found and is no face of that class."""
    chosen = np.sort(rng.permutation(len(samples))[:LOOKED_AT])
    errors, regions, scores = [], [], []
    for index, found in zip(
        chosen, find_all(model, [samples[int(one)] for one in chosen], step), strict=True
    ):
        sample = samples[int(index)]
        errors.append(false_detections(judge(found, sample.labels)))
        for box, score in zip(*false_faces(found, sample), strict=True):
            regions.append((float(index), *region_around(box, sample)))
            scores.append(float(score))
    best = np.argsort(-np.array(scores, np.float32), kind="stable")[:REGIONS]
    kept = np.array(regions, np.float32).reshape(-1, 5)[best]
    return MinedFaces(chosen, np.array(errors, np.int64), kept)


def false_detections(judged: Judged) -> int:
    """How many sure detections of a picture are wrong, by place or by class."""
    return int(((judged.scores >= SURE) & ~judged.right[:, 0]).sum())


def false_faces(found: Found, sample: Sample) -> tuple[FloatArray, FloatArray]:
    """The boxes (n, 4) and scores (n,) of sure detections where no face is labelled."""
    sure = found.scores >= SURE
    boxes, scores = found.boxes[sure], found.scores[sure]
    if len(sample.labels) and len(boxes):
        elsewhere = overlaps(boxes, sample.labels[:, 1:]).max(1) < FACE_OVERLAP
        boxes, scores = boxes[elsewhere], scores[elsewhere]
    return boxes, scores


def region_around(box: FloatArray, sample: Sample) -> tuple[float, float, float, float]:
    """The square around a box, shifted and cut so that it lies in the picture."""
    height, width = sample.picture.shape[:2]
    side = max(LEAST_REGION_PX, REGION_TIMES * float((box[2:] - box[:2]).max()))
    corners = []
    for low, high, length in zip(box[:2], box[2:], (width, height), strict=True):
        start = min(max(0.0, float(low + high) / 2 - side / 2), max(0.0, length - side))
        corners.append((start, min(float(length), start + side)))
    (x1, x2), (y1, y2) = corners
    return x1, y1, x2, y2


def cut(samples: Sequence[Sample], regions: FloatArray) -> list[Sample]:
    """The regions (k, 5) as samples, with what lies in them of their pictures' faces."""
    parts = []
    for index, *corners in regions:
        sample = samples[int(index)]
        x1, y1, x2, y2 = (int(value) for value in corners)
        labels = sample.labels.copy()
        labels[:, 1:] -= np.array((x1, y1, x1, y1), np.float32)
        picture = np.ascontiguousarray(sample.picture[y1:y2, x1:x2])
        parts.append(replace(sample, picture=picture, labels=clip_labels(labels, x2 - x1, y2 - y1)))
    return parts


def counts_with(mined: MinedFaces, counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How often an epoch shows each picture (n,) and then each region (k,): as many in all as before."""
    total = counts.sum()
    times = np.ones_like(counts)
    least = max(1.0, float(np.quantile(mined.errors, 1 - HARDEST_SHARE))) if len(mined.errors) else 1.0
    times[mined.pictures[mined.errors >= least]] = HARD_TIMES
    regions = len(mined.regions)
    share = REGION_SHARE if regions else 0.0
    emphasised = counts * times
    pictures = emphasised * (total * (1 - share) / emphasised.sum())
    return np.concatenate((pictures, np.full(regions, total * share / max(1, regions))))
