"""The figures of a classifier's model card, made by a program from its file; a test makes them again."""

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from model.data.samples import DataSource, Sample, load_split
from model.evaluation.card import with_section
from model.evaluation.report import shown
from model.export.writing import INPUT_NAME, METADATA_KEY
from model.zoo.classifiers.crops import MIN_FACE_PX, PICTURE_PX, faces_of, load_unseen
from model.zoo.classifiers.exporting import TASK
from model.zoo.classifiers.measuring import CropFigures, confusion_of
from services.core.crops import cut_square, to_blob
from services.core.errors import BadInputError
from services.core.types import MASK_CLASSES

PARTS = {"test": "the test part", "val": "the validation part", "unseen": "sources that no training saw"}
"""The splits of a card, in its order, with what it calls them."""
BATCH = 64


@dataclass(frozen=True)
class ClassifierFigures:
    """What a classifier says of the faces of each part, as confusion matrices, and the file that says it."""

    sha256: str
    side_px: int
    margin: float
    data: tuple[str, ...]
    parts: dict[str, npt.NDArray[np.int64]]
    by_size: dict[str, tuple[float, int]]
    """Accuracy on the test part by the longer side of the face, and of how many faces."""


SIZES: dict[str, tuple[float, float]] = {
    "12 to 24 px": (12, 24),
    "24 to 48 px": (24, 48),
    "48 to 96 px": (48, 96),
    "96 px and more": (96, float("inf")),
}


def measure_classifier(path: Path, data: Sequence[Path], threads: int = 2) -> ClassifierFigures:
    """Classify the faces of folders by their boxes: test and val of the first, unseen sources of all.

    BadInputError when the file is no classifier of masks.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    values = json.loads(session.get_modelmeta().custom_metadata_map.get(METADATA_KEY, "{}"))
    if values.get("task") != TASK:
        raise BadInputError(f"{path} is no classifier of masks")
    side_px, margin = int(values["input"][0]), float(values["margin"])
    sources = [DataSource(folder) for folder in data]
    parts, sizes = {}, {}
    for name in PARTS:
        samples = load_unseen(sources) if name == "unseen" else load_split(sources[:1], name, PICTURE_PX)
        said, labels, longer_px = _classify(session, samples, side_px, margin)
        if len(labels):
            parts[name] = confusion_of(said, labels)
        if name == "test":
            sizes = _by_size(said.argmax(1) == labels, longer_px)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return ClassifierFigures(digest, side_px, margin, tuple(one.name for one in data), parts, sizes)


def _classify(
    session: onnxruntime.InferenceSession, samples: Sequence[Sample], side_px: int, margin: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Probabilities (n, classes), classes (n,) and longer sides (n,) of all faces of pictures."""
    faces = [(sample, box, label) for sample in samples for box, label in faces_of(sample)]
    said = [np.zeros((0, len(MASK_CLASSES)), np.float32)]
    for start in range(0, len(faces), BATCH):
        group = faces[start : start + BATCH]
        crops = np.stack([cut_square(sample.picture, box, margin, side_px) for sample, box, _ in group])
        said.append(session.run(None, {INPUT_NAME: to_blob(crops)})[0])
    labels = np.array([label for *_, label in faces], np.int64)
    longer_px = np.array([float((box[2:] - box[:2]).max()) for _, box, _ in faces], np.float32)
    return np.concatenate(said), labels, longer_px


def _by_size(
    right: npt.NDArray[np.bool_], longer_px: npt.NDArray[np.float32]
) -> dict[str, tuple[float, int]]:
    found = {}
    for name, (low, high) in SIZES.items():
        of_size = right[(longer_px >= low) & (longer_px < high)]
        found[name] = (float(of_size.mean()) if len(of_size) else float("nan"), len(of_size))
    return found


def refreshed_card(card: str, figures: ClassifierFigures, name: str) -> str:
    """The card with these figures in the place of its own; what it lacks is added."""
    return with_section(card, section(figures), accuracy(figures), name)


def accuracy(figures: ClassifierFigures) -> str:
    """What `sightline models` shows."""
    shares = {part: CropFigures.of(counts) for part, counts in figures.parts.items()}
    text = ", ".join(f"{shown(one.accuracy)} on {part}" for part, one in shares.items())
    return f"accuracy: faces cut out {text}; mask or not {shown(shares['test'].two_classes)} on test"


def section(figures: ClassifierFigures) -> str:
    """The figures as Markdown, a part for each split."""
    head = (
        f"Made by `python -m model.zoo.classifiers.card` with the data folders {', '.join(figures.data)}, "
        f"from the file of SHA-256\n`{figures.sha256}`.\n\n"
        f"Faces from {MIN_FACE_PX:g} px on, cut out by their labelled boxes with a margin of "
        f"{figures.margin:g}, {figures.side_px} px."
    )
    parts = [f"### On {PARTS[part]}\n{_part(counts)}" for part, counts in figures.parts.items()]
    by_size = [
        "### On the test part, by the longer side of the face",
        "| size | accuracy |",
        "| --- | ---: |",
    ]
    by_size += [f"| {name} | {shown(one)} (of {count}) |" for name, (one, count) in figures.by_size.items()]
    return "\n\n".join((head, *parts, "\n".join(by_size)))


def _part(counts: npt.NDArray[np.int64]) -> str:
    figures = CropFigures.of(counts)
    lines = [
        f"| is | {' | '.join(f'as {name}' for name in MASK_CLASSES)} | accuracy |",
        f"| --- |{' ---: |' * (len(MASK_CLASSES) + 1)}",
    ]
    for name, row, share in zip(MASK_CLASSES, counts, figures.by_class, strict=True):
        cells = " | ".join(f"{one / max(1, row.sum()):.3f}" for one in row)
        lines.append(f"| {name} ({row.sum()}) | {cells} | {shown(share)} |")
    lines += [
        "",
        f"Accuracy {shown(figures.accuracy)} of {figures.crops} faces, mean F1 {shown(figures.f1)}; "
        f"mask or not: {shown(figures.two_classes)}.",
    ]
    return "\n".join(lines)


def main() -> None:
    """python -m model.zoo.classifiers.card MODEL --data FOLDER: writes the figures into the model's card."""
    parser = argparse.ArgumentParser(description="Measure a classifier and write the figures into its card")
    parser.add_argument("model", type=Path, help="an .onnx file; its card has the same name and ends in .md")
    parser.add_argument("--data", type=Path, required=True, action="append", help="a YOLO folder")
    values = parser.parse_args()
    card = values.model.with_suffix(".md")
    text = card.read_text(encoding="utf-8") if card.exists() else ""
    figures = measure_classifier(values.model, values.data)
    card.write_text(refreshed_card(text, figures, values.model.stem), encoding="utf-8")
    print(card)


if __name__ == "__main__":
    main()
