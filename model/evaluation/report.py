"""All figures of a model on a set of pictures, for a model card or a person."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from model.evaluation.judging import Judged
from model.evaluation.metrics import (
    SIZES,
    Metrics,
    Share,
    ap50_by_size,
    class_accuracy,
    found,
    measure,
    recall_at_false_detections,
)

FACE_SIDE_PX = 32.0
"""From this side on a face should hardly ever be missed."""


@dataclass(frozen=True)
class Report:
    """The figures, by class where it says so."""

    pictures: int
    metrics: Metrics
    by_size: dict[str, dict[str, Share]]
    class_accuracy: dict[str, Share]
    found: Share
    found_from_32_px: Share
    recall_at_one_false: float

    def markdown(self) -> str:
        """Tables as a model card has them: by class, and by object size."""
        metrics = self.metrics
        lines = [
            "| class | boxes | AP50 | recall | precision | class accuracy of found |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        for name, boxes in metrics.boxes.items():
            figures = (metrics.ap50[name], metrics.recall[name], metrics.precision[name])
            accuracy = self.class_accuracy[name]
            cells = " | ".join(shown(value) for value in figures)
            lines.append(f"| {name} | {boxes} | {cells} | {shown(accuracy.share, 4)} (of {accuracy.of}) |")
        total = f"{metrics.map50:.3f} (mAP50-95 {metrics.map50_95:.3f})"
        lines += [f"| all | {sum(metrics.boxes.values())} | {total} | | | |", ""]
        lines += [f"| AP50 by size | {' | '.join(f'{size} px' for size in SIZES)} |"]
        lines += ["| --- |" + " ---: |" * len(SIZES)]
        for name, sizes in self.by_size.items():
            cells = " | ".join(f"{shown(share.share)} ({share.of})" for share in sizes.values())
            lines.append(f"| {name} | {cells} |")
        return "\n".join([*lines, "", self._sentence()])

    def _sentence(self) -> str:
        large = self.found_from_32_px
        return (
            f"Found at confidence 0.25, whatever the class: {shown(self.found.share)} of {self.found.of} "
            f"boxes, {shown(large.share)} of the {large.of} from 32 px on.\n"
            f"Recall at one false detection a picture: {shown(self.recall_at_one_false)}. "
            f"{self.pictures} pictures."
        )


def shown(share: float, digits: int = 3) -> str:
    """A share as a table shows it: a dash where there is nothing to measure."""
    return "–" if math.isnan(share) else f"{share:.{digits}f}"


def report(judged: Sequence[Judged], classes: Sequence[str]) -> Report:
    """All figures over pictures; raises ValueError when there is none."""
    return Report(
        pictures=len(judged),
        metrics=measure(judged, classes),
        by_size=ap50_by_size(judged, classes),
        class_accuracy=class_accuracy(judged, classes),
        found=found(judged),
        found_from_32_px=found(judged, FACE_SIDE_PX),
        recall_at_one_false=recall_at_false_detections(judged),
    )
