"""The figures of a model card: one exported file on the parts of a labelled folder that it is judged by."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from model.data.samples import Sample, load_split
from model.data.sources import source_of, sources_of
from model.evaluation.evaluate import Model, judge_samples, load_onnx
from model.evaluation.judging import Judged
from model.evaluation.metrics import Share, found_with_class
from model.evaluation.report import Report, report
from model.training.config import DataSource

SPLITS = {"test": "the test part", "val": "the validation part"}
"""The splits of a card, in its order, with what it calls them."""


@dataclass(frozen=True)
class SourceFigures:
    """What a model finds in the pictures of one source."""

    pictures: int
    found: Share
    """The boxes that a detection of their class found at confidence 0.25."""


@dataclass(frozen=True)
class SplitFigures:
    """What a model finds in one split, in all and by source."""

    report: Report
    by_source: dict[str, SourceFigures]


@dataclass(frozen=True)
class CardFigures:
    """All measured figures of a card, and the file and data that they are of."""

    sha256: str
    input_px: tuple[int, int]
    data: str
    splits: dict[str, SplitFigures]


def measure_card(path: Path, data: Path, threads: int = 2) -> CardFigures:
    """Evaluates an .onnx file at its input size; BadInputError as of loading either."""
    model = load_onnx(path, threads)
    return CardFigures(
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        input_px=model.input_size,
        data=data.name,
        splits={split: _measure_split(model, data, split) for split in SPLITS},
    )


def _measure_split(model: Model, data: Path, split: str) -> SplitFigures:
    samples = load_split([DataSource(data)], split, max(640, *model.input_size))
    judged = judge_samples(model, samples)
    return SplitFigures(report(judged, model.classes), by_source(samples, judged, sources_of(data)))


def by_source(
    samples: Sequence[Sample], judged: Sequence[Judged], sources: dict[str, str]
) -> dict[str, SourceFigures]:
    """The figures of each source, by its name; `judged` in the order of the samples."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for sample, one in zip(samples, judged, strict=True):
        groups[source_of(sample.name, sources)].append(one)
    return {
        name: SourceFigures(len(group), found_with_class(group)) for name, group in sorted(groups.items())
    }
