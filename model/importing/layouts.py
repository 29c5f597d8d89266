"""What the outputs of a detector mean, found out from their names, shapes and values. Pure.

Sources of the layouts: the exports of Ultralytics YOLO (v5, v8 and later), YOLOv7, YOLOX, TensorFlow's
Object Detection API, torchvision, pytorch-ssd, Caffe SSD, PP-YOLOE, DETR and RT-DETR, as their projects
document them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from model.importing.values import (
    are_corners,
    are_probabilities,
    are_sizes,
    are_whole,
    background_of,
    is_normalised,
    may_be_logits,
)
from services.core.errors import BadInputError

Values = NDArray[Any]
Samples = Mapping[str, Sequence[Values]]
"""What each output gave for each of the pictures that were tried, by its name."""

BoxForm = Literal["cxcywh", "xyxy", "yxyx"]
Activation = Literal["none", "sigmoid", "softmax"]

YOLOX_STRIDES = (8, 16, 32)
UNSEEN = (
    "it finds nothing in the pictures that it was tried on: its boxes are taken to be corners in pixels; "
    "--picture gives it one with something on it"
)
BACKGROUND_WORDS = {"background", "__background__", "bg", "no-object", "no_object"}
PARTS_OF_NAMES = {
    "scores": ("score", "conf", "logit", "prob", "cls"),
    "labels": ("label", "class", "cls"),
}
TENSORFLOW = ("detection_boxes", "raw_detection_boxes")
SUM_SLACK = 0.01


@dataclass(frozen=True, slots=True)
class Part:
    """Some columns of an output that is read as rows of `width` values, turned before where `is_turned`."""

    output: str
    width: int
    columns: tuple[int, ...]
    is_turned: bool = False

    @classmethod
    def whole(cls, output: str, width: int, is_turned: bool = False) -> "Part":
        """Take all columns."""
        return cls(output, width, tuple(range(width)), is_turned)

    def rows(self, outputs: Mapping[str, Values]) -> NDArray[np.float32]:
        """Give its values (n, columns)."""
        values = np.asarray(outputs[self.output], np.float32)
        if self.is_turned:
            values = values.swapaxes(-1, -2)
        rows: NDArray[np.float32] = values.reshape(-1, self.width)[:, list(self.columns)]
        return rows


@dataclass(frozen=True, slots=True)
class Layout:
    """Where boxes and scores stand in the outputs, and how they are written."""

    kind: str
    """In words for a person."""
    boxes: Part
    box_form: BoxForm
    is_normalised: bool
    scores: Part
    """A column for each class; with `labels` the one score of the row."""
    classes: int
    labels: Part | None = None
    first_label: int = 0
    """The label of the first class."""
    objectness: Part | None = None
    activation: Activation = "none"
    strides: tuple[int, ...] = ()
    """Of a YOLOX whose boxes are offsets in cells; else none."""
    is_set: bool = False
    """Whether it gives each object once, so that nothing more has to be suppressed."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What was taken to be so without being seen."""


@dataclass(frozen=True, slots=True)
class Hints:
    """What a person says of a file that does not say it itself; None: to be found out."""

    classes: tuple[str, ...] | None
    width: int
    height: int
    box_form: BoxForm | None = None
    first_label: int | None = None

    @property
    def count(self) -> int | None:
        """How many classes there are, where that is known."""
        return None if self.classes is None else len(self.classes)


def recognise(samples: Samples, hints: Hints) -> Layout:
    """Find out the layout; BadInputError says why there is none that is known."""
    usable = {name: values for name, values in samples.items() if values[0].ndim > 0}
    if all(values[0].ndim < 2 and values[0].size == 1 for values in usable.values()):
        raise BadInputError("it gives no boxes: each of its outputs is a single number")
    pair = _pair(usable, hints)
    if pair is not None:
        return pair
    single = {name: values for name, values in usable.items() if _rows_of(values[0]) is not None}
    if not single:
        shapes = ", ".join(f"{name} {list(values[0].shape)}" for name, values in usable.items())
        raise BadInputError(f"none of its outputs is a list of boxes: {shapes[:400]}")
    name = max(single, key=lambda one: single[one][0].size)
    found = _detections(name, single[name], hints) or _grid(name, single[name], hints)
    if found is None:
        raise BadInputError(_no_match(name, single[name][0].shape, hints))
    return found


