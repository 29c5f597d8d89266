"""What stands in the table `small-faces` and around it; each figure is measured or has a source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model.data.samples import Sample
from model.evaluation.comparing import Difference, bootstrap_difference
from model.evaluation.evaluate import LONG_SIDE_PX
from model.evaluation.metrics import (
    SIZES,
    ap50_by_size,
    found_with_class,
    recall_at_false_detections,
)
from model.zoo.rival import Schedule
from model.zoo.small_faces.measuring import (
    CROWDS,
    MEASURED_CLASSES,
    SMALL,
    UNSEEN,
    FacesFigures,
    Scenes,
    map50,
    small_ap50,
)
from model.zoo.small_faces.rows import GBYOLO, INPUT_PX, LONG, MAIN
from model.zoo.small_faces.schedule import EPOCHS, LEARNING_RATE
from services.core.types import MASK_CLASSES


@dataclass(frozen=True)
class PaperFigure:
    """What others report for a method, and where."""

    value: float
    of: str
    source: str


PAPER_FIGURES = (
    PaperFigure(0.914, "WIDER FACE test, hard", "Deng et al., RetinaFace, arXiv 1905.00641, abstract"),
    PaperFigure(
        0.740,
        "WIDER FACE val, hard, MobileNet-0.25 at the scale of the picture",
        "github.com/biubug6/Pytorch_Retinaface, README",
    ),
)
"""For RetinaNet for small faces."""
PAPER_PICTURES, PAPER_EPOCHS = 12_880, 80
"""WIDER FACE's training pictures (Yang et al., CVPR 2016) and the epochs of RetinaFace (4.1)."""
ROUNDS = 200
"""Draws of pictures for the interval of a difference."""


def columns() -> list[str]:
    """The heads of the columns."""
    sizes = [f"AP50 {size} px, masked / bare" for size in SIZES]
    pairs = [f"{name}, {CROWDS} / {UNSEEN}" for name in ("mAP50", "recall from 0.25 on", "recall at 1 false")]
    return [
        "method",
        "row",
        "pictures shown",
        *sizes,
        *pairs,
        "M parameters",
        "GFLOPs",
        "MB",
        "ms",
        "frames/s",
        "paper",
    ]


def row_of(row: FacesFigures, history: Sequence[Mapping[str, float]]) -> list[str]:
    """The cells of a row."""
    crowds, unseen = row.judged[CROWDS], row.judged[UNSEEN]
    paper = PAPER_FIGURES[0]
    return [
        row.title,
        f"`{row.name}`",
        "far more" if row.name == LONG else shown_so_far(history),
        *size_cells(row, CROWDS),
        f"{map50(crowds):.3f} / {map50(unseen):.3f}",
        f"{found_with_class(crowds).share:.3f} / {found_with_class(unseen).share:.3f}",
        f"{recall_at_false_detections(crowds):.3f} / {recall_at_false_detections(unseen):.3f}",
        f"{row.cost.parameters / 1e6:.2f}",
        f"{row.cost.gflops:.2f}",
        f"{row.cost.size_bytes / 1e6:.1f}",
        f"{row.median_ms:.1f}",
        f"{1000 / row.median_ms:.0f}",
        f"{paper.value:.3f} ({paper.of})" if row.name == MAIN else "-",
    ]


def shown_so_far(history: Sequence[Mapping[str, float]]) -> str:
    """How many pictures a row was shown, and whether its training has yet to end."""
    if not history:
        return "less than an epoch"
    end = "" if history[-1]["epoch"] >= EPOCHS else " (unfinished)"
    return f"{history[-1]['shown']:,.0f}{end}"


def size_cells(row: FacesFigures, scene: str) -> list[str]:
    """AP50 of masked and bare faces by size in one scene."""
    shares = ap50_by_size(row.judged[scene], MASK_CLASSES)
    return [" / ".join(_share(shares[name][size].share) for name in MEASURED_CLASSES) for size in SIZES]


