"""Who looks a second time, at which faces, and what that does to a track's class."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from services.core.errors import BadInputError
from services.core.frames import Picture
from services.core.types import CameraId, Detection, Line, LineId, TrackedObject
from services.detector.analyser import Analyser
from services.detector.infer.classifier import OnnxRuntimeClassifier
from services.detector.infer.detector import Detector
from services.detector.infer.two_stage import TwoStageDetector, reference_detector
from services.detector.second_opinion import (
    LOOK_AGAIN_S,
    LOOKS_A_FRAME,
    SecondOpinion,
    classifier_for,
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


def test_a_face_is_looked_at_again_when_it_has_turned_or_grown(classifier: OnnxRuntimeClassifier) -> None:
    opinion = SecondOpinion(classifier)
    assert looked_at(opinion, 0.0, face(1)) == [1]
    assert looked_at(opinion, 0.1, face(1)) == []
    assert looked_at(opinion, 0.2, face(1, size=0.25)) == [1]
    assert looked_at(opinion, 0.3, face(1, size=0.25)) == []
    times = [1.0 + n * LOOK_AGAIN_S / 3 for n in range(30)]
    assert sum(len(looked_at(opinion, time_s, face(1))) for time_s in times) == pytest.approx(10, abs=1)
    opinion.forget([1])
    assert looked_at(opinion, 1.0, face(1)) == [1]


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
        found = [Detection((0.4, y - 0.1, 0.6, y + 0.1), "no_mask", 0.4)]
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


@pytest.fixture
def faces(tmp_path: Path) -> Detector:
    """A mask model."""
    return reference_detector(
        str(write_finder(tmp_path / "faces.onnx", [(16.0, 24.0, 8.0, 8.0, 0.5, 0.0, 0.0)]))
    )


def test_it_is_given_where_a_camera_asks_for_it(faces: Detector, classifier: OnnxRuntimeClassifier) -> None:
    gate = replace(camera(), verify=True)
    assert classifier_for(gate, faces, lambda: classifier) is classifier
    assert classifier_for(replace(gate, verify=False), faces, lambda: classifier) is None
    assert classifier_for(gate, faces, None) is None


def test_where_it_cannot_be_had_counting_goes_on_without(
    tmp_path: Path, faces: Detector, classifier: OnnxRuntimeClassifier, caplog: pytest.LogCaptureFixture
) -> None:
    gate = replace(camera(), verify=True)
    cars = write_finder(tmp_path / "cars.onnx", [(16.0, 24.0, 8.0, 8.0, 0.5)], ("car",))

    def missing() -> OnnxRuntimeClassifier:
        raise BadInputError("unknown model 'x'")

    with caplog.at_level(logging.WARNING):
        for detector, make in (
            (faces, missing),
            (reference_detector(str(cars)), lambda: classifier),
            (TwoStageDetector("two", faces, classifier), lambda: classifier),
        ):
            assert classifier_for(gate, detector, make) is None
    assert len([one for one in caplog.messages if "without a second opinion" in one]) == 3