def _rows_of(values: Values) -> tuple[int, int] | None:
    """Give the last two sizes of an output that is a table for one picture."""
    if values.ndim < 2 or any(size != 1 for size in values.shape[:-2]):
        return None
    return int(values.shape[-2]), int(values.shape[-1])


def _joined(part: Part, values: Sequence[Values]) -> NDArray[np.float32]:
    return np.concatenate([part.rows({part.output: one}) for one in values])


# Boxes and scores in outputs of their own.


def _pair(samples: Samples, hints: Hints) -> Layout | None:
    """Read boxes (…, 4) beside scores, with labels or with a column for each class; None: there are none."""
    candidates = [
        name for name, values in samples.items() if values[0].ndim >= 2 and values[0].shape[-1] == 4
    ]
    candidates.sort(key=lambda name: _doubts(name, samples[name]))
    for name in candidates:
        rows = samples[name][0].size // 4
        others = {
            other: values
            for other, values in samples.items()
            if other != name and _columns(values[0], rows) is not None
        }
        found = _labelled(name, others, samples, hints) or _scored(name, rows, others, samples, hints)
        if found is not None:
            return found
    return None


def _doubts(name: str, values: Sequence[Values]) -> tuple[bool, bool, bool, bool, bool, float]:
    """Say what speaks against boxes, the weightiest first: four classes have scores of the same shape.

    Shares of classes are one together, corners have an order, and most scores are next to nothing.
    """
    rows = _joined(Part.whole(name, 4), values)
    return (
        name not in TENSORFLOW[:1],
        "box" not in name.lower(),
        bool(_named([name], "scores")),
        bool(np.allclose(rows.sum(axis=1), 1, atol=SUM_SLACK)),
        not are_corners(rows),
        -float(rows.mean()) if len(rows) else 0.0,
    )


def _columns(values: Values, rows: int) -> tuple[int, bool] | None:
    """Give how many values a row has, and whether the rows stand in the last axis; None: it has others."""
    shape = [size for size in values.shape if size != 1] or [1]
    if values.size == rows and len(shape) == 1:
        return 1, False
    if rows == 0:
        return (1, False) if values.size == 0 and values.ndim <= 2 else None
    if rows == 1 and len(shape) == 1:
        return values.size, False
    if len(shape) != 2 or rows not in shape:
        return None
    is_turned = shape[0] != rows
    return (shape[0] if is_turned else shape[1]), is_turned


def _named(names: Sequence[str], kind: str) -> list[str]:
    return [name for name in names if any(part in name.lower() for part in PARTS_OF_NAMES[kind])]


def _labelled(boxes: str, others: Samples, samples: Samples, hints: Hints) -> Layout | None:
    """Read one score and one label for each box: what is left after a suppression inside of the graph."""
    rows = samples[boxes][0].size // 4
    single = [name for name, values in others.items() if _columns(values[0], rows) == (1, False)]
    whole = [name for name in single if are_whole(samples[name])]
    labels = [n for n in whole if samples[n][0].dtype.kind in "iu"] or _named(whole, "labels") or whole
    scores = [n for n in single if n not in labels[:1] and samples[n][0].dtype.kind == "f"]
    scores = _named(scores, "scores") or scores
    if not labels or not scores:
        return None
    is_tensorflow = boxes in TENSORFLOW
    is_bare = samples[boxes][0].ndim == 2
    first, notes = _first_label(samples[labels[0]], is_tensorflow or is_bare, hints)
    box_part = Part.whole(boxes, 4)
    values = _joined(box_part, samples[boxes])
    form: BoxForm = hints.box_form or ("yxyx" if is_tensorflow else "xyxy")
    if not len(values) and not is_tensorflow:
        notes = (*notes, UNSEEN)
    return Layout(
        kind="boxes, scores and labels, suppressed inside",
        boxes=box_part,
        box_form=form,
        is_normalised=is_tensorflow or is_normalised(values),
        scores=Part.whole(scores[0], 1),
        classes=_known_count(hints, None),
        labels=Part.whole(labels[0], 1),
        first_label=first,
        is_set=True,
        notes=notes,
    )


def _first_label(labels: Sequence[Values], is_likely_one: bool, hints: Hints) -> tuple[int, tuple[str, ...]]:
    """Say which label the first class has: with a background, the first is 1."""
    if hints.first_label is not None:
        return hints.first_label, ()
    if hints.classes and hints.classes[0].lower() in BACKGROUND_WORDS:
        return 1, ()
    found = np.concatenate([np.asarray(one).reshape(-1) for one in labels])
    if hints.count is not None and found.size and found.max() == hints.count:
        return 1, ()
    if found.size and found.min() == 0 and not is_likely_one:
        return 0, ()
    first = 1 if is_likely_one else 0
    return first, (f"the first class is taken to have the label {first}; --first-label says otherwise",)


