"""`sightline import-model`: a detector of others becomes a model that cameras can name."""

import re
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Annotated, Any, Literal

import numpy as np
import typer
import yaml

from services.cli.console import check_outputs, notes, output, shown, table
from services.cli.detect_command import detections_in, read_picture
from services.cli.model_commands import load_module
from services.common.files import read_text, replacing
from services.core.errors import BadInputError
from services.core.frames import Picture
from services.core.model_classes import checked_class_names
from services.core.types import Detection
from services.detector.infer.engines import OnnxRuntimeDetector

SIZE = re.compile(r"(\d{2,4})x(\d{2,4})")
NAMES_LIMIT_BYTES = 1_000_000
MOST_SHOWN = 12
"""Classes that are listed for a person."""

BOX_TOLERANCE, CONFIDENCE_TOLERANCE = 0.01, 0.01
SUFFIXES = {".onnx", ".pt"}

Normalize = Literal["unit", "imagenet", "bytes"]
VALUES = {
    "unit": "colours 0..1",
    "imagenet": "colours less ImageNet's mean, by its deviation",
    "bytes": "colours 0..255",
}
BOXES = {
    "cxcywh": "centre and size",
    "xyxy": "two corners",
    "yxyx": "two corners, down first (TensorFlow)",
}


SourceArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="An .onnx file, or an Ultralytics checkpoint (.pt).")
]
OutputArgument = Annotated[
    Path | None,
    typer.Argument(metavar="OUTPUT", help="The .onnx file to write (NAME-sightline.onnx)."),
]
ClassesOption = Annotated[
    str | None, typer.Option(help="What it finds, in the order of its numbers: helmet,head,vest.")
]
NamesOption = Annotated[
    Path | None, typer.Option(help="A file with a name a line, or the data.yaml of the training.")
]
SizeOption = Annotated[
    str | None,
    typer.Option("--input", metavar="WxH", help="Input size where the file leaves it open."),
]
ConfidenceOption = Annotated[float, typer.Option("--conf", help="Confidence to suggest.")]
PictureOption = Annotated[
    Path | None, typer.Option(help="A picture to check it on (default: a rendered street).")
]
NormalizeOption = Annotated[
    Normalize | None,
    typer.Option(help="What the network is trained with (default: unit, or as it reckons)."),
]
OrderOption = Annotated[
    bool | None,
    typer.Option("--bgr/--rgb", help="Order of the colours it is trained with (RGB)."),
]
BoxesOption = Annotated[
    Literal["cxcywh", "xyxy", "yxyx"] | None,
    typer.Option(help="Form of the boxes, where it is taken wrongly."),
]
FirstLabelOption = Annotated[
    int | None, typer.Option(min=0, max=1, help="Number of the first class, where labels are numbers.")
]
TrustOption = Annotated[bool, typer.Option("--trust", help="Load a .pt, which can run code, without asking.")]


def import_model_command(
    source: SourceArgument,
    model_file: OutputArgument = None,
    classes: ClassesOption = None,
    names: NamesOption = None,
    size: SizeOption = None,
    confidence: ConfidenceOption = 0.25,
    picture: PictureOption = None,
    normalize: NormalizeOption = None,
    bgr: OrderOption = None,
    boxes: BoxesOption = None,
    first_label: FirstLabelOption = None,
    trust: TrustOption = False,
) -> None:
    """Make a model of ours of a YOLO, SSD or DETR of others: found out, checked on a picture, or refused."""
    written = model_file or source.with_name(f"{source.stem}-sightline.onnx")
    _check(source, written, confidence, picture)
    importing, source_module = load_module("importing.importing"), load_module("importing.source")
    apart: Callable[..., Any] = load_module("importing.apart").apart
    wanted_size = _size(size)
    shown_picture = read_picture(picture) if picture else load_module("importing.checking").built_in_picture()
    with ExitStack() as opened:
        onnx_file = source
        if source.suffix == ".pt":
            onnx_file = opened.enter_context(_exported(source, wanted_size, trust))
            wanted_size = None
        draft = Path(opened.enter_context(TemporaryDirectory(prefix="sightline-import-"))) / written.name
        config = importing.ImportConfig(
            source=onnx_file,
            output=draft,
            classes=_classes(classes, names),
            wanted=source_module.Wanted(wanted_size, normalize, bgr),
            confidence=confidence,
            box_form=boxes,
            first_label=first_label,
            given=source,
        )
        with notes.status("looking at it, and trying it on pictures"):
            imported = apart(_imported, config, shown_picture)
        _keep(draft, written)
    _print(written, imported, picture)


