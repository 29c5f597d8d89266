"""What a second opinion, and a second stage, do to the mask states of people that are counted.

`python -m tests.accuracy.second_opinion FOLDER_OF_CLIPS CLASSIFIER.onnx [MODEL]` prints a row for each clip
and scene: how many people it has, and how many of them end with a wrong state, by the mask model alone,
with a second opinion, and by two stages.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.core.boxes import overlaps
from services.core.types import Box, Line, TrackedFrame, TrackedObject
from services.demo.encode import write_video
from services.demo.scenes import DEMOS
from services.demo.script import DEFAULT_DURATION_S
from services.demo.truth import truth_of
from services.detector.count_file import count_video
from services.detector.decode.file import VideoFile
from services.detector.infer.classifier import OnnxRuntimeClassifier
from services.detector.infer.detector import Detector
from services.detector.infer.two_stage import TwoStageDetector, reference_detector
from services.detector.second_opinion import SecondOpinion
from tests.accuracy.scoring import Event, Score, score

CLIPS = ("mask-demo.mp4", "mask-slides.mp4")
SEEDS = range(1, 4)
CAMERA_FPS = 10.0
SAME_FACE = 0.3
"""Intersection over union from which a tracked box is that of a face of the truth."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to tell mask states."""

    name: str
    make: Callable[[], tuple[Detector, SecondOpinion | None]]


@dataclass(frozen=True, slots=True)
class TrueFace:
    """A face that a clip shows for some time, on its straight way; no box: it is the only one."""

    label: str
    start_s: float
    end_s: float
    boxes: tuple[Box, Box] | None

    def box(self, time_s: float) -> Box | None:
        if self.boxes is None:
            return None
        share = (time_s - self.start_s) / (self.end_s - self.start_s)
        x1, y1, x2, y2 = (a + share * (b - a) for a, b in zip(*self.boxes, strict=True))
        return x1, y1, x2, y2


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the people of one clip were told."""

    people: int
    wrong: int
    """State not the true one, when they were seen last."""
    unseen: int
    cpu_s: float


def ways(model: str, classifier: Path) -> list[Way]:
    """Give the ways that are compared: a mask model alone, verified, and as the finder of two stages."""

    def alone() -> tuple[Detector, None]:
        return reference_detector(model), None

    def verified() -> tuple[Detector, SecondOpinion]:
        opinion = SecondOpinion(OnnxRuntimeClassifier(classifier))
        return reference_detector(model), opinion

    def two_stages() -> tuple[Detector, None]:
        second = OnnxRuntimeClassifier(classifier)
        return TwoStageDetector("two", reference_detector(model), second), None

    return [Way(model, alone), Way(f"{model}, verified", verified), Way("two stages", two_stages)]


def faces_of(clip: dict) -> list[TrueFace]:
    """Give the faces of a clip whose state is known."""
    found = []
    for interval in clip["faces"]["intervals"]:
        start_s, end_s = interval["start"], interval["end"]
        if isinstance(interval["faces"], list):
            for face in interval["faces"]:
                boxes = (_corners(face["box_at_start"]), _corners(face["box_at_end"]))
                found.append(TrueFace(face["label"], start_s, end_s, boxes))
        elif interval["label"] in ("mask", "no_mask", "mask_incorrect"):
            found.append(TrueFace(interval["label"], start_s, end_s, None))
    return found


def _corners(centred: Sequence[float]) -> Box:
    x, y, width, height = centred
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def told_in_clip(path: Path, faces: Sequence[TrueFace], way: Way) -> Outcome:
    """Track a clip and look at the last state of each true face."""
    last: dict[int, str] = {}

    def on_frame(_: object, tracked: TrackedFrame, __: object) -> None:
        for number, face in enumerate(faces):
            if face.start_s <= tracked.time_s < face.end_s:
                seen = _seen(face.box(tracked.time_s), tracked.objects)
                if seen is not None:
                    last[number] = seen.class_name

    detector, opinion = way.make()
    began_s = time.thread_time()
    with VideoFile(path) as video:
        count_video(video, detector, (), CAMERA_FPS, on_frame, opinion)
    wrong = sum(last[number] != face.label for number, face in enumerate(faces) if number in last)
    return Outcome(len(faces), wrong, len(faces) - len(last), time.thread_time() - began_s)


def _seen(box: Box | None, objects: Sequence[TrackedObject]) -> TrackedObject | None:
    """Give the tracked object that is a true face, where there is one."""
    if not objects:
        return None
    if box is None:
        return max(objects, key=lambda item: (item.box[2] - item.box[0]) * (item.box[3] - item.box[1]))
    shared = overlaps(np.array([box]), np.array([item.box for item in objects]))[0]
    return objects[int(shared.argmax())] if shared.max() >= SAME_FACE else None


def told_at_entrance(path: Path, seed: int, way: Way) -> tuple[Outcome, list[Score]]:
    """Count a scene of people who come in, against its script."""
    scene = DEMOS["masks"].make(seed, DEFAULT_DURATION_S)
    lines: Sequence[Line] = scene.lines
    detector, opinion = way.make()
    began_s = time.thread_time()
    with VideoFile(path) as video:
        crossings = count_video(video, detector, lines, CAMERA_FPS, None, opinion).crossings
    scores = []
    for line in lines:
        true = [Event(t.time_s, t.direction, t.class_name) for t in truth_of(scene) if t.line == line.id]
        own = [Event(c.time_s, c.direction, c.class_name) for c in crossings if c.line == line.id]
        scores.append(score(f"{seed} {line.id}", true, own, 1.0))
    people = sum(len(one.matched) + len(one.missed) for one in scores)
    wrong, unseen = sum(one.wrong_classes for one in scores), sum(len(one.missed) for one in scores)
    return Outcome(people, wrong, unseen, time.thread_time() - began_s), scores


def rows(
    clips: Path, classifier: Path, model: str, seeds: Sequence[int]
) -> Iterator[tuple[str, str, Outcome]]:
    """Give the outcome of each clip and scene, by each way."""
    known = {one["file"]: one for one in json.loads((clips / "counts.json").read_text())["clips"]}
    for name in CLIPS:
        for way in ways(model, classifier):
            yield name, way.name, told_in_clip(clips / name, faces_of(known[name]), way)
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            path = Path(folder) / f"{seed}.mp4"
            write_video(DEMOS["masks"].make(seed, DEFAULT_DURATION_S), path)
            for way in ways(model, classifier):
                yield f"entrance {seed}", way.name, told_at_entrance(path, seed, way)[0]


if __name__ == "__main__":
    for model in sys.argv[3:] or ("mask-n", "mask-s"):
        for source, way_name, one in rows(Path(sys.argv[1]), Path(sys.argv[2]), model, SEEDS):
            print(
                f"{source:16} {way_name:18} people {one.people:3}  wrong {one.wrong:2}  "
                f"unseen {one.unseen:2}  cpu {one.cpu_s:5.1f} s",
                flush=True,
            )
