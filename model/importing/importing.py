"""A Sightline model made of a foreign ONNX file: understood, rewritten, checked on a picture, written."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import onnx

from model.files import replacing
from model.importing.checking import blobs, check, check_places, found_in, letterbox_of, noise
from model.importing.layouts import BoxForm, Hints, Layout, recognise, without_background
from model.importing.reading import RunningGraph, blob_of
from model.importing.rewriting import METADATA_KEY, rewrite
from model.importing.source import (
    Extras,
    InputForm,
    Wanted,
    check_task,
    extra_inputs,
    fix_input,
    load,
    metadata_of,
    names_in,
)
from model.importing.values import are_probabilities
from services.core.errors import BadInputError
from services.core.frames import Picture
from services.core.model_classes import TASK_CLASSES, checked_class_names
from services.core.types import Detection

DEFAULT_CONFIDENCE = 0.25
OVERLAP, SET_OVERLAP = 0.45, 0.9
"""Overlap from which the weaker of two boxes of a class is dropped; who gives each object once needs none."""

FOREIGN_TASK = "detect"
LONGEST_SOURCE = 100
LOUD = np.float32(1000)
"""How far beyond the colours of pictures a network is tried."""

READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ImportConfig:
    """What to import, and what a person says that the file does not; None: as the file says."""

    source: Path
    output: Path
    classes: tuple[str, ...] | None = None
    wanted: Wanted = field(default_factory=Wanted)
    confidence: float = DEFAULT_CONFIDENCE
    box_form: BoxForm | None = None
    first_label: int | None = None
    given: Path | None = None
    """What a person gave, where the source was made of it; None: the source."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What was found out and written."""

    layout: Layout
    form: InputForm
    classes: tuple[str, ...]
    task: str
    places: int
    """Places or queries that the network looks at in a picture."""
    found: tuple[Detection, ...]
    """What a plain reading of the file finds on the picture that it was checked on."""


def import_model(config: ImportConfig, picture_bgr: Picture) -> Imported:
    """Write a Sightline model; BadInputError with the reason where that cannot be done rightly."""
    model = load(config.source)
    metadata = metadata_of(model)
    if METADATA_KEY in metadata:
        raise BadInputError(f"{config.source} is a Sightline model already: name it as it is")
    check_task(metadata)
    form = fix_input(model, config.wanted, metadata)
    extras = extra_inputs(model, form)
    foreign = RunningGraph(model)
    classes = config.classes or names_in(metadata)
    hints = Hints(classes, form.width, form.height, config.box_form, config.first_label)
    layout = _understood(foreign, form, extras, hints, picture_bgr)
    _check_scores(foreign, form, extras, layout)
    form = _as_yolox(form, config.wanted) if layout.strides else form
    names = checked_class_names(without_background(classes or ()))
    description = _description(config, form, layout, names)
    ours = rewrite(model, form, extras, layout, description)
    tried = blobs(picture_bgr, form)
    rows = check(foreign, RunningGraph(ours), form, extras, layout, tried)
    check_places(rows, config.confidence, form)
    overlap = SET_OVERLAP if layout.is_set else OVERLAP
    found = found_in(rows, letterbox_of(picture_bgr, form), names, config.confidence, overlap)
    _write(ours, config.output)
    return Imported(layout, form, names, str(description["task"]), len(rows), tuple(found))


def _understood(
    foreign: RunningGraph, form: InputForm, extras: Extras, hints: Hints, picture_bgr: Picture
) -> Layout:
    outputs = [foreign.run(blob_of(blob, form, extras)) for blob in blobs(picture_bgr, form)]
    if any(one.dtype.kind == "f" and np.isnan(one).any() for given in outputs for one in given.values()):
        raise BadInputError("it gives values that are no numbers")
    return recognise({name: [one[name] for one in outputs] for name in outputs[0]}, hints)


def _check_scores(foreign: RunningGraph, form: InputForm, extras: Extras, layout: Layout) -> None:
    """Refuse columns that are no scores: those stay in 0..1 whatever is seen, angles and keypoints do not."""
    if layout.labels is not None or layout.activation != "none":
        return
    glare = blob_of(LOUD * (noise(form) - np.float32(0.5)), form, extras)
    try:
        outputs = foreign.run(glare)
    except BadInputError:
        return  # no picture has such colours: a graph may refuse them
    for part in (layout.scores, layout.objectness):
        values = part.rows(outputs) if part is not None else np.zeros(0)
        if np.isfinite(values).all() and not are_probabilities(values):
            raise BadInputError(
                "what would be its scores does not stay within 0..1: it is in no layout that is known. If it "
                "is no detector of upright boxes (segmentation, keypoints, turned boxes), export a detector"
            )


def _as_yolox(form: InputForm, wanted: Wanted) -> InputForm:
    """Give a YOLOX what it is trained with, colours as OpenCV has them, unless a person says otherwise."""
    values = "bytes" if wanted.values is None else form.values
    return replace(form, values=values, is_bgr=wanted.is_bgr is not False)


def _description(
    config: ImportConfig, form: InputForm, layout: Layout, names: tuple[str, ...]
) -> Mapping[str, object]:
    """Give what travels in the file, as that of an export of ours, with where it comes from."""
    given = config.given or config.source
    task = next((task for task, known in TASK_CLASSES.items() if set(known) == set(names)), FOREIGN_TASK)
    return {
        "name": config.output.stem,
        "task": task,
        "classes": list(names),
        "architecture": layout.kind,
        "input": [form.width, form.height],
        "confidence": config.confidence,
        "iou": SET_OVERLAP if layout.is_set else OVERLAP,
        "source": given.name[:LONGEST_SOURCE],
        "sha256": digest_of(given),
    }


def digest_of(path: Path) -> str:
    """Give the SHA-256 of a file in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            digest.update(data)
    return digest.hexdigest()


def _write(model: onnx.ModelProto, path: Path) -> None:
    try:
        with replacing(path) as partial:
            onnx.save(model, str(partial))
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror}") from error
