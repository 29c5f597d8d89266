"""What the table of classifiers says, in rows and in words."""

from collections.abc import Sequence
from math import isnan, sqrt
from statistics import median
from typing import TYPE_CHECKING

from model.evaluation.report import shown
from model.zoo.classifiers.augment import SHEAR, SHIFT, TURN_DEGREES, ZOOM
from model.zoo.classifiers.contenders import PAPERS, PICTURES_SHARE
from model.zoo.classifiers.crops import MARGIN, MIN_FACE_PX, Sides
from model.zoo.classifiers.measuring import LARGE_PX
from model.zoo.rival import Cost
from model.zoo.table import TableSettings
from services.core.types import MASK_CLASSES

if TYPE_CHECKING:
    from model.zoo.classifiers.making import ClassifierRow, PictureRow

CROP_COLUMNS = (
    *("classifier", "input", "shown", "M parameters", "GFLOPs", "MB", "ms a crop"),
    *("accuracy", "mask", "no mask", "badly worn", "precision", "recall", "F1"),
    *("two classes", f"two classes, from {LARGE_PX:g} px", "two classes, unseen", "paper"),
)
PICTURE_COLUMNS = (
    *("finder and classifier", "M parameters", "GFLOPs", "MB", "ms a picture", "frames a second"),
    *("found", "mask", "no mask", "badly worn", "mAP50"),
)
NONE = "–"
WORN_BADLY = MASK_CLASSES.index("mask_incorrect")


def crop_row(row: "ClassifierRow") -> list[str]:
    """The cells of a classifier."""
    val, kind = row.val, row.kind
    paper = PAPERS.get(kind.name)
    return [
        kind.title,
        f"{kind.side_px}",
        "all" if kind.shown_share == 1 else f"{kind.shown_share:g} of all",
        *_costs(row.cost),
        f"{median(row.samples_ms):.2f}",
        shown(val.accuracy),
        *(shown(one) for one in val.by_class),
        shown(val.precision),
        shown(val.recall),
        shown(val.f1),
        shown(val.two_classes),
        NONE if row.large is None else shown(row.large.two_classes),
        NONE if row.unseen is None else shown(row.unseen.two_classes),
        NONE if paper is None else paper.text,
    ]


def picture_row(row: "PictureRow") -> list[str]:
    """The cells of a finder with its classifier."""
    time_ms = median(row.samples_ms)
    figures = row.figures
    return [
        row.title,
        *_costs(row.cost),
        f"{time_ms:.1f}",
        f"{1000 / time_ms:.0f}",
        shown(figures.found),
        *(shown(figures.by_class[name]) for name in MASK_CLASSES),
        shown(figures.map50),
    ]


def _costs(cost: Cost) -> list[str]:
    gflops = NONE if isnan(cost.gflops) else f"{cost.gflops:.{3 if cost.gflops >= 0.01 else 5}f}"
    return [f"{cost.parameters / 1e6:.2f}", gflops, f"{cost.size_bytes / 1e6:.1f}"]


def markdown_rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    head = "| " + " | ".join(columns) + " |\n|" + " --- |" * len(columns)
    return "\n".join([head, *("| " + " | ".join(row) + " |" for row in rows)])


def introduction(sides: Sides, crops: int, settings: TableSettings) -> str:
    """Data, schedule, and the command that makes the table anew."""
    data = " ".join(f"--data {source.folder.name}" for source in settings.data)
    counts = ", ".join(
        f"{sum(crop.label == index for crop in sides.train)} {name}"
        for index, name in enumerate(MASK_CLASSES)
    )
    return f"""`sightline bench models --table classifiers {data} --shown {crops} --seed {settings.seed}`

Faces of the mask sets, cut out by their boxes: a square, its side the longer one of the box and {MARGIN:g}
of it more at each end. Faces under {MIN_FACE_PX:g} px in a picture of at most 640 px are left out. Trained on
{len(sides.train)} faces ({counts}), with masks drawn onto a part of the bare ones. A face, its synthetic
variants and near copies of its picture stand on one side alone; {len(sides.copies)} training pictures were
left out as near copies. Measured on the {len(sides.val)} faces of the validation part, which also chose the
classifier that ships, and on {len(sides.unseen)} of sources that no training saw.

Every network is trained from nothing by one loop: {crops} crops, AdamW, a cosine schedule, batches of 32, one
thread; turned by up to {TURN_DEGREES:g} degrees, scaled by {ZOOM:g}, shifted by {SHIFT:g}, sheared by
{SHEAR:g}, mirrored. The column `shown` says where a slow one had fewer; the finder SSD-ResNet10 saw
{round(crops * PICTURES_SHARE)} pictures. Precision, recall and F1 are means over the three classes;
`two classes` takes a badly worn mask for none, as papers do. Times are processor times of one thread in ONNX
Runtime, one interleaved run of {settings.rounds} rounds."""


def notes(
    classifiers: "Sequence[ClassifierRow]", pictures: "Sequence[PictureRow]", missing: Sequence[str]
) -> str:
    """The second block, and what can and cannot be compared."""
    left_out = f"\n\nLeft out, since not trained: {', '.join(missing)}." if missing else ""
    sources = "; ".join(f"{name}: {paper.source}" for name, paper in PAPERS.items())
    return f"""{errors(classifiers)}### On whole pictures

{markdown_rows(PICTURE_COLUMNS, [picture_row(row) for row in pictures])}

`found` is the share of all labelled faces, however small, that a detection of confidence 0.25 overlaps by
half: the recall at which the accuracies beside it were taken. A score is that of the finder times that of the
class; the Haar cascade gives none, and how far its last stage was passed stands for it. Its operations depend
on the picture and are not counted. The time of a picture holds the classifying of those faces alone that the
finder gives a confidence of 0.25 or more, as a camera's analysis asks for them.{left_out}

**What can be compared.** Rows of one block: the same faces, schedule, engine and machine, one seed. The
second block tells the accuracy among the faces that were found, which are larger than the others, so it is no
measure of a row without its column `found`; mAP50 counts both.

**What cannot.** The papers' figures ({sources}) are of two classes and of their own pictures, and they do not
say how many faces their finder missed. SSDMNV2 begins with weights of ImageNet; here all networks begin with
nothing. Here faces are as small as {MIN_FACE_PX:g} px, and badly worn masks are a class of their own, whose
labels disagree in about one case of ten. The column `two classes, from {LARGE_PX:g} px` is what comes nearest
to theirs."""


def errors(classifiers: "Sequence[ClassifierRow]") -> str:
    """What the errors of the most accurate classifier are, counted; empty where there is none."""
    if not classifiers:
        return ""
    best = max(classifiers, key=lambda row: row.val.accuracy)
    counts = best.confusion
    wrong = int(counts.sum() - counts.trace())
    badly = int(counts[WORN_BADLY].sum() + counts[:, WORN_BADLY].sum() - 2 * counts[WORN_BADLY, WORN_BADLY])
    error = 1.96 * sqrt(best.val.accuracy * (1 - best.val.accuracy) / best.val.crops)
    return f"""**Errors.** Of the {wrong} errors of {best.kind.title}, the most accurate here, {badly} are
badly worn masks taken for something else, or something else taken for them. With {best.val.crops} faces
an accuracy is known to {100 * error:.1f} points either way (95 %, by the number of faces alone), so rows
that are nearer to each other are not told apart.

"""
