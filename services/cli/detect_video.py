"""`sightline detect` of moving pictures, a video's or a webcam's: boxes of each, and a video with them."""

import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import cv2
import numpy as np
from av.video.frame import VideoFrame

from services.cli.console import progress, table
from services.cli.count_command import warn_of_gaps
from services.cli.video_output import AnnotatedVideo, annotated_video
from services.common.files import replacing
from services.common.live.drawing import draw_detections
from services.core.errors import BadInputError
from services.core.limits import size_fault
from services.core.types import Detection
from services.detector.decode.file import VideoFile
from services.detector.decode.scaling import scaled_rgb
from services.detector.infer.detector import Detector

WEBCAM_FPS = 25.0
"""The rate of a webcam's annotated video; each of its pictures is shown from its own time on."""

TimedPictures = Iterator[tuple[float, VideoFrame]]
"""Pictures with their times in seconds from the first one."""

WebcamOpener = Callable[[int], AbstractContextManager[TimedPictures]]
"""Opens the webcam of a number; BadInputError where there is none."""


@dataclass(frozen=True, slots=True)
class MovingRequest:
    """What is to be done with moving pictures."""

    detector: Detector
    least: float
    """Least confidence."""
    seconds: float | None
    json_output: Path | None
    video_output: Path | None


@dataclass(slots=True)
class _Found:
    """What was found so far."""

    frames: int = 0
    boxes: Counter[str] = field(default_factory=Counter)
    frames_with: Counter[str] = field(default_factory=Counter)


@contextmanager
def open_webcam(number: int) -> Iterator[TimedPictures]:
    """Open a camera of this machine by its number."""
    cv2.utils.logging.setLogLevel(
        cv2.utils.logging.LOG_LEVEL_SILENT
    )  # what is wrong is said here, in one line
    capture = cv2.VideoCapture(number)
    try:
        if not capture.isOpened():
            raise BadInputError(
                f"there is no camera {number} that can be opened: is it plugged in, free and allowed?"
            )
        yield _webcam_pictures(capture)
    finally:
        capture.release()


def _webcam_pictures(capture: cv2.VideoCapture) -> TimedPictures:
    """Give what a camera shows until it shows nothing more."""
    began_s: float | None = None
    while True:
        is_good, picture = capture.read()
        if not is_good:
            return
        now_s = time.monotonic()
        began_s = now_s if began_s is None else began_s
        yield now_s - began_s, VideoFrame.from_ndarray(np.asarray(picture, np.uint8), format="bgr24")


def detect_in_video(path: Path, request: MovingRequest) -> None:
    """Find objects in all pictures of a video."""
    with VideoFile(path) as video:
        pictures = video.pictures()
        total = video.frames or None
        if request.seconds is not None:
            frames = max(1, round(request.seconds * video.fps))
            total = min(total, frames) if total else frames
        writing = _writing(request.video_output, video.size, video.fps)
        with writing as output:
            found = _detect(path.name, pictures, request, output, total)
        if request.seconds is None:
            warn_of_gaps(path, video.gaps.coverage(video.length_s), video.gaps.gaps)
    _summarise(path.name, found, request)


def detect_in_webcam(number: int, request: MovingRequest, open_camera: WebcamOpener) -> None:
    """Find objects in what a webcam shows, until the seconds are over or a signal asks to end."""
    name = f"camera {number}"
    with open_camera(number) as shown, _until_asked(shown) as pictures:
        first = next(pictures, None)
        if first is None:
            raise BadInputError(f"{name} shows no picture")
        size = (first[1].width, first[1].height)
        fault = size_fault(*size)
        if fault is not None:
            raise BadInputError(f"{name} cannot be taken: {fault.text}")
        with _writing(request.video_output, size, WEBCAM_FPS) as output:
            found = _detect(name, chain([first], pictures), request, output, None)
    _summarise(name, found, request)


@contextmanager
def _until_asked(pictures: TimedPictures) -> Iterator[TimedPictures]:
    """Give pictures until SIGINT or SIGTERM comes: a webcam has no end of its own."""
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        asked.append(number)

    def given() -> TimedPictures:
        for item in pictures:
            yield item
            if asked:
                return

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield given()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _writing(
    path: Path | None, size: tuple[int, int], fps: float
) -> AbstractContextManager[AnnotatedVideo | None]:
    return annotated_video(path, size, fps) if path is not None else nullcontext()


def _detect(
    name: str,
    pictures: TimedPictures,
    request: MovingRequest,
    output: AnnotatedVideo | None,
    total: int | None,
) -> _Found:
    found, detector = _Found(), request.detector
    with _entries(request.json_output) as add, progress(f"detecting in {name}", total) as advance:
        for time_s, picture in pictures:
            if request.seconds is not None and time_s >= request.seconds:
                break
            letterbox = detector.letterbox(picture.width, picture.height)
            detections = detector.detect(scaled_rgb(picture, letterbox), letterbox, request.least)
            entry = {"image": name, "frame": found.frames, "time": round(time_s, 3)}
            entry |= {"width": picture.width, "height": picture.height}
            add({**entry, "detections": detection_objects(detections)})
            if output is not None:
                _draw(output, time_s, picture, detections)
            found.frames += 1
            found.boxes.update(item.class_name for item in detections)
            found.frames_with.update({item.class_name for item in detections})
            advance(found.frames)
    return found


def _draw(output: AnnotatedVideo, time_s: float, picture: VideoFrame, detections: list[Detection]) -> None:
    canvas = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
    draw_detections(canvas, detections)
    output.append(canvas, time_s)


@contextmanager
def _entries(path: Path | None) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Give who writes one entry after the other into a list of JSON, so that no number of them fills memory.

    The file is whole or not there; `-` is stdout. BadInputError when it cannot be written.
    """
    if path is None:
        yield lambda entry: None
    elif str(path) == "-":
        with _listed(sys.stdout) as add:
            yield add
    else:
        try:
            is_plain = path.is_file() or not path.exists()
            with (
                replacing(path, 0o644) if is_plain else nullcontext(path) as draft,
                draft.open("w", encoding="utf-8") as file,
                _listed(file) as add,
            ):
                yield add
        except OSError as error:
            raise BadInputError(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def _listed(file: TextIO) -> Iterator[Callable[[dict[str, Any]], None]]:
    separator = "[\n"

    def add(entry: dict[str, Any]) -> None:
        nonlocal separator
        file.write(f"{separator} {json.dumps(entry)}")
        separator = ",\n"

    yield add
    file.write("[]\n" if separator == "[\n" else "\n]\n")


def detection_objects(detections: Sequence[Detection]) -> list[dict[str, Any]]:
    """Give detections as `--json` shows them."""
    return [
        {
            "class": item.class_name,
            "confidence": round(item.confidence, 4),
            "box": [round(value, 5) for value in item.box],
        }
        for item in detections
    ]


def _summarise(name: str, found: _Found, request: MovingRequest) -> None:
    """Show people how often each class was found, where stdout is not the JSON."""
    if request.json_output is not None and str(request.json_output) == "-":
        return
    rows = [(one, str(found.frames_with[one]), str(found.boxes[one])) for one in sorted(found.boxes)]
    info = request.detector.info
    title = f"{name}: {found.frames} frames, {info.name}, confidence {request.least:g}"
    table(title, ("class", "in frames", "boxes"), rows or [("none", "0", "0")])
