"""`sightline detect`: pictures, videos and webcams in, boxes out."""

import re
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import av
import cv2
import numpy as np
import typer

from services.cli.console import check_outputs, progress, table, warn, write_json
from services.cli.detect_video import (
    MovingRequest,
    WebcamOpener,
    detect_in_video,
    detect_in_webcam,
    detection_objects,
    open_webcam,
)
from services.common.files import file_url, is_file, is_same_file, replacing
from services.common.live.drawing import draw_detections
from services.core.errors import BadInputError
from services.core.frames import Picture
from services.core.limits import STILL_LIMIT_PIXELS
from services.core.tiles import WHOLE
from services.core.types import Detection
from services.detector.decode.file import VideoFile
from services.detector.infer.detector import Detector
from services.detector.infer.models import model_files
from services.detector.infer.tiling import with_tiles
from services.detector.infer.two_stage import reference_detector

STILL_OPTIONS = {
    "max_pixels": str(STILL_LIMIT_PIXELS),
    "threads": "1",
    "protocol_whitelist": "file",
    "pattern_type": "none",
}
"""Its name names this one picture, whatever `%03d` in it would mean to FFmpeg."""

WEBCAM_NUMBER = re.compile(r"[0-9]{1,3}")
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".avif"}


VIDEO_SUFFIXES = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".mpg", ".mpeg"}
MOST_SECONDS = 86_400.0


def detect(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IMAGE_OR_FOLDER_OR_VIDEO_OR_WEBCAM",
            help="A picture, a folder of pictures, a video, or the number of a webcam, such as 0.",
        ),
    ],
    model: Annotated[
        str,
        typer.Option(
            help="traffic, mask, a shipped model, an .onnx file, or two stages such as face+mobilenetv2."
        ),
    ] = "traffic",
    confidence: Annotated[
        float | None, typer.Option("--conf", help="Least confidence (default: the model's).")
    ] = None,
    json_output: Annotated[
        Path | None, typer.Option("--json", help="Write boxes to this file; - for stdout.")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            help="Write the pictures, or the video, with their boxes into this folder; files there stay."
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(help="Of a video or a webcam only so many seconds (default: all, until Ctrl+C)."),
    ] = None,
    tiles: Annotated[
        str, typer.Option(help="Columns by rows of tiles for wide pictures, such as 2x1 (see count).")
    ] = WHOLE,
) -> None:
    """Find objects in pictures, in a video, or in what a webcam shows."""
    options = DetectOptions(model, confidence, json_output, save, seconds, tiles)
    run_detect(source, options, open_webcam)


@dataclass(frozen=True, slots=True)
class DetectOptions:
    """What the user asked for."""

    model: str
    confidence: float | None = None
    json_output: Path | None = None
    save: Path | None = None
    seconds: float | None = None
    tiles: str = WHOLE


def run_detect(source: Path, options: DetectOptions, open_camera: WebcamOpener) -> None:
    """Find objects in whatever the source is; BadInputError where it cannot be used."""
    confidence, seconds = options.confidence, options.seconds
    if confidence is not None and not 0 <= confidence <= 1:
        raise BadInputError(f"--conf {confidence:g} makes no sense: give a value from 0 to 1")
    if seconds is not None and not 0 < seconds <= MOST_SECONDS:
        raise BadInputError(f"--seconds {seconds:g} makes no sense: give up to {MOST_SECONDS:g}")
    if _is_webcam(source):
        request = _moving_request(source, options, f"camera-{source}")
        detect_in_webcam(int(str(source)), request, open_camera)
    elif _is_video(source):
        detect_in_video(source, _moving_request(source, options, source.stem))
    elif seconds is not None:
        raise BadInputError("--seconds is for a video or a webcam")
    else:
        _detect_in_pictures(source, options)


def _is_webcam(source: Path) -> bool:
    """Return whether it is a number, and not the name of something that is there."""
    return bool(WEBCAM_NUMBER.fullmatch(str(source))) and not source.exists()


