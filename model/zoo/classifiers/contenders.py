"""Which rows the table of classifiers has, what their papers say, and how each is trained in its folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.data.samples import DataSource, load_split, validation_sources
from model.zoo.classifiers.crops import PICTURE_PX
from model.zoo.classifiers.finders import CaffeFinder, CascadeFinder, DetectorFinder, Finder
from model.zoo.classifiers.networks import KINDS, NetworkKind
from model.zoo.classifiers.pca import PCA_ANN
from model.zoo.classifiers.ssd import NAME as SSD_NAME
from model.zoo.classifiers.ssd import SsdLesson, build_ssd, export_ssd
from model.zoo.classifiers.training import is_trained, load_weights, teach
from model.zoo.classifiers.two_stage import TwoStage, sides_of, train_kind
from model.zoo.classifiers.window_row import WindowRow
from model.zoo.classifiers.windows import WINDOW_RCNN
from model.zoo.rival import Schedule
from services.core.errors import BadInputError

SHOWN = 80_000
"""Crops that each classifier sees, unless its row says less."""
PICTURES_SHARE = 0.2
"""Pictures that the finder sees in training, as a share of that."""
SHIPPED_FINDER = Path(__file__).resolve().parents[2] / "weights" / "mask-n.onnx"
CLASSIFIERS: Sequence[NetworkKind] = (
    *(kind for kind in KINDS if kind.name.startswith("mobilenetv2")),
    *(kind for kind in (PCA_ANN, *KINDS) if not kind.name.startswith("mobilenetv2")),
)
"""In the order in which they are trained: what ships first, then the cheap ones first."""
BEST = "mobilenetv2"
"""The classifier that is measured behind every finder."""


@dataclass(frozen=True)
class PaperClaim:
    """What a paper says of its own classifier on its own pictures, and which paper."""

    text: str
    source: str


PAPERS = {
    "mobilenetv2": PaperClaim(
        "accuracy 0.9264, F1 0.93",
        "Nagrath et al., SSDMNV2, Sustainable Cities and Society 66, 2021, 102692, abstract",
    ),
    "plain-cnn": PaperClaim(
        "accuracy 0.9577 and 0.9458",
        "Das, Ansari and Basak, INDICON 2020, doi 10.1109/INDICON49873.2020.9342585, abstract",
    ),
}


def names() -> list[str]:
    """The rows that can be asked for."""
    return [kind.name for kind in CLASSIFIERS] + [SSD_NAME, WINDOW_RCNN.name]


def train_missing(
    wanted: Sequence[str],
    sources: Sequence[DataSource],
    runs: Path,
    shown: int,
    seed: int,
    step: Callable[[str, float], None],
) -> None:
    """Train the rows that are not trained to their end in their folders, the same schedule for all.

    ConflictError where a folder holds a training with other settings or data.
    """
    for kind in CLASSIFIERS:
        if kind.name in wanted:
            train_kind(kind, sides_of(tuple(sources)), shown, seed, runs / kind.name, _named(step, kind.name))
    if WINDOW_RCNN.name in wanted:
        schedule = Schedule(shown, WINDOW_RCNN.side_px, seed)
        WindowRow().train(sources, runs / WINDOW_RCNN.name, schedule, _named(step, WINDOW_RCNN.name))
    if SSD_NAME in wanted:
        train_finder(sources, runs / SSD_NAME, round(shown * PICTURES_SHARE), seed, _named(step, SSD_NAME))


def _named(step: Callable[[str, float], None], name: str) -> Callable[[float], None]:
    return lambda share: step(name, share)


def train_finder(
    sources: Sequence[DataSource], run: Path, shown: int, seed: int, step: Callable[[float], None]
) -> None:
    """Train SSD-ResNet10 on whole pictures, or go on with it."""
    copies = sides_of(tuple(sources)).copies
    train = [one for one in load_split(sources, "train", PICTURE_PX) if one.file not in copies]
    val = load_split(validation_sources(sources)[:1], "val", PICTURE_PX)
    teach(SsdLesson(shown, train, val), seed, run, step)


def trained(wanted: Sequence[str], runs: Path) -> list[str]:
    """Those of the wanted rows whose training came to its end."""
    return [name for name in wanted if is_trained(runs / name)]


def finders(ready: Sequence[str], runs: Path, caffe_file: Path | None) -> list[Finder]:
    """The finders at hand: what ships, Haar, the one trained here, and the known Caffe file of a person."""
    found: list[Finder] = [
        DetectorFinder(SHIPPED_FINDER, "face", "GB-YOLO n as a finder"),
        CascadeFinder(),
    ]
    if SSD_NAME in ready:
        path = runs / SSD_NAME / f"{SSD_NAME}.onnx"
        export_ssd(load_weights(build_ssd(), runs / SSD_NAME), path)
        found.append(DetectorFinder(path, SSD_NAME, "SSD-ResNet10"))
    if caffe_file is not None:
        found.append(CaffeFinder(caffe_file))
    return found


def two_stage_rows(ready: Sequence[str], runs: Path, found: Sequence[Finder]) -> list[TwoStage]:
    """Every classifier behind what ships, and the best one behind every other finder."""
    rows = []
    for finder in found:
        for kind in CLASSIFIERS:
            if kind.name in ready and (finder is found[0] or kind.name == BEST):
                row = TwoStage(kind, finder)
                row.load(runs / kind.name)
                rows.append(row)
    return rows


def check_wanted(only: Sequence[str]) -> list[str]:
    """The rows that were asked for; BadInputError names those that there are."""
    if unknown := [name for name in only if name not in names()]:
        raise BadInputError(f"no row {unknown[0]!r} in this table: there are {', '.join(names())}")
    return list(only) or names()
