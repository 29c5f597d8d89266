"""Counting on clips whose crossings were counted by hand."""

import json
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

import pytest

from services.core.types import Line
from services.detector.count_file import count_detections, count_video, read_detections
from services.detector.decode.file import VideoFile
from services.detector.infer.engines import OnnxRuntimeDetector
from services.detector.infer.models import WEIGHTS, model_path
from tests.accuracy.scoring import Event, Score, f1, score

LEAST_F1 = 0.95
DENSE = "stuttgart-crossing"
MOST_WRONG_IN_DENSE = 1
"""Events of the dense street, 44 on two lines; none is wrong where the weights were chosen, but processors
differ in the last bits of a score."""
DIRECTIONS = {"neg_to_pos": "forward", "pos_to_neg": "backward"}

pytestmark = [pytest.mark.data, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def clips(test_data: Path) -> list[dict]:
    found = json.loads((test_data / "clips" / "counts.json").read_text())["clips"]
    return [clip for clip in found if clip.get("lines")]


def lines_of(clip: dict) -> list[Line]:
    return [Line(e["id"], e["id"], ((e["x1"], e["y1"]), (e["x2"], e["y2"]))) for e in clip["lines"]]


def scores_of(clip: dict, crossings: list) -> list[Score]:
    scores = []
    for line in clip["lines"]:
        true = [Event(e["t"], DIRECTIONS[e["direction"]], e["class"]) for e in line["events"]]
        own = [Event(c.time_s, c.direction, c.class_name) for c in crossings if c.line == line["id"]]
        scores.append(score(f"{clip['file']} {line['id']}", true, own))
    return scores


def test_ready_made_detections_count_exactly(test_data: Path, clips: list[dict]):
    clip = next(c for c in clips if c["file"] == "stuttgart-crossing.mp4")
    text = (test_data / "clips" / "stuttgart-crossing.detections.jsonl").read_text()
    frames = read_detections(text.splitlines(), "detections")
    result = count_detections(frames, 25, lines_of(clip), clip["width"] / clip["height"])
    scores = scores_of(clip, result.crossings)
    for item in scores:
        print(item)
    assert [len(s.matched) for s in scores] == [21, 23]
    assert not any(s.missed or s.extra for s in scores)


def counted(model: str, folder: Path, clip: dict) -> list[Score]:
    detector = OnnxRuntimeDetector(model_path(model))
    with VideoFile(folder / clip["file"]) as video:
        return scores_of(clip, count_video(video, detector, lines_of(clip)).crossings)


@pytest.mark.parametrize("model", sorted(path.stem for path in WEIGHTS.glob("traffic-*.onnx")))
def test_clips_are_counted_by_the_shipped_models(
    model: str, test_data: Path, clips: list[dict], pool: ProcessPoolExecutor
):
    longest_first = sorted(clips, key=lambda clip: -clip["fps"] * clip["seconds"])
    found = pool.map(counted, repeat(model), repeat(test_data / "clips"), longest_first)
    scores = [item for clip_scores in found for item in clip_scores]
    for item in scores:
        print(item)
    exact = sum(not (s.missed or s.extra) for s in scores)
    print(f"event F1 {f1(scores):.3f}, lines exact event by event {exact}/{len(scores)}")
    assert f1(scores) >= LEAST_F1
    dense = [item for item in scores if item.title.startswith(DENSE)]
    assert len(dense) == 2
    assert sum(len(item.missed) + len(item.extra) for item in dense) <= MOST_WRONG_IN_DENSE