def _check(source: Path, written: Path, confidence: float, picture: Path | None) -> None:
    if source.suffix not in SUFFIXES:
        raise BadInputError(f"{source}: give an .onnx file or an Ultralytics checkpoint (.pt)")
    if not source.is_file():
        raise BadInputError(f"there is no file {source}")
    if written.suffix != ".onnx":
        raise BadInputError(f"{written}: a model's file ends with .onnx")
    if not 0 < confidence < 1:
        raise BadInputError(f"--conf {confidence:g} makes no sense: give a value between 0 and 1")
    check_outputs((written,), (source, picture))


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = SIZE.fullmatch(text)
    if found is None:
        raise BadInputError(f"--input {text[:40]}: give width and height in pixels, as 640x384")
    return int(found[1]), int(found[2])


def _classes(text: str | None, names: Path | None) -> tuple[str, ...] | None:
    """Read the names that a person gives; None: the file's own."""
    if text is not None and names is not None:
        raise BadInputError("give either --classes or --names")
    if text is not None:
        return checked_class_names(text.split(","))
    if names is None:
        return None
    try:
        content = read_text(names, NAMES_LIMIT_BYTES)
        value = yaml.safe_load(content) if names.suffix in (".yaml", ".yml") else content.splitlines()
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise BadInputError(f"{names} cannot be read as names of classes: {str(error)[:200]}") from error
    if isinstance(value, dict):
        value = value.get("names", value)
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)] if all(isinstance(key, int) for key in value) else None
    if not isinstance(value, list):
        raise BadInputError(f"{names} names no classes: give a name a line, or YAML with a list `names`")
    listed = [line for line in value if not isinstance(line, str) or line.strip()]
    return checked_class_names(load_module("importing.source").distinct_names(listed))


def _exported(source: Path, size: tuple[int, int] | None, trust: bool) -> Any:
    """Have a checkpoint written as ONNX, after a word about what it is."""
    checkpoint: ModuleType = load_module("importing.checkpoint")
    checkpoint.check_checkpoint(source)
    word = checkpoint.WORD.format(name=source.name)
    if not trust:
        if not sys.stdin.isatty():
            raise BadInputError(f"{word}. Give --trust if you trust where it comes from")
        notes.print(shown(word), markup=False, highlight=False)
        if not typer.confirm("Do you trust where it comes from?", default=False, err=True):
            raise BadInputError("nothing was loaded")
    with notes.status("Ultralytics writes it as ONNX"):
        return checkpoint.exported(source, size)


def _imported(config: Any, picture: Picture) -> Any:
    """Write a model that finds, run as a camera's analysis does, what a plain reading of the source finds."""
    imported = load_module("importing.importing").import_model(config, picture)
    plain = imported.found
    found = detections_in(picture, OnnxRuntimeDetector(config.output), config.confidence)
    if len(found) != len(plain) or not all(map(_is_same, found, plain)):
        raise BadInputError(
            f"the written model finds {len(found)} objects, the file itself {len(plain)}: it is not kept"
        )

    return imported


def _keep(draft: Path, written: Path) -> None:
    """Give a model that was checked its place; one that is there stays as it was until then."""
    try:
        with replacing(written, 0o644) as partial:
            shutil.copyfile(draft, partial)
    except OSError as error:
        raise BadInputError(f"{written} cannot be written: {error.strerror}") from error


def _is_same(one: Detection, other: Detection) -> bool:
    return (
        one.class_name == other.class_name
        and abs(one.confidence - other.confidence) <= CONFIDENCE_TOLERANCE
        and bool(np.abs(np.subtract(one.box, other.box)).max() <= BOX_TOLERANCE)
    )


def _print(path: Path, imported: Any, picture: Path | None) -> None:
    layout, form = imported.layout, imported.form
    listed = ", ".join(imported.classes[:MOST_SHOWN]) + (" …" if len(imported.classes) > MOST_SHOWN else "")
    order = "BGR" if form.is_bgr else "RGB"
    on_picture = ", ".join(_counted(imported.found)) or "nothing"
    rows = [
        ("layout", layout.kind),
        ("input", f"{form.width}x{form.height}, {order}, {VALUES[form.values]}"),
        ("boxes", f"{BOXES[layout.box_form]}, in {'shares' if layout.is_normalised else 'pixels'}"),
        ("scores", {"none": "as they are"}.get(layout.activation, f"by {layout.activation}")),
        ("places", str(imported.places)),
        ("classes", f"{len(imported.classes)}: {listed}"),
        ("task", imported.task),
        (f"on {picture.name if picture else 'a rendered street'}", on_picture),
    ]
    table(path.name, ("what", "found"), rows)
    for note in layout.notes:
        notes.print(shown(note), markup=False, highlight=False, soft_wrap=True)
    output.print(f"{path}: name it as a camera's model", markup=False, highlight=False, soft_wrap=True)


def _counted(found: tuple[Detection, ...]) -> list[str]:
    names = [one.class_name for one in found]
    return [f"{names.count(name)} {name}" for name in dict.fromkeys(names)]
