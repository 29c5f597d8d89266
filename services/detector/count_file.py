"""Counts a file, or ready-made detections, as fast as the machine allows and the same every time."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from av.video.frame import VideoFrame

from services.core.clip_gaps import ClipGap
from services.core.errors import BadInputError
from services.core.types import Box, CameraId, Crossing, Detection, Line, TrackedFrame
from services.detector.analyser import Analyser
from services.detector.decode.file import VideoFile
from services.detector.decode.sampler import Sampler
from services.detector.decode.scaling import scaled_rgb
from services.detector.infer.detector import Detector
from services.detector.second_opinion import SecondOpinion
from services.detector.track.bytetrack import TrackerSettings

OnFrame = Callable[[VideoFrame | None, TrackedFrame, tuple[Crossing, ...]], None]


@dataclass(slots=True)
class FileCount:
    """What was counted."""

    frames: int = 0
    seconds: float = 0.0
    """Length of what could be read."""
    coverage: float = 1.0
    """Share of the whole length that could be counted."""
    gaps: list[ClipGap] = field(default_factory=list)
    """What could not be counted, and why."""
    crossings: list[Crossing] = field(default_factory=list)


def count_video(
    video: VideoFile,
    detector: Detector,
    lines: Sequence[Line],
    fps: float | None = None,
    on_frame: OnFrame | None = None,
    second_opinion: SecondOpinion | None = None,
) -> FileCount:
    """Count the crossings in a file; every picture is analysed unless `fps` asks for fewer."""
    width, height = video.size
    letterbox = detector.letterbox(width, height)
    analyser = Analyser(
        CameraId("file"),
        width / height,
        lines,
        classes=detector.info.classes,
        second_opinion=second_opinion,
    )
    sampler = Sampler(fps) if fps else None
    weakest = TrackerSettings().weak
    result = FileCount()
    for frame, (time_s, picture) in enumerate(video.pictures()):
        result.frames = frame + 1
        if sampler is not None and not sampler.pick(time_s):
            continue
        if (picture.width, picture.height) != (letterbox.picture_width, letterbox.picture_height):
            letterbox = detector.letterbox(picture.width, picture.height)
        scaled = scaled_rgb(picture, letterbox)
        detections = detector.detect(scaled, letterbox, weakest)
        analysis = analyser.update(frame, time_s, detections, scaled)
        result.crossings += analysis.crossings
        if on_frame is not None:
            on_frame(picture, analysis.tracked, analysis.crossings)
    result.seconds, result.gaps = video.gaps.read_s, video.gaps.gaps
    result.coverage = video.gaps.coverage(video.length_s)
    return result


def count_detections(
    frames: Iterable[tuple[int, list[Detection]]],
    fps: float,
    lines: Sequence[Line],
    aspect: float,
    on_frame: OnFrame | None = None,
) -> FileCount:
    """Count the crossings in ready-made detections of frames that follow each other at `fps`."""
    analyser = Analyser(CameraId("file"), aspect, lines)
    result = FileCount()
    for frame, detections in frames:
        analysis = analyser.update(frame, frame / fps, detections)
        result.frames, result.seconds = result.frames + 1, (frame + 1) / fps
        result.crossings += analysis.crossings
        if on_frame is not None:
            on_frame(None, analysis.tracked, analysis.crossings)
    return result


def read_detections(lines: Iterable[str], source: str) -> Iterator[tuple[int, list[Detection]]]:
    """Read detections, one frame a line in the form of the 8070 stream.

    Also understood is the short form `{"frame":0,"detections":[{"x","y","w","h","name","confidence"}]}`
    with centre and size. BadInputError names the line that cannot be read.
    """
    last = -1
    for number, text in enumerate(lines, start=1):
        stripped = text.strip().rstrip(",").strip()
        if not stripped or stripped in "[]":
            continue
        try:
            frame, detections = _frame(json.loads(stripped))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadInputError(f"{source}, line {number}: not a frame of detections ({error!r})") from error
        if frame <= last:
            raise BadInputError(f"{source}, line {number}: frame {frame} does not follow frame {last}")
        last = frame
        yield frame, detections


def _frame(data: dict[str, Any]) -> tuple[int, list[Detection]]:
    if "objects" in data:
        return int(data["frame_id"]), [_detection(item, _relative(item)) for item in data["objects"]]
    boxes = [(item, (item["x"], item["y"], item["w"], item["h"])) for item in data["detections"]]
    return int(data["frame"]), [_detection(item, box) for item, box in boxes]


def _relative(item: dict[str, Any]) -> tuple[float, float, float, float]:
    place = item["relative_coordinates"]
    return place["center_x"], place["center_y"], place["width"], place["height"]


def _detection(item: dict[str, Any], centred: tuple[float, float, float, float]) -> Detection:
    x, y, width, height = (float(value) for value in centred)
    box: Box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    if not all(-1 <= value <= 2 for value in box) or width <= 0 or height <= 0:
        raise ValueError(f"box {centred} is not within the picture")
    return Detection(box, str(item["name"]), float(item["confidence"]))
