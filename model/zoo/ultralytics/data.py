"""Labelled pictures as Ultralytics reads them, with our splits, corrections, and counts of showing."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from model.data.corrections import IGNORED_LABEL, Rows
from model.data.samples import DataSource, Sample, labelled_paths, show_counts, validation_sources
from model.zoo.ultralytics.job import WEIGHTS_NAME
from services.core.errors import BadInputError

DATA_NAME = "data.yaml"
NO_PICTURE = np.zeros((1, 1, 3), np.uint8)


def write_data(
    folder: Path, sources: Sequence[DataSource], classes: Sequence[str], rare_classes: Mapping[int, float]
) -> None:
    """Write data.yaml, links to the pictures, their label files, and weights.json into a folder.

    The weights say how often each training picture is shown beside the others, by its path. Boxes that are
    to be ignored are left out: Ultralytics knows none. BadInputError where there is no picture.
    """
    weights = {}
    for split, of_split in (("train", sources), ("val", validation_sources(sources)[:1])):
        listed = [entry for source in of_split for entry in _link(folder, source, split)]
        if not listed:
            raise BadInputError(f"no pictures of the split {split} in the data folders")
        (folder / f"{split}.txt").write_text("".join(f"{path}\n" for path, _ in listed), encoding="utf-8")
        if split == "train":
            counts = show_counts([sample for _, sample in listed], dict(rare_classes))
            weights = {str(path): count for (path, _), count in zip(listed, counts, strict=True)}
    (folder / WEIGHTS_NAME).write_text(json.dumps(weights), encoding="utf-8")
    # JSON is YAML.
    data = {"path": str(folder), "train": "train.txt", "val": "val.txt", "names": dict(enumerate(classes))}
    (folder / DATA_NAME).write_text(json.dumps(data), encoding="utf-8")


def _link(folder: Path, source: DataSource, split: str) -> list[tuple[Path, Sample]]:
    """Link the pictures of a source and write their labels; give links, and samples less their pictures."""
    pictures, labels = folder / "images" / split, folder / "labels" / split
    pictures.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    linked = []
    for path, rows in labelled_paths(source, split):
        link = pictures / f"{source.folder.name}-{path.name}"
        if not link.is_symlink():
            link.symlink_to(path.resolve())
        kept = rows[rows[:, 0] != IGNORED_LABEL]
        (labels / f"{link.stem}.txt").write_text(_text(kept), encoding="utf-8")
        linked.append((link, Sample(link.stem, NO_PICTURE, kept, source.repeat)))
    return linked


def _text(rows: Rows) -> str:
    return "".join(f"{int(row[0])} " + " ".join(f"{value:.6f}" for value in row[1:]) + "\n" for row in rows)
