"""`sightline detect`: pictures in, boxes out."""

from pathlib import Path
from typing import Annotated, Any

import av
import cv2
import numpy as np
import typer

from services.cli.console import check_outputs, progress, table, write_json
from services.common.files import file_url, is_same_file
from services.common.live.drawing import draw_detections
from services.core.errors import BadInputError
from services.core.frames import Picture
from services.core.limits import STILL_LIMIT_PIXELS
from services.core.tiles import WHOLE
from services.core.types import Detection
from services.detector.infer.detector import Detector
from services.detector.infer.engines import OnnxRuntimeDetector
from services.detector.infer.models import model_path
from services.detector.infer.tiling import with_tiles

STILL_OPTIONS = {
    "max_pixels": str(STILL_LIMIT_PIXELS),
    "threads": "1",
    "protocol_whitelist": "file",
    "pattern_type": "none",
}
"""Its name names this one picture, whatever `%03d` in it would mean to FFmpeg."""

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".avif"}


def detect(
    source: Annotated[
        Path, typer.Argument(metavar="IMAGE_OR_FOLDER", help="A picture or a folder of pictures.")
    ],
    model: Annotated[str, typer.Option(help="traffic, mask, a shipped model or an .onnx file.")] = "traffic",
    confidence: Annotated[
        float | None, typer.Option("--conf", help="Least confidence (default: the model's).")
    ] = None,
    json_output: Annotated[
        Path | None, typer.Option("--json", help="Write boxes to this file; - for stdout.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the pictures with their boxes into this folder.")
    ] = None,
    tiles: Annotated[
        str, typer.Option(help="Columns by rows of tiles for wide pictures, such as 2x1 (see count).")
    ] = WHOLE,
) -> None:
    """Find objects in pictures."""
    if confidence is not None and not 0 <= confidence <= 1:
        raise BadInputError(f"--conf {confidence:g} makes no sense: give a value from 0 to 1")
    pictures = _pictures(source)
    check_outputs((json_output,), (*pictures, Path(model)))
    if save is not None and any(is_same_file(save / path.name, path) for path in pictures):
        raise BadInputError(f"{save} is the folder that is read: give another one to write to")
    detector = with_tiles(OnnxRuntimeDetector(model_path(model)), tiles)
    least = detector.info.confidence if confidence is None else confidence
    if save is not None:
        _make_folder(save)
    report = []
    with progress(f"detecting in {source.name}", len(pictures)) as advance:
        for number, path in enumerate(pictures, start=1):
            report.append(_one(path, detector, least, save))
            advance(number)
    if json_output is None or str(json_output) != "-":
        rows = [(item["image"], _summary(item["detections"])) for item in report]
        table(f"{detector.info.name}, confidence {least:g}", ("picture", "objects"), rows)
    if json_output is not None:
        write_json(json_output, report)


def _pictures(source: Path) -> list[Path]:
    if source.is_dir():
        found = sorted(path for path in source.iterdir() if path.suffix.lower() in SUFFIXES)
        if not found:
            raise BadInputError(f"there is no picture in {source}")
        return found
    if not source.is_file():
        is_there = source.exists()
        raise BadInputError(f"{source} is no file" if is_there else f"there is no file or folder {source}")
    return [source]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"{folder} cannot be made: {error.strerror}") from error


def read_picture(path: Path) -> Picture:
    """Read a picture (BGR); BadInputError when it is none, or too large."""
    _check_size(path)
    try:
        picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (cv2.error, OSError):  # it is empty, or has more pixels than OpenCV is allowed
        picture = None
    if picture is None:
        raise BadInputError(f"{path} is no picture that can be read")
    return np.asarray(picture, np.uint8)


def _one(path: Path, detector: Detector, least: float, save: Path | None) -> dict[str, Any]:
    picture = read_picture(path)
    height, width = picture.shape[:2]
    found = detections_in(picture, detector, least)
    if save is not None:
        draw_detections(picture, found)
        _save(save / path.name, picture)
    return {
        "image": path.name,
        "width": width,
        "height": height,
        "detections": [
            {
                "class": item.class_name,
                "confidence": round(item.confidence, 4),
                "box": [round(value, 5) for value in item.box],
            }
            for item in found
        ],
    }


def _save(path: Path, picture: Picture) -> None:
    try:
        is_good, data = cv2.imencode(path.suffix, picture)
        if is_good:
            path.write_bytes(data.tobytes())
            return
        reason = "its kind of picture cannot be made"
    except cv2.error:
        reason = f"give its name one of the endings {', '.join(sorted(SUFFIXES))}"
    except OSError as error:
        reason = str(error.strerror)
    raise BadInputError(f"{path} cannot be written: {reason}")


def _check_size(path: Path) -> None:
    """BadInputError when a picture is too large, found out before it is decoded."""
    try:
        with av.open(file_url(path), options=dict(STILL_OPTIONS)) as container:
            sizes = [(stream.width, stream.height) for stream in container.streams.video]
    except (av.error.FFmpegError, OSError):
        return  # OpenCV may know it, or says that it is no picture
    if sizes and not min(sizes[0]):
        raise BadInputError(
            f"{path} is no picture that can be read, or one of more than {STILL_LIMIT_PIXELS / 1e6:.0f} "
            "megapixels"
        )


def detections_in(picture_bgr: Picture, detector: Detector, least: float) -> list[Detection]:
    """Find objects in one BGR picture."""
    height, width = picture_bgr.shape[:2]
    letterbox = detector.letterbox(width, height)
    return detector.detect(letterbox.resize(picture_bgr), letterbox, least)


def _summary(detections: list[dict[str, Any]]) -> str:
    names = [item["class"] for item in detections]
    return ", ".join(f"{names.count(name)} {name}" for name in sorted(set(names))) or "none"
