"""`sightline count`: a file in, counts out."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.console import check_outputs, progress, table, warn, write_json
from services.cli.video_output import AnnotatedVideo, annotated_video
from services.common.files import read_text
from services.core.clip_gaps import ClipGap, GapCause
from services.core.errors import BadInputError
from services.core.evidence.rate import check_fps
from services.core.lines import lines_from_json
from services.core.model_classes import check_classes, listed
from services.core.tiles import WHOLE
from services.core.types import Detection, Line
from services.detector.count_file import FileCount, OnFrame, count_detections, count_video, read_detections
from services.detector.decode.file import VideoFile
from services.detector.infer.classifier import VERIFIER, OnnxRuntimeClassifier
from services.detector.infer.detector import Detector
from services.detector.infer.models import classifier_path, model_files, named_classes
from services.detector.infer.tiling import with_tiles
from services.detector.infer.two_stage import reference_detector
from services.detector.second_opinion import SecondOpinion, check_may_verify

DEFAULT_ASPECT = 16 / 9
MOST_GAPS = 5
"""More of them are not listed for people."""

CAUSES: dict[GapCause, str] = {
    "damaged": "damaged",
    "no-pictures": "no pictures",
    "cut-off": "the file is cut off, nothing",
}
LINES_LIMIT_BYTES, DETECTIONS_LIMIT_BYTES = 8_000_000, 4_000_000_000
"""Most bytes of LINES.json, and of ready-made detections."""
MOST_FILE_FPS = 1000.0
"""Frames a second of a file, whose counting need not keep up with it."""


@dataclass(frozen=True, slots=True)
class CountRequest:
    """What the user asked for, read and checked."""

    lines: tuple[Line, ...]
    fps: float | None
    output: Path | None
    verify: bool = False
    tiles: str = WHOLE


def count(
    video: Annotated[Path | None, typer.Argument(help="Video file.", show_default=False)] = None,
    lines: Annotated[Path, typer.Option(help="Counting lines: LINES.json.", show_default=False)] = ...,  # type: ignore[assignment]
    model: Annotated[
        str,
        typer.Option(help="traffic, mask, a shipped model, an .onnx file, or two stages: face+mobilenetv2."),
    ] = "traffic",
    detections: Annotated[
        Path | None, typer.Option(help="Ready-made detections (JSON lines) in place of a video.")
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(help="Frames a second to analyse (default: all); with --detections theirs."),
    ] = None,
    json_output: Annotated[
        Path | None, typer.Option("--json", help="Write counts and crossings to this file; - for stdout.")
    ] = None,
    video_output: Annotated[
        Path | None, typer.Option("--video", help="Write the annotated video to this .mp4.")
    ] = None,
    tiles: Annotated[
        str,
        typer.Option(
            help="Columns by rows of tiles for a wide picture, such as 2x1; each is looked at, and the "
            "picture once as a whole, so that 2x1 costs three times as much."
        ),
    ] = WHOLE,
    verify: Annotated[
        bool, typer.Option("--verify", help="With a mask model: a second opinion on each tracked face.")
    ] = False,
) -> None:
    """Count what crosses the lines in a video file, the same result every time."""
    if (video is None) == (detections is None):
        raise BadInputError("give either a video file or --detections FILE")
    if fps is not None:
        check_fps(fps, "--fps", MOST_FILE_FPS)
    check_outputs(
        (json_output, video_output), (video, lines, detections, *(model_files(model) if video else ()))
    )
    request = CountRequest(lines_from_json(_text(lines), str(lines)), fps, video_output, verify, tiles)
    started_s = time.monotonic()
    if video is not None:
        result = _count_video(video, model, request)
    else:
        assert detections is not None
        result = _count_detections(detections, request)
    if video is not None:
        warn_of_gaps(video, result.coverage, result.gaps)
    report = _report(video or detections, result, request.lines, time.monotonic() - started_s)
    if json_output is None or str(json_output) != "-":
        _print(report)
    if json_output is not None:
        write_json(json_output, report)


def warn_of_gaps(video: Path, coverage: float, gaps: Sequence[ClipGap]) -> None:
    """Say on stderr what of a file could not be counted."""
    if not gaps:
        return
    spans = [f"{CAUSES[gap.cause]} from {gap.from_s:.1f} to {gap.to_s:.1f} s" for gap in gaps[:MOST_GAPS]]
    more = ["…"] if len(gaps) > MOST_GAPS else []
    share = min(99, int(100 * coverage))
    warn(f"{video.name}: {share} % of it could be counted ({', '.join((*spans, *more))})")


def _text(path: Path, limit_bytes: int = LINES_LIMIT_BYTES) -> str:
    try:
        return read_text(path, limit_bytes)
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path} is no text: give a file in UTF-8") from error


def _count_video(path: Path, model: str, request: CountRequest) -> FileCount:
    check_classes(request.lines, model, named_classes(model))
    with VideoFile(path) as video:
        detector, opinion = _opened(model, request)
        writing = annotated_video(request.output, video.size, video.fps) if request.output else nullcontext()
        with progress(f"counting {path.name}", video.frames or None) as advance, writing as output:
            on_frame = _on_frame(advance, output, request.lines)
            result = count_video(video, detector, request.lines, request.fps, on_frame, opinion)
            if output is not None:
                output.end_s = result.seconds
            return result


def _opened(model: str, request: CountRequest) -> tuple[Detector, SecondOpinion | None]:
    """Give the detector, and who gives second opinions on what it finds."""
    whole = reference_detector(model)
    detector = with_tiles(whole, request.tiles)
    if not request.verify:
        return detector, None
    check_may_verify(whole)
    return detector, SecondOpinion(OnnxRuntimeClassifier(classifier_path(VERIFIER)))


def _on_frame(advance: Any, output: AnnotatedVideo | None, lines: Sequence[Line]) -> OnFrame:
    totals: Counter[tuple[str, str]] = Counter()

    def on_frame(picture: Any, tracked: Any, crossings: Any) -> None:
        advance(tracked.frame + 1)
        totals.update((crossing.line, crossing.direction) for crossing in crossings)
        if output is not None and picture is not None:
            output.write(picture, tracked, lines, totals)

    return on_frame


def _count_detections(path: Path, request: CountRequest) -> FileCount:
    if request.fps is None:
        raise BadInputError("--detections needs --fps N: the rate of the frames in it")
    rows = _text(path, DETECTIONS_LIMIT_BYTES).split("\n")
    if request.tiles != WHOLE:
        raise BadInputError("--tiles needs a video file, not --detections")
    if request.output is not None:
        raise BadInputError("--video needs a video file, not --detections")
    if request.verify:
        raise BadInputError("--verify needs a video file, not --detections")
    with progress(f"counting {path.name}", len(rows)) as advance:
        on_frame = _on_frame(advance, None, request.lines)
        found: set[str] = set()
        frames = _noting(read_detections(rows, str(path)), found)
        result = count_detections(frames, request.fps, request.lines, DEFAULT_ASPECT, on_frame)
    for line in request.lines:
        unseen = [name for name in line.classes or () if name not in found]
        if unseen:
            warn(f"line {line.id!r} counts {listed(unseen)}, which {path.name} never holds")
    return result


def _noting(
    frames: Iterable[tuple[int, list[Detection]]], found: set[str]
) -> Iterator[tuple[int, list[Detection]]]:
    """Pass frames on, and note which classes are in them."""
    for number, detections in frames:
        found.update(one.class_name for one in detections)
        yield number, detections


def _report(source: Path | None, result: FileCount, lines: Sequence[Line], wall_s: float) -> dict[str, Any]:
    return {
        "clip": source.name if source else "",
        "frames": result.frames,
        "seconds": round(result.seconds, 3),
        "wall_seconds": round(wall_s, 3),
        "coverage": round(result.coverage, 4),
        "gaps": [
            {"from": round(gap.from_s, 3), "to": round(gap.to_s, 3), "cause": gap.cause}
            for gap in result.gaps
        ],
        "lines": [_line_report(line, result) for line in lines],
    }


def _line_report(line: Line, result: FileCount) -> dict[str, Any]:
    own = sorted((c for c in result.crossings if c.line == line.id), key=lambda c: (c.time_s, c.track))
    totals = {
        direction: dict(sorted(Counter(c.class_name for c in own if c.direction == direction).items()))
        for direction in ("forward", "backward")
    }
    events = [
        {
            "t": round(c.time_s, 3),
            "class": c.class_name,
            "direction": c.direction,
            "along": round(c.along, 4),
            "track": c.track,
        }
        for c in own
    ]
    names = {"forward_name": line.forward_name, "backward_name": line.backward_name}
    return {"id": line.id, **totals, "events": events, **names}


def _print(report: dict[str, Any]) -> None:
    rows = []
    for line in report["lines"]:
        for direction in ("forward", "backward"):
            classes = line[direction]
            detail = ", ".join(f"{count} {name}" for name, count in classes.items()) or "none"
            name = line[f"{direction}_name"]
            words = f"{direction} ({name})" if name else direction
            rows.append((line["id"], words, str(sum(classes.values())), detail))
    table(f"{report['clip']}: {report['frames']} frames", ("line", "direction", "total", "by class"), rows)
