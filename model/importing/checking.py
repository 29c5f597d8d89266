"""Whether what was made of a foreign file says the same as the file, on pictures."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.importing.layouts import Layout
from model.importing.reading import Blob, RunningGraph, blob_of, rows_of
from model.importing.rewriting import INPUT_NAME, OUTPUT_NAME
from model.importing.source import Extras, InputForm
from services.core.errors import BadInputError
from services.core.frames import Letterbox, Picture, detections_from
from services.core.types import Detection
from services.demo.scenes import renderer_of, scene_of

PIXEL_TOLERANCE, SCORE_TOLERANCE, RELATIVE_TOLERANCE = 0.5, 2e-3, 1e-3
"""By which our rows may differ from a plain reading: float16 is rounded by that."""

OUTSIDE = 0.1
"""Share of the picture by which a box's centre may lie outside of it, and a box be larger."""

STRONGEST = 20
"""How many of the strongest places are looked at where nothing is found."""

MOST_ROWS = 200_000
"""Most places of a picture: more than a network of today's largest pictures has."""

Rows = NDArray[np.float32]

BUILT_IN_FRAME = 250
"""Of the demo's street: vehicles and people are on it."""


def built_in_picture() -> Picture:
    """Give a rendered picture (BGR) of a street with vehicles and people."""
    return renderer_of(scene_of("demo://traffic").make()).frame(BUILT_IN_FRAME)


def blobs(picture_bgr: Picture, form: InputForm) -> list[Blob]:
    """Give the inputs (1, 3, H, W; RGB 0..1) to try: the picture, noise, and grey with a bright block."""
    size = form.height, form.width
    blocks = np.full((1, 3, *size), 0.45, np.float32)
    blocks[:, :, size[0] // 4 : size[0] // 2, size[1] // 2 : size[1] * 3 // 4] = 0.95
    letterbox = letterbox_of(picture_bgr, form)
    return [letterbox.blob(letterbox.resize(picture_bgr)), noise(form), blocks]


def noise(form: InputForm) -> Blob:
    """Give noise of the size of the input, always the same."""
    return np.random.default_rng(0).random((1, 3, form.height, form.width), np.float32)


def letterbox_of(picture_bgr: Picture, form: InputForm) -> Letterbox:
    """Give how a picture lies in the input."""
    height, width = picture_bgr.shape[:2]
    return Letterbox(form.width, form.height, width, height)


def check(
    foreign: RunningGraph,
    ours: RunningGraph,
    form: InputForm,
    extras: Extras,
    layout: Layout,
    tried: Sequence[Blob],
) -> Rows:
    """Compare our rows with a plain reading of the file for each input; gives those of the first.

    BadInputError where they differ, where a value is no number, and where boxes lie outside of the picture.
    """
    all_rows = []
    for blob in tried:
        plain = rows_of(foreign.run(blob_of(blob, form, extras)), layout, form)
        rows: Rows = ours.run({INPUT_NAME: blob})[OUTPUT_NAME][0]
        if len(plain) > MOST_ROWS:
            raise BadInputError(f"it gives {len(plain)} places for a picture: that is no detector")
        if not (np.isfinite(plain).all() and np.isfinite(rows).all()):
            raise BadInputError("it gives values that are no numbers")
        if plain.shape != rows.shape or not _are_same(plain, rows):
            raise BadInputError("what was made of it finds something else than the file itself")
        all_rows.append(rows)
    return all_rows[0]


def _are_same(plain: Rows, rows: Rows) -> bool:
    boxes = np.allclose(plain[:, :4], rows[:, :4], rtol=RELATIVE_TOLERANCE, atol=PIXEL_TOLERANCE)
    return boxes and np.allclose(plain[:, 4:], rows[:, 4:], rtol=0, atol=SCORE_TOLERANCE)


def check_places(rows: Rows, confidence: float, form: InputForm) -> None:
    """Refuse boxes that lie outside of the picture, or are larger: their form was not understood.

    Where nothing is found, the strongest places are looked at: their sizes may be anything.
    """
    if not len(rows):
        return
    best = rows[:, 4:].max(axis=1)
    chosen = rows[best >= confidence]
    is_found = bool(len(chosen))
    if not is_found:
        chosen = rows[np.argsort(-best, kind="stable")[:STRONGEST]]
    size = np.array([form.width, form.height], np.float32)
    centres, sides = chosen[:, :2] / size, chosen[:, 2:4] / size
    is_inside = ((centres >= -OUTSIDE) & (centres <= 1 + OUTSIDE)).all(axis=1)
    if is_found:
        is_inside &= (sides <= 1 + 2 * OUTSIDE).all(axis=1)
    wrong = int((~is_inside).sum())
    if wrong > len(chosen) * (0.1 if is_found else 0.5):
        raise BadInputError(
            f"{wrong} of {len(chosen)} boxes lie outside of the picture: their form is another, name it with "
            "--boxes"
        )


def found_in(
    rows: Rows, letterbox: Letterbox, classes: tuple[str, ...], confidence: float, overlap: float
) -> list[Detection]:
    """Give what rows find, as a camera's analysis reads them."""
    return detections_from(rows, letterbox, classes, confidence, overlap)