def _share(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"


def introduction(scenes: Scenes, schedule: Schedule, missing: Sequence[str]) -> str:
    """Data, schedule, and the command that makes the table anew."""
    counts = ", ".join(f"{len(samples)} {scene}" for scene, samples in scenes.items())
    lines = [
        f"Made by `sightline bench models --table small-faces`. Measured on {counts}: pictures of WIDER "
        "FACE and of streets in the val folder of the mask set, and a source of which no training has seen "
        "a picture. Detections are right from an IoU of 0.5 on; sizes are longer sides in a picture with a "
        f"long side of {LONG_SIDE_PX}. The input of all is {schedule.input_px}x{schedule.input_px}, "
        "letterboxed.",
        f"Faces by size and class: {_faces(scenes)}.",
        f"All rows but `{LONG}` were shown about {schedule.shown:,} pictures with one seed "
        f"({schedule.seed}), the same in the same order, with the same augmentation, optimiser (AdamW, "
        f"{LEARNING_RATE:g}, half a cosine, {EPOCHS} epochs) and averaged weights; they begin with the "
        "backbone of traffic-n, as those of the papers begin with ImageNet. The weights of the end are "
        "measured: none were chosen. Classes are those of the product (mask, no_mask, mask_incorrect) for "
        "all: a method that finds faces in general would need a second stage before it counts the same "
        "thing. Badly worn masks are learned, but too few are in these pictures to be measured: mAP50 is "
        "the mean of masked and bare.",
    ]
    if missing:
        lines.append(f"Without weights, and left out: {', '.join(missing)}.")
    return "\n\n".join(lines)


def _faces(scenes: Scenes) -> str:
    parts = []
    for scene, samples in scenes.items():
        for name in MEASURED_CLASSES:
            numbers = _numbers(samples, MASK_CLASSES.index(name))
            parts.append(f"{scene} {name} " + ", ".join(f"{n} of {size}" for size, n in numbers.items()))
    return "; ".join(parts)


def _numbers(samples: Sequence[Sample], index: int) -> dict[str, int]:
    numbers = dict.fromkeys(SIZES, 0)
    for sample in samples:
        sides = (sample.labels[:, 3:] - sample.labels[:, 1:3]).max(1, initial=0)
        sides = sides[sample.labels[:, 0] == index] * (LONG_SIDE_PX / max(sample.picture.shape[:2]))
        for size, (low, high) in SIZES.items():
            numbers[size] += int(((sides >= low) & (sides < high)).sum())
    return numbers


def notes(rows: Sequence[FacesFigures]) -> str:
    """What can and cannot be compared, the unseen source by size, differences, and why faces are missed."""
    by_name = {row.name: row for row in rows}
    parts = [_unseen_table(rows), _differences(by_name), _fates(rows), _comparable()]
    return "\n\n".join(part for part in parts if part)


def _unseen_table(rows: Sequence[FacesFigures]) -> str:
    head = ["method", *(f"{size} px" for size in SIZES)]
    lines = [f"AP50 by size in the {UNSEEN} source, masked / bare:", ""]
    lines += ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += [f"| `{row.name}` | " + " | ".join(size_cells(row, UNSEEN)) + " |" for row in rows]
    return "\n".join(lines)


def _differences(rows: Mapping[str, FacesFigures]) -> str:
    """RetinaNet with all its parts against each other row: by how much, and whether that is chance."""
    if MAIN not in rows or len(rows) == 1:
        return ""
    lines = [
        f"`{MAIN}` minus each other row, on all pictures, and where 95 of 100 draws of the pictures lie. "
        "One seed each: another seed moves a row too, so that a difference near its interval's end proves "
        "nothing.",
        "",
        "| compared with | AP50 of 8 to 32 px | mAP50 | verdict |",
        "| --- | --- | --- | --- |",
    ]
    main = [rows[MAIN].all_judged]
    for name, row in rows.items():
        if name != MAIN:
            small, whole = (
                bootstrap_difference([row.all_judged], main, figure, ROUNDS) for figure in (small_ap50, map50)
            )
            lines.append(f"| `{name}` | {_interval(small)} | {_interval(whole)} | {verdict(small)} |")
    return "\n".join(lines)


def _interval(value: Difference) -> str:
    return f"{value.difference:+.3f} ({value.low:+.3f} to {value.high:+.3f})"


def verdict(small: Difference) -> str:
    """What the interval of the difference for small faces says."""
    if small.low > 0:
        return "better on small faces"
    return "worse on small faces" if small.high < 0 else "no difference to be seen"


def _fates(rows: Sequence[FacesFigures]) -> str:
    """Why small faces count as missed, counted."""
    fates = list(rows[0].fates)
    lines = [
        "What became of the faces of 8 to 32 px: found with its class and a score from 0.25 on (right), "
        "found so with another class, with a lower score, with an IoU of only 0.3 to 0.5, or not at all.",
        "",
        "| method | " + " | ".join(fates) + " |",
        "|" + " --- |" * (len(fates) + 1),
    ]
    for row in rows:
        total = max(1, sum(row.fates.values()))
        cells = [f"{count} ({count / total:.0%})" for count in row.fates.values()]
        lines.append(f"| `{row.name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _comparable() -> str:
    figures = "; ".join(f"{one.value:.3f} ({one.of}: {one.source})" for one in PAPER_FIGURES)
    shown = PAPER_PICTURES * PAPER_EPOCHS
    return (
        f"What can be compared: all rows but `{LONG}` with each other, since only what they are named after "
        f"differs between them; `{GBYOLO}` has the backbone of all. It has no level of stride 4, its "
        "anchors are fitted to the training faces, its loss is a cross-entropy of objectness over all "
        f"cells, and its mining shows pictures with missed and misnamed faces, not regions. `{LONG}` was "
        "trained for hours, on what its card tells: it shows what a schedule is worth, not what an "
        f"architecture is.\n\nWhat cannot: {figures}. Those are of one class, bare faces of WIDER FACE, and "
        "the first of them of a large backbone that sees each picture at several sizes, most of them far "
        f"larger than ours; its training was shown {shown:,} pictures ({PAPER_EPOCHS} epochs of "
        f"{PAPER_PICTURES:,}), with landmarks, which our faces do not have labelled. Here a face counts "
        f"only with its class, in a picture of {INPUT_PX} pixels, where a face of {SMALL[0]:.0f} px of the "
        f"table has {SMALL[0] * INPUT_PX / LONG_SIDE_PX:.0f}. Times are processor time of one thread in "
        "ONNX Runtime, the network and the selection of boxes, the median of interleaved rounds on one "
        "picture."
    )