def _scored(boxes: str, rows: int, others: Samples, samples: Samples, hints: Hints) -> Layout | None:
    """Read a column of scores for each class beside the boxes: SSD and DETR."""
    tables = [name for name, values in others.items() if values[0].dtype.kind == "f"]
    name = _score_table(tables, samples, rows, hints)
    if name is None:
        return None
    columns, is_turned = _columns(samples[name][0], rows) or (0, False)
    scores = Part.whole(name, columns, is_turned)
    values = _joined(scores, samples[name])
    count = _known_count(hints, columns)
    chosen, activation = _class_columns(values, columns, count, hints)
    box_part = Part.whole(boxes, 4)
    places = _joined(box_part, samples[boxes])
    form = hints.box_form or _form_of(boxes, places)
    if form is None:
        raise BadInputError(
            f"the values of {boxes} are no boxes but offsets from anchors, which the file does not hold: "
            "export it with its decoding"
        )
    is_detr = "logit" in name.lower() or "pred_" in boxes.lower()
    return Layout(
        kind="DETR: queries with boxes and scores" if is_detr else "SSD: boxes and scores by class",
        boxes=box_part,
        box_form=form,
        is_normalised=is_normalised(places),
        scores=Part(name, columns, chosen, is_turned),
        classes=count,
        activation=activation,
        is_set=is_detr,
    )


def _score_table(names: Sequence[str], samples: Samples, rows: int, hints: Hints) -> str | None:
    """Choose the output that holds the scores: by its number of columns, else by its name."""
    if hints.count is not None:
        fitting = [
            name
            for name in names
            if (_columns(samples[name][0], rows) or (0,))[0] in (hints.count, hints.count + 1)
        ]
        if fitting:
            return (_named(fitting, "scores") or fitting)[0]
    named = _named(names, "scores")
    return named[0] if named else names[0] if len(names) == 1 else None


def _known_count(hints: Hints, columns: int | None) -> int:
    """Give the number of classes; BadInputError where nobody has named them."""
    names = hints.classes
    if names is None:
        many = "its classes" if columns is None else f"{columns} classes, or {columns - 1} and a background"
        raise BadInputError(f"the file does not name what it finds: give --classes with {many}")
    return len(without_background(names))


def _class_columns(
    values: NDArray[np.float32], columns: int, count: int, hints: Hints
) -> tuple[tuple[int, ...], Activation]:
    """Say which columns are classes, and what makes scores of them."""
    has_scores = are_probabilities(values)
    if not has_scores and not may_be_logits(values):
        raise BadInputError("it gives values beside its boxes that are no scores of classes")
    if columns == count:
        return tuple(range(count)), "none" if has_scores else "sigmoid"
    if columns != count + 1:
        raise BadInputError(
            f"it scores {columns} classes, but {count} are named: give --classes with {columns} names, or "
            f"{columns - 1} where one column is the background"
        )
    is_first = (
        bool(hints.classes and hints.classes[0].lower() in BACKGROUND_WORDS) or background_of(values) == 0
    )
    chosen = tuple(range(1, columns)) if is_first else tuple(range(count))
    return chosen, "none" if has_scores else "softmax"


def _form_of(name: str, boxes: NDArray[np.float32]) -> BoxForm | None:
    if name in TENSORFLOW:
        return "yxyx"
    if are_corners(boxes) and "pred_boxes" not in name:
        return "xyxy"
    return "cxcywh" if are_sizes(boxes) else None


def without_background(names: Sequence[str]) -> tuple[str, ...]:
    """Give the names of what is found, without a first one that says that nothing is there."""
    return tuple(names[names[0].lower() in BACKGROUND_WORDS :])


# All in one output.


