"""Model cards whose figures are made by a program: between two marks, and in the front matter.

A test makes them again and compares.
"""

import argparse
import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from model.data.samples import DataSource, Sample, load_split
from model.data.sources import source_of, sources_of
from model.evaluation.evaluate import Model, judge_samples, load_onnx
from model.evaluation.judging import Judged
from model.evaluation.metrics import Share, found_with_class
from model.evaluation.report import Report, report, shown

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


BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
FRONT_MATTER = re.compile(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
ACCURACY = re.compile(r"^accuracy:.*\n(?:[ \t]+.*\n)*", re.MULTILINE)


def refreshed(card: str, figures: CardFigures, name: str) -> str:
    """The card with these figures in the place of its own; what it lacks is added."""
    return with_section(card, section_text(figures), accuracy_line(figures), name)


def with_section(card: str, text: str, line: str, name: str) -> str:
    """The card with a text between its marks and a line in its front matter; what it lacks is added."""
    card = card or f"# Model card: {name}\n"
    section = f"{BEGIN}\n{text}\n{END}"
    before, begin, rest = card.partition(BEGIN)
    _, end, after = rest.partition(END)
    added = f"{card.rstrip()}\n\n## Figures\n{section}\n"
    return _with_accuracy(f"{before}{section}{after}" if begin and end else added, line)


def _with_accuracy(card: str, line: str) -> str:
    matter = FRONT_MATTER.match(card)
    if matter is None:
        return f"---\n{line}\n---\n{card}"
    others = ACCURACY.sub("", matter[1])
    return f"---\n{line}\n{others}---\n{card[matter.end() :]}"


def accuracy_line(figures: CardFigures) -> str:
    """What `sightline models` shows: mAP50 by split, and for masks how many found faces have their class."""
    precisions = (f"{shown(part.report.metrics.map50)} on {split}" for split, part in figures.splits.items())
    text = f"accuracy: mAP50 {', '.join(precisions)}"
    report = figures.splits["test"].report
    if "mask" in report.metrics.boxes:
        text += f"; right class {shown(right_class(report))} of the {shown(report.found.share)} found on test"
    return text


def right_class(report: Report) -> float:
    """The share of the found boxes, of all classes together, that were given their class."""
    shares = [share for share in report.class_accuracy.values() if share.of]
    found = sum(share.of for share in shares)
    return sum(share.share * share.of for share in shares) / found if found else float("nan")


def section_text(figures: CardFigures) -> str:
    """The figures as Markdown, a part for each split."""
    width, height = figures.input_px
    head = (
        f"Made by `python -m model.evaluation.card` with the data folder `{figures.data}`, "
        "from the file of SHA-256\n"
        f"`{figures.sha256}`.\n\n"
        f"At {width}x{height}, letterboxed; recall, precision and found at confidence 0.25 and IoU 0.5.\n"
        "Sizes are longer sides with the picture scaled to a long side of 640 px."
    )
    parts = (f"### On {SPLITS[split]}\n{_split_text(part)}" for split, part in figures.splits.items())
    return "\n\n".join((head, *parts))


def _split_text(part: SplitFigures) -> str:
    lines = [
        part.report.markdown(),
        "",
        "| source | pictures | boxes | found with the right class |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, source in part.by_source.items():
        lines.append(f"| {name} | {source.pictures} | {source.found.of} | {shown(source.found.share)} |")
    return "\n".join(lines)


def main() -> None:
    """python -m model.evaluation.card MODEL --data FOLDER: writes the figures into the model's card."""
    parser = argparse.ArgumentParser(description="Measure a model and write the figures into its card")
    parser.add_argument("model", type=Path, help="an .onnx file; its card has the same name and ends in .md")
    parser.add_argument("--data", type=Path, required=True, help="a YOLO folder with images/val")
    values = parser.parse_args()
    card = values.model.with_suffix(".md")
    text = card.read_text(encoding="utf-8") if card.exists() else ""
    figures = measure_card(values.model, values.data)
    card.write_text(refreshed(text, figures, values.model.stem), encoding="utf-8")
    print(card)


if __name__ == "__main__":
    main()
