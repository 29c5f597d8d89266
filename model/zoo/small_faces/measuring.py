"""What the rows are measured by: small faces in crowds and in pictures of a source that no training saw."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from model.data.samples import DataSource, Sample, load_split, picture_paths
from model.evaluation.evaluate import LONG_SIDE_PX, NMS_IOU
from model.evaluation.judging import THRESHOLDS, BoolArray, Judged, judge
from model.evaluation.metrics import SURE, average_precision
from model.evaluation.predictions import FloatArray, Found, letterbox, select, to_input
from model.evaluation.speed import ONNX_RUNTIME, Run, interleaved, runner
from model.zoo.rival import Cost, Rival
from services.core.boxes import overlaps
from services.core.errors import BadInputError
from services.core.types import MASK_CLASSES

CROWDS, UNSEEN = "crowds", "unseen"
CROWD_SOURCES = ("wdr", "kgl")
"""Sources, by what their pictures' names begin with, that are mostly crowds and streets."""
MEASURED_CLASSES = ("mask", "no_mask")
"""Badly worn masks are too few among these pictures, and nearly all of them large."""
SMALL = (8.0, 32.0)
"""Longer sides of small faces, in pixels of a picture with a long side of 640; the upper end is not in it."""
LOOSE_OVERLAP = 0.3
FATES = ("right", "named otherwise", "unsure", "placed loosely", "not found")
"""What becomes of a face, the first that applies: found by half, or only by 0.3 (loosely)."""

Scenes = Mapping[str, Sequence[Sample]]


@dataclass(frozen=True)
class FacesFigures:
    """The figures of a row."""

    name: str
    title: str
    judged: Mapping[str, Sequence[Judged]]
    """By CROWDS and UNSEEN."""
    fates: Mapping[str, int]
    """Of the small faces of all these pictures."""
    cost: Cost
    samples_ms: tuple[float, ...] = ()
    """Processor milliseconds of a picture in ONNX Runtime with one thread, selection of boxes included."""

    @property
    def median_ms(self) -> float:
        """The median of the samples."""
        return median(self.samples_ms)

    @property
    def all_judged(self) -> list[Judged]:
        """The pictures of both scenes."""
        return [one for judged in self.judged.values() for one in judged]


def load_scenes(sources: Sequence[DataSource]) -> dict[str, list[Sample]]:
    """The pictures of both scenes; raises BadInputError where the folders have none of one.

    Crowds are of the folder's own val part and test part: nothing is chosen by this table.
    """
    own = [one for one in sources if (one.folder / "images" / "val").is_dir()]
    splits = [split for split in ("val", "test") if any(picture_paths(one.folder, split) for one in own)]
    kept_apart = [one for split in splits for one in load_split(own, split, LONG_SIDE_PX)]
    crowds = [one for one in kept_apart if one.name.partition("_")[0] in CROWD_SOURCES]
    if not crowds:
        raise BadInputError(
            "the table small-faces is measured on crowds: no picture in images/val of the folders begins "
            f"with {' or '.join(f'{name}_' for name in CROWD_SOURCES)}"
        )
    return {CROWDS: crowds, UNSEEN: load_split(sources, "unseen", LONG_SIDE_PX)}


def judge_row(
    rival: Rival, scenes: Scenes, step: Callable[[], None]
) -> tuple[dict[str, list[Judged]], dict[str, int]]:
    """The answers of a row in both scenes, and the fates of small faces; `step` after each picture."""
    judged: dict[str, list[Judged]] = {}
    fates = dict.fromkeys(FATES, 0)
    for scene, samples in scenes.items():
        judged[scene] = []
        for sample in samples:
            found, scale = rival.predict(sample.picture), LONG_SIDE_PX / max(sample.picture.shape[:2])
            judged[scene].append(judge(found, sample.labels, scale))
            for fate in fates_of(found, small_labels(sample, scale)):
                fates[fate] += 1
            step()
    return judged, fates


def small_labels(sample: Sample, scale: float) -> FloatArray:
    """The small faces (m, 5) of a picture with a measured class; `scale` makes its long side 640."""
    sides = (sample.labels[:, 3:] - sample.labels[:, 1:3]).max(1, initial=0) * scale
    classes = [MASK_CLASSES.index(name) for name in MEASURED_CLASSES]
    chosen = (sides >= SMALL[0]) & (sides < SMALL[1]) & np.isin(sample.labels[:, 0], classes)
    labels: FloatArray = sample.labels[chosen]
    return labels


def fates_of(found: Found, labels: FloatArray) -> list[str]:
    """What became of each face, one of FATES; faces (m, 5) and detections in the same pixels."""
    if not len(found.boxes):
        return [FATES[-1]] * len(labels)
    overlap = overlaps(labels[:, 1:], found.boxes)
    return [
        _fate(row, found.classes == int(label), found.scores >= SURE)
        for row, label in zip(overlap, labels[:, 0], strict=True)
    ]


def _fate(overlap: FloatArray, of_class: BoolArray, sure: BoolArray) -> str:
    placed = overlap >= THRESHOLDS[0]
    checks = (placed & of_class & sure, placed & sure, placed, overlap >= LOOSE_OVERLAP)
    return next((fate for fate, check in zip(FATES, checks, strict=False) if check.any()), FATES[-1])


def right_of_size(judged: Sequence[Judged], index: int, low: float, high: float) -> tuple[BoolArray, int]:
    """Which detections of a class and size are right, best first, and of how many faces; as ap50_by_size."""
    scores, right, boxes = [], [], 0
    for one in judged:
        chosen = (one.classes == index) & one.counts_for(low, high)
        scores.append(one.scores[chosen])
        right.append(one.right[chosen, 0])
        sides = one.label_sides
        boxes += int(((one.labels == index) & (sides >= low) & (sides < high)).sum())
    order = np.concatenate(scores).argsort(kind="stable")[::-1]
    ordered: npt.NDArray[np.bool_] = np.concatenate(right)[order]
    return ordered, boxes


def small_ap50(judged: Sequence[Judged]) -> float:
    """AP50 of small faces, the mean of masked and bare; 0 of a class without one."""
    values = []
    for name in MEASURED_CLASSES:
        right, boxes = right_of_size(judged, MASK_CLASSES.index(name), *SMALL)
        values.append(average_precision(right, boxes) if boxes else 0.0)
    return float(np.mean(values))


def map50(judged: Sequence[Judged]) -> float:
    """AP50 of faces of all sizes, the mean of masked and bare."""
    values = []
    for name in MEASURED_CLASSES:
        right, boxes = right_of_size(judged, MASK_CLASSES.index(name), 0, float("inf"))
        values.append(average_precision(right, boxes) if boxes else 0.0)
    return float(np.mean(values))


def time_rows(rivals: Sequence[Rival], sample: Sample, input_px: int, rounds: int) -> list[tuple[float, ...]]:
    """Processor milliseconds of each row for one picture, network and selection of boxes, interleaved."""
    fitted, _ = letterbox(sample, input_px, input_px)
    pictures = to_input(fitted[None])
    with TemporaryDirectory() as folder:
        runs = []
        for rival in rivals:
            path = Path(folder) / f"{rival.name}.onnx"
            rival.export(path)
            runs.append(_detecting(runner(path, ONNX_RUNTIME, pictures)))
        return interleaved(runs, rounds)


def _detecting(run: Run) -> Run:
    return lambda: select(cast(Any, run())[0][0], SURE, NMS_IOU)