def _detections(name: str, values: Sequence[Values], hints: Hints) -> Layout | None:
    """Read rows of a box, a score and a label: without suppression, or what is left after one inside."""
    width = values[0].shape[-1]
    forms: list[tuple[str, tuple[int, ...], int, int, int | None]] = []
    if width == 6:
        forms = [("rows of box, score and class (NMS-free, or suppressed inside)", (0, 1, 2, 3), 4, 5, None)]
    elif width == 7:
        forms = [
            ("rows of picture, box, class and score (YOLOv7, suppressed inside)", (1, 2, 3, 4), 6, 5, 0),
            ("rows of picture, class, score and box (Caffe SSD)", (3, 4, 5, 6), 2, 1, 0),
        ]
    for kind, places, score, label, picture in forms:
        rows = _joined(Part.whole(name, width), values)
        if not _fits(rows, places, score, label, picture):
            continue
        is_caffe = label == 1
        first, notes = _first_label([rows[:, label]], is_caffe, hints) if is_caffe else (0, ())
        return Layout(
            kind=kind,
            boxes=Part(name, width, places),
            box_form=hints.box_form or "xyxy",
            is_normalised=is_normalised(rows[:, list(places)]) if len(rows) else is_caffe,
            scores=Part(name, width, (score,)),
            classes=_known_count(hints, None),
            labels=Part(name, width, (label,)),
            first_label=first if hints.first_label is None else hints.first_label,
            is_set=True,
            notes=notes,
        )
    return None


def _fits(
    rows: NDArray[np.float32], places: tuple[int, ...], score: int, label: int, picture: int | None
) -> bool:
    is_one_picture = picture is None or bool(np.all(rows[:, picture] <= 0))
    has_labels = are_whole([rows[:, label]]) and (not len(rows) or rows[:, label].min() >= -1)
    return bool(
        is_one_picture
        and has_labels
        and are_probabilities(rows[:, score])
        and are_corners(rows[:, list(places)])
    )


def _grid(name: str, values: Sequence[Values], hints: Hints) -> Layout | None:
    """Read a YOLO's grid: rows of a box, perhaps an objectness, and a score for each class."""
    sizes = _rows_of(values[0])
    if sizes is None or 1 in sizes:
        return None
    if hints.count is None:
        width, head = min(sizes), 4 if sizes[0] < sizes[1] else 5
        names = f"{max(1, width - head)} names"
        raise BadInputError(f"the file does not name what it finds: give --classes with {names}")
    fitting = [
        (Part.whole(name, width, is_turned), head)
        for is_turned, width in ((True, sizes[0]), (False, sizes[1]))
        for head in (4, 5)
        if width == head + hints.count
    ]
    found = [_as_grid(part, values, head, hints) for part, head in fitting]
    read = [layout for layout in found if layout is not None]
    return min(read, key=lambda layout: layout.activation != "none", default=None)


def _as_grid(part: Part, values: Sequence[Values], head: int, hints: Hints) -> Layout | None:
    rows = _joined(part, values)
    boxes, scores = rows[:, :4], rows[:, 4:]
    has_scores, raw = are_probabilities(scores), not are_sizes(boxes)
    cells = sum((hints.width // stride) * (hints.height // stride) for stride in YOLOX_STRIDES)
    is_yolox = raw and head == 5 and has_scores and len(values[0].reshape(-1)) == cells * part.width
    if raw and not is_yolox and not are_corners(boxes):
        return None
    if not has_scores and not may_be_logits(scores):
        return None
    form: BoxForm = hints.box_form or ("xyxy" if are_corners(boxes) and not is_yolox else "cxcywh")
    columns = tuple(range(head, part.width))
    return Layout(
        kind="YOLOX, boxes in cells" if is_yolox else _yolo_kind(head),
        boxes=Part(part.output, part.width, (0, 1, 2, 3), part.is_turned),
        box_form=form,
        is_normalised=not is_yolox and is_normalised(boxes),
        scores=Part(part.output, part.width, columns, part.is_turned),
        classes=len(columns),
        objectness=Part(part.output, part.width, (4,), part.is_turned) if head == 5 else None,
        activation="none" if has_scores else "sigmoid",
        strides=YOLOX_STRIDES if is_yolox else (),
    )


def _yolo_kind(head: int) -> str:
    return "YOLO with objectness (v5, v7)" if head == 5 else "YOLO without objectness (v8 and later)"


def _no_match(name: str, shape: Sequence[int], hints: Hints) -> str:
    count = hints.count or 0
    return (
        f"output {name} {list(shape)} is in no layout that is known for {count} classes: a YOLO gives 4 or 5 "
        f"+ {count} values a place, a list of objects 6 or 7. Name its classes by --classes; if it is no "
        "detector of upright boxes (segmentation, keypoints, turned boxes), export a detector"
    )