def _is_video(source: Path) -> bool:
    """Return whether a file is one of moving pictures: by its name, else by what is in it."""
    suffix = source.suffix.lower()
    if suffix in SUFFIXES or not source.is_file():
        return False
    if suffix in VIDEO_SUFFIXES:
        return True
    try:
        with VideoFile(source):
            return True
    except BadInputError:
        return False


def _moving_request(source: Path, options: DetectOptions, stem: str) -> MovingRequest:
    """Look, before work begins, that the results have a place, and open the model."""
    output = None if options.save is None else options.save / f"{stem}.mp4"
    if output is not None and is_same_file(output, source):
        raise BadInputError(f"{options.save} is the folder that is read: give another one to write to")
    check_outputs((options.json_output,), (source, *model_files(options.model)))
    detector = with_tiles(reference_detector(options.model), options.tiles)
    if options.save is not None:
        _make_folder(options.save)
    check_outputs((output,), ())
    output = _not_taken(output) if output is not None else None
    least = detector.info.confidence if options.confidence is None else options.confidence
    return MovingRequest(detector, least, options.seconds, options.json_output, output)


def _detect_in_pictures(source: Path, options: DetectOptions) -> None:
    json_output, save = options.json_output, options.save
    pictures = _pictures(source)
    check_outputs((json_output,), (*pictures, *model_files(options.model)))
    if save is not None and any(is_same_file(save / path.name, path) for path in pictures):
        raise BadInputError(f"{save} is the folder that is read: give another one to write to")
    detector = with_tiles(reference_detector(options.model), options.tiles)
    least = detector.info.confidence if options.confidence is None else options.confidence
    if save is not None:
        _make_folder(save)
    report, broken = [], []
    with progress(f"detecting in {source.name}", len(pictures)) as advance:
        for number, path in enumerate(pictures, start=1):
            try:
                picture = read_picture(path)
            except BadInputError as error:
                broken.append(error)
            else:
                report.append(_one(path, picture, detector, least, save))
            advance(number)
    if not report:
        raise broken[0]
    if broken:
        warn(f"{len(broken)} of {len(pictures)} pictures are left out, the first one since {broken[0]}")
    if json_output is None or str(json_output) != "-":
        rows = [(item["image"], _summary(item["detections"])) for item in report]
        table(f"{detector.info.name}, confidence {least:g}", ("picture", "objects"), rows)
    if json_output is not None:
        write_json(json_output, report)


def _pictures(source: Path) -> list[Path]:
    if source.is_dir():
        inside = list(source.iterdir())
        found = sorted(path for path in inside if path.suffix.lower() in SUFFIXES)
        if videos := sum(path.suffix.lower() in VIDEO_SUFFIXES for path in inside):
            warn(f"{source} has {videos} video(s), which are left out: give each of them by itself")
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


def _not_taken(path: Path) -> Path:
    """Give the path, with a number after its name where a file is there, which may be of another source."""
    if not path.exists():
        return path
    numbered = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
    free = next(one for one in numbered if not one.exists())
    warn(f"{path} is there already: {free.name} is written")
    return free


def read_picture(path: Path) -> Picture:
    """Read a picture (BGR); BadInputError when it is none, or too large. A pipe would never end."""
    if not is_file(path):
        raise BadInputError(f"{path} is no picture that can be read")
    _check_size(path)
    try:
        picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (cv2.error, OSError):  # it is empty, or has more pixels than OpenCV is allowed
        picture = None
    if picture is None:
        raise BadInputError(f"{path} is no picture that can be read")
    return np.asarray(picture, np.uint8)


def _one(path: Path, picture: Picture, detector: Detector, least: float, save: Path | None) -> dict[str, Any]:
    height, width = picture.shape[:2]
    found = detections_in(picture, detector, least)
    if save is not None:
        draw_detections(picture, found)
        _save(_not_taken(save / path.name), picture)
    return {
        "image": path.name,
        "width": width,
        "height": height,
        "detections": detection_objects(found),
    }


def _save(path: Path, picture: Picture) -> None:
    try:
        is_good, data = cv2.imencode(path.suffix, picture)
        if is_good:
            with replacing(path, 0o644) as draft:
                draft.write_bytes(data.tobytes())
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
