"""Labelled pictures from YOLO folders, kept in memory, and their honest splits."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from model.data.corrections import IGNORED_LABEL, Rows, correct, shipped_corrections
from model.data.sources import shipped_set_aside, split_of
from services.core.errors import BadInputError
from services.core.model_classes import TASK_CLASSES
from services.core.texts import text_of
from services.core.types import TRAFFIC_CLASSES

log = logging.getLogger(__name__)

Picture = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.float32]

EXCLUDED_PREFIX = "clip_"
"""Frames of clips that score counting: never trained on, never evaluated on."""
PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif"}
SPLITS = ("train", "val", "test", "unseen")
TEST_SHARE = 3
"""One in so many pictures of a val folder is its test part."""

SHARE_TOLERANCE = 0.01
"""How far a number of a label may be beyond the picture, since programs round."""

BACKGROUND_REPEAT = 0.25
"""How often an epoch shows a picture that has no object of the task."""


@dataclass(frozen=True)
class DataSource:
    """A YOLO folder (images/{train,val}, labels/{train,val}), how often it is shown, and for which task."""

    folder: Path
    repeat: float = 1.0
    task: str | None = None
    """None: the only task of the training."""

    @classmethod
    def parse(cls, text: str) -> "DataSource":
        """Reads [TASK=]FOLDER[@REPEAT]; raises BadInputError for a repeat that is no positive number."""
        task, separator, rest = text.partition("=")
        if not separator or task not in TASK_CLASSES:
            task, rest = "", text
        folder, separator, repeat = rest.rpartition("@")
        if not separator:
            return cls(Path(rest), task=task or None)
        try:
            value = float(repeat)
        except ValueError:
            value = 0.0
        if not 0 < value < 100:
            raise BadInputError(f"--data {text}: after @ stands how often to show the folder, such as 0.5")
        return cls(Path(folder), value, task or None)


@dataclass(frozen=True)
class Sample:
    """A picture (H, W, 3) BGR and its boxes (n, 5): class, x1, y1, x2, y2 in pixels of this picture.

    Class -1 marks a box that is neither an object to find nor background.
    """

    name: str
    picture: Picture
    labels: Labels
    repeat: float = 1.0
    file: str = ""
    """Folder and file name, as the label corrections name it."""


def read_rows(path: Path) -> Rows:
    """A YOLO label file (n, 5); (0, 5) when there is none. An outline becomes the box around it.

    Raises BadInputError, with the line, for one that is neither a box nor an outline in shares of a picture.
    """
    if not path.exists():
        return np.zeros((0, 5), np.float32)
    lines = text_of(path.read_bytes()).splitlines()
    rows = [_row(line, f"{path.name}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]
    return np.array(rows, np.float32).reshape(-1, 5)


def _row(line: str, place: str) -> list[float]:
    """Class, centre x and y, width and height of a line; a confidence after them is dropped."""
    try:
        number, *shares = map(float, line.split())
    except ValueError as error:
        raise BadInputError(f"{place} is no YOLO label: {error}") from error
    if len(shares) < 4 or (len(shares) > 5 and len(shares) % 2):
        raise BadInputError(f"{place} is no YOLO label: a class, then four numbers or an outline")
    if len(shares) > 5:
        low, high = (min(shares[::2]), min(shares[1::2])), (max(shares[::2]), max(shares[1::2]))
        shares = [*((a + b) / 2 for a, b in zip(low, high, strict=True)), high[0] - low[0], high[1] - low[1]]
    box = shares[:4]
    if not number.is_integer() or not all(-SHARE_TOLERANCE <= one <= 1 + SHARE_TOLERANCE for one in box):
        raise BadInputError(f"{place} is no YOLO label: the class is a whole number, the others are 0 to 1")
    return [number, *box]


def to_corners(rows: Rows, width: int, height: int) -> Labels:
    """Rows of a label file as (n, 5) class and corners in pixels."""
    half = rows[:, 3:] / 2
    scale = np.array((width, height), np.float32)
    corners = np.concatenate(((rows[:, 1:3] - half) * scale, (rows[:, 1:3] + half) * scale), 1)
    return np.concatenate((rows[:, :1], corners), 1).astype(np.float32)


def load_sample(path: Path, rows: Rows, max_side_px: int, source: DataSource) -> Sample | None:
    """One picture, made smaller so that its long side is at most `max_side_px`; None if unreadable."""
    picture = cv2.imread(str(path))
    if picture is None:
        return None
    height, width = picture.shape[:2]
    scale = min(1.0, max_side_px / max(width, height))
    if scale < 1:
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return Sample(
        name=path.stem,
        picture=np.asarray(picture, np.uint8),
        labels=to_corners(rows, width, height),
        repeat=source.repeat,
        file=f"{source.folder.name}/{path.name}",
    )


def is_test(name: str) -> bool:
    """Whether a picture of a val folder belongs to the test part, on which nothing is chosen.

    By a hash of its file name, so that it holds wherever the folder lies and whatever else is in it.
    """
    return int.from_bytes(hashlib.sha256(name.encode()).digest(), "big") % TEST_SHARE == 0


def picture_paths(folder: Path, split: str) -> list[Path]:
    """The pictures of a split in the order of their names, without the excluded ones.

    A folder's `val` is that of its own pictures in images/val that are not in the test part, and the
    sources among its training pictures that are set aside to choose by. BadInputError for no split.
    """
    if split not in SPLITS:
        raise BadInputError(f"no split {split!r}, there are {', '.join(SPLITS)}")
    paths = [
        path for path in _pictures(folder / "images" / "train") if split_of(folder.name, path.name) == split
    ]
    if split in ("val", "test"):
        own = _pictures(folder / "images" / "val")
        paths += [path for path in own if is_test(path.name) == (split == "test")]
    return paths


def validation_sources(sources: Sequence[DataSource]) -> list[DataSource]:
    """Those whose split `val` chooses weights: the first with images/val, and all with sources set aside."""
    first = next((one for one in sources if (one.folder / "images" / "val").is_dir()), None)
    aside = {one.folder for one in shipped_set_aside() if one.split == "val"}
    return [one for one in sources if one is first or one.folder.name in aside]


def _pictures(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.glob("*"))
        if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(EXCLUDED_PREFIX)
    ]


def _labels_of(picture: Path) -> Path:
    """The label file of a picture: the folder `labels` has the same parts as `images` beside it."""
    return picture.parent.parent.parent / "labels" / picture.parent.name / f"{picture.stem}.txt"


def labelled_paths(source: DataSource, split: str) -> Iterator[tuple[Path, Rows]]:
    """The pictures of a folder's split with the rows of their labels, put right.

    Raises BadInputError when a correction is of the test part.
    """
    for path in picture_paths(source.folder, split):
        corrections = shipped_corrections().get((source.folder.name, path.stem), ())
        if corrections and split == "test":
            raise BadInputError(f"{path.name} is of the test part: its labels stay as they are")
        yield path, correct(read_rows(_labels_of(path)), corrections)


def load_split(
    sources: Iterable[DataSource], split: str, max_side_px: int, step: Callable[[], None] = lambda: None
) -> list[Sample]:
    """All pictures of a split, with the label corrections; `step` is called after each.

    Those that cannot be read are left out, with a warning. Raises BadInputError when there is no picture, and
    when a correction is of the test part.
    """
    samples, broken = [], []
    for source in sources:
        for path, rows in labelled_paths(source, split):
            sample = load_sample(path, rows, max_side_px, source)
            step()
            if sample is None:
                broken.append(path)
            else:
                samples.append(sample)
    if broken:
        log.warning("%d pictures cannot be read and are left out, the first is %s", len(broken), broken[0])
    if not samples:
        raise BadInputError(f"no pictures of the split {split} in the data folders{_places(split)}")
    return samples


def _places(split: str) -> str:
    """Where the pictures of a split are looked for, as the end of a sentence; only lists know the unseen."""
    part = {"train": "train", "val": "val", "test": "val"}.get(split)
    if part is None:
        return ""
    suffixes = ", ".join(sorted(PICTURE_SUFFIXES))
    return f": they lie in images/{part} ({suffixes}; not {EXCLUDED_PREFIX}*), their labels in labels/{part}"


def load_backgrounds(folders: Iterable[Path], max_side_px: int) -> list[Sample]:
    """Training pictures of traffic folders in which no person is labelled, as pictures without any object."""
    person = TRAFFIC_CLASSES.index("person")
    sources = [DataSource(folder, BACKGROUND_REPEAT) for folder in folders]
    samples = load_split(sources, "train", max_side_px) if sources else []
    nothing = np.zeros((0, 5), np.float32)
    return [replace(one, labels=nothing) for one in samples if person not in one.labels[:, 0]]


def check_classes(samples: Iterable[Sample], class_count: int) -> None:
    """Raises BadInputError, with the picture's name, when a label names a class that does not exist."""
    for sample in samples:
        classes = sample.labels[sample.labels[:, 0] != IGNORED_LABEL, 0]
        if len(classes) and not 0 <= classes.min() <= classes.max() < class_count:
            raise BadInputError(f"{sample.name}: a class is not one of 0 to {class_count - 1}")


def show_counts(samples: Sequence[Sample], rare_classes: dict[int, float]) -> npt.NDArray[np.float64]:
    """How often an epoch shows each picture, (n,): its folder's repeat times that of its rarest class."""
    counts = []
    for sample in samples:
        present = {int(index) for index in sample.labels[:, 0]}
        rare = max((rare_classes.get(index, 1.0) for index in present), default=1.0)
        counts.append(sample.repeat * rare)
    return np.array(counts, np.float64)


def epoch_order(counts: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Indices for one epoch in random order; the part after the point of a count is a chance."""
    shows = np.floor(counts + rng.random(len(counts))).astype(np.int64)
    return rng.permutation(np.repeat(np.arange(len(counts)), shows))
