"""All figures of a model on a set of pictures, for a model card or a person."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.judging import Judged
from model.metrics import (
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
            cells = " | ".join(f"{value:.3f}" for value in figures)
            lines.append(f"| {name} | {boxes} | {cells} | {accuracy.share:.4f} (of {accuracy.of}) |")
        total = f"{metrics.map50:.3f} (mAP50-95 {metrics.map50_95:.3f})"
        lines += [f"| all | {sum(metrics.boxes.values())} | {total} | | | |", ""]
        lines += [f"| AP50 by size | {' | '.join(f'{size} px' for size in SIZES)} |"]
        lines += ["| --- |" + " ---: |" * len(SIZES)]
        for name, sizes in self.by_size.items():
            cells = " | ".join(f"{share.share:.3f} ({share.of})" for share in sizes.values())
            lines.append(f"| {name} | {cells} |")
        return "\n".join([*lines, "", self._sentence()])

    def _sentence(self) -> str:
        large = self.found_from_32_px
        return (
            f"Found at confidence 0.25, whatever the class: {self.found.share:.3f} of {self.found.of} boxes, "
            f"{large.share:.3f} of the {large.of} from 32 px on. Recall at one false detection a picture: "
            f"{self.recall_at_one_false:.3f}. {self.pictures} pictures."
        )


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
