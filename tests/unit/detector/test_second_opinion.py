"""Who looks a second time, at which faces, and what that does to a track's class."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from services.core.errors import BadInputError
from services.core.frames import Letterbox, Picture
from services.core.types import CameraId, Detection, Line, LineId, TrackedObject
from services.detector.analyser import Analyser
from services.detector.infer.classifier import OnnxRuntimeClassifier
from services.detector.infer.two_stage import DetailedDetector, TwoStageDetector, reference_detector
from services.detector.second_opinion import (
    LOOK_AGAIN_S,
    LOOKS_A_FRAME,
    LOOKS_A_TRACK,
    SecondOpinion,
    with_second_opinion,
)
from tests.makers import camera
from tests.stand_in_models import write_classifier, write_finder

LINE = Line(LineId("door"), "Door", ((0.0, 0.5), (1.0, 0.5)))
BLUE = (0, 0, 255)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> OnnxRuntimeClassifier:
    """Sees a mask in what is blue."""
    return OnnxRuntimeClassifier(write_classifier(tmp_path_factory.mktemp("models") / "colours.onnx"))


def picture(color: tuple[int, int, int] = BLUE) -> Picture:
    return np.full((200, 200, 3), color, np.uint8)


def face(track: int, x: float = 0.5, size: float = 0.2, y: float = 0.5) -> TrackedObject:
    box = (x - size / 2, y - size / 2, x + size / 2, y + size / 2)
    return TrackedObject(track, box, "no_mask", 0.9, "no_mask")


def looked_at(opinion: SecondOpinion, time_s: float, *tracked: TrackedObject) -> list[int]:
    return [one.track for one in opinion.of(time_s, tracked, picture())]


def test_a_look_votes_by_probability_and_size(classifier: OnnxRuntimeClassifier) -> None:
    (one,) = SecondOpinion(classifier).of(0.0, [face(7)], picture())
    assert one.track == 7
    assert max(one.votes, key=lambda name: one.votes[name]) == "mask"
    assert sum(one.votes.values()) == pytest.approx(0.2 * 0.2, rel=1e-3)


def test_a_face_is_looked_at_again_when_it_has_turned_or_grown_and_a_few_times_in_all(
    classifier: OnnxRuntimeClassifier,
) -> None:
    opinion = SecondOpinion(classifier)
    assert looked_at(opinion, 0.0, face(1)) == [1]
    assert looked_at(opinion, 0.1, face(1)) == []
    assert looked_at(opinion, 0.2, face(1, size=0.25)) == [1]
    assert looked_at(opinion, 0.3, face(1, size=0.25)) == []
    times = [1.0 + n * LOOK_AGAIN_S * 1.1 for n in range(20)]
    assert sum(len(looked_at(opinion, time_s, face(1))) for time_s in times) == LOOKS_A_TRACK - 2
    opinion.forget([1])
    assert looked_at(opinion, 30.0, face(1)) == [1]


def test_a_crowd_costs_no_more_and_each_has_its_turn(classifier: OnnxRuntimeClassifier) -> None:
    opinion = SecondOpinion(classifier)
    crowd = [face(n, 0.2 + 0.05 * n) for n in range(10)]
    looks = [looked_at(opinion, n / 100, *crowd) for n in range(4)]
    assert [len(tracks) for tracks in looks] == [LOOKS_A_FRAME, LOOKS_A_FRAME, 2, 0]
    assert sorted(track for tracks in looks for track in tracks) == list(range(10))


@pytest.mark.parametrize(
    "unclear",
    [face(1, x=0.1), face(1, size=0.05), replace(face(1), class_name="car", mask=None)],
    ids=["cut by the border", "too small", "no face"],
)
def test_what_shows_no_mask_is_not_looked_at(
    classifier: OnnxRuntimeClassifier, unclear: TrackedObject
) -> None:
    assert looked_at(SecondOpinion(classifier), 0.0, unclear) == []


def walk(analyser: Analyser, color: tuple[int, int, int]) -> tuple[set[str], list[str]]:
    """Let a face that the detector misreads walk over the line; give its classes, and those counted."""
    classes, counted = set(), []
    for frame in range(30):
        y = 0.25 + 0.5 * frame / 29
        found = [Detection((0.4, y - 0.1, 0.6, y + 0.1), "no_mask", 0.5)]
        analysis = analyser.update(frame, frame / 10, found, picture(color))
        classes |= {item.class_name for item in analysis.tracked.objects}
        assert all(item.mask == item.class_name for item in analysis.tracked.objects)
        counted += [f"{one.class_name} {one.mask}" for one in analysis.crossings]
    return classes, counted


def test_a_face_that_was_misread_is_counted_by_all_votes(classifier: OnnxRuntimeClassifier) -> None:
    alone = Analyser(CameraId("door"), 1.0, [LINE])
    assert walk(alone, BLUE) == ({"no_mask"}, ["no_mask no_mask"])
    helped = Analyser(CameraId("door"), 1.0, [LINE], second_opinion=SecondOpinion(classifier))
    assert walk(helped, BLUE) == ({"mask"}, ["mask mask"])
    unsure = Analyser(CameraId("door"), 1.0, [LINE], second_opinion=SecondOpinion(classifier))
    assert walk(unsure, (90, 90, 90)) == ({"no_mask"}, ["no_mask no_mask"])


class Faces:
    """A mask model that finds nothing, in pictures of 64x48."""

    engine = "none"

    def __init__(self, folder: Path) -> None:
        path = write_finder(folder / "faces.onnx", [(16.0, 24.0, 8.0, 8.0, 0.5, 0.0, 0.0)])
        self.info = reference_detector(str(path)).info

    def letterbox(self, width: int, height: int) -> Letterbox:
        return Letterbox(64, 48, width, height)

    def detect(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        assert scaled_rgb.shape[:2] == letterbox.size[::-1] == (48, 64)
        return []


def test_with_a_second_opinion_pictures_are_larger(tmp_path: Path, classifier: OnnxRuntimeClassifier) -> None:
    gate, faces = replace(camera(), verify=True), Faces(tmp_path)
    detector, found = with_second_opinion(gate, faces, lambda: classifier)
    assert found is classifier
    letterbox = detector.letterbox(640, 480)
    assert letterbox.size == (128, 96)
    assert detector.detect(np.zeros((96, 128, 3), np.uint8), letterbox, 0.1) == []
    assert with_second_opinion(replace(gate, verify=False), faces, lambda: classifier) == (faces, None)
    assert with_second_opinion(gate, faces, None) == (faces, None)


def test_where_it_cannot_be_had_counting_goes_on_without(
    tmp_path: Path, classifier: OnnxRuntimeClassifier, caplog: pytest.LogCaptureFixture
) -> None:
    gate, faces = replace(camera(), verify=True), Faces(tmp_path)
    cars = write_finder(tmp_path / "cars.onnx", [(16.0, 24.0, 8.0, 8.0, 0.5)], ("car",))

    def missing() -> OnnxRuntimeClassifier:
        raise BadInputError("unknown model 'x'")

    with caplog.at_level(logging.WARNING):
        for detector, make in (
            (faces, missing),
            (reference_detector(str(cars)), lambda: classifier),
            (TwoStageDetector("two", faces, classifier), lambda: classifier),
        ):
            assert with_second_opinion(gate, detector, make) == (detector, None)
    assert len([one for one in caplog.messages if "without a second opinion" in one]) == 3


def test_a_larger_picture_is_never_one_that_the_camera_does_not_have(tmp_path: Path) -> None:
    detector = DetailedDetector(Faces(tmp_path))
    assert [detector.letterbox(width, width * 3 // 4).size for width in (32, 80, 4000)] == [
        (64, 48),
        (80, 60),
        (128, 96),
    ]
