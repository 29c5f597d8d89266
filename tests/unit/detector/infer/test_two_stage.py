"""A face finder and a classifier behind the door of one detector, with stand-ins for both."""

from pathlib import Path

import numpy as np
import pytest

from services.core.errors import BadInputError
from services.core.frames import Letterbox, Picture
from services.core.types import MASK_CLASSES, Detection
from services.detector.infer import classifier as classifiers
from services.detector.infer.classifier import OnnxRuntimeClassifier, fastest_classifier
from services.detector.infer.detector import Faces
from services.detector.infer.models import read_classifier
from services.detector.infer.select import choice_of, engine_choices, make_detector
from services.detector.infer.two_stage import MOST_FACES, TwoStageDetector, reference_detector
from tests.stand_in_models import Row, write_classifier, write_finder

LEFT: Row = (16.0, 24.0, 16.0, 24.0, 0.9, 0.1, 0.0)
LEFT_AGAIN: Row = (17.0, 24.0, 16.0, 24.0, 0.0, 0.6, 0.0)
RIGHT: Row = (48.0, 24.0, 16.0, 24.0, 0.0, 0.0, 0.5)
BLUE, GREEN, RED = (0, 0, 255), (0, 255, 0), (255, 0, 0)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classifier(tmp_path_factory.mktemp("models") / "colours.onnx")


@pytest.fixture(scope="module")
def finder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_finder(tmp_path_factory.mktemp("models") / "faces.onnx", [LEFT, LEFT_AGAIN, RIGHT])


def halves(left: tuple[int, int, int], right: tuple[int, int, int], width: int = 128) -> Picture:
    picture = np.zeros((width * 3 // 4, width, 3), np.uint8)
    picture[:, : width // 2], picture[:, width // 2 :] = left, right
    return picture


def detected(name: str, picture_rgb: Picture, confidence: float = 0.1) -> list[Detection]:
    detector = reference_detector(name)
    letterbox = detector.letterbox(picture_rgb.shape[1], picture_rgb.shape[0])
    return detector.detect(letterbox.resize(picture_rgb[..., ::-1].copy()), letterbox, confidence)


def test_the_classifier_says_the_class_and_boxes_of_one_face_are_one(finder: Path, classifier: Path) -> None:
    found = detected(f"{finder}+{classifier}", halves(GREEN, RED))
    assert [item.class_name for item in found] == ["no_mask", "mask_incorrect"]
    assert [round(sum(item.box[::2]) / 2, 1) for item in found] == [0.3, 0.8]
    assert 0.85 < found[0].confidence <= 0.9
    assert 0.47 < found[1].confidence <= 0.5


def test_what_is_less_sure_than_asked_for_is_left_out(finder: Path, classifier: Path) -> None:
    unsure = halves(BLUE, (128, 128, 128))
    assert [len(detected(f"{finder}+{classifier}", unsure, least)) for least in (0.1, 0.3, 0.6, 0.95)] == [
        2,
        1,
        1,
        0,
    ]


def test_a_picture_without_faces_needs_no_classifier(tmp_path: Path, classifier: Path) -> None:
    none = write_finder(tmp_path / "none.onnx", [(16.0, 24.0, 16.0, 24.0, 0.0, 0.01, 0.0)])
    assert detected(f"{none}+{classifier}", halves(BLUE, RED)) == []


class Counting:
    """Passes faces on to a classifier and notes how many came at once."""

    def __init__(self, inner: OnnxRuntimeClassifier) -> None:
        self.inner, self.info, self.engine = inner, inner.info, inner.engine
        self.batches: list[int] = []

    def probabilities(self, faces: Faces) -> Faces:
        self.batches.append(len(faces))
        return self.inner.probabilities(faces)


class Crowd:
    """Finds as many faces as it is told, each beside the other."""

    engine = "crowd"

    def __init__(self, finder: Path, number: int) -> None:
        self.info, self.number = reference_detector(str(finder)).info, number

    def letterbox(self, width: int, height: int) -> Letterbox:
        return Letterbox(64, 48, width, height)

    def detect(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        step = 1 / self.number
        return [
            Detection((i * step, 0.2, (i + 0.9) * step, 0.4), "mask", 0.4 + i / self.number / 2)
            for i in range(self.number)
        ]


def test_all_faces_of_a_picture_go_through_in_one_batch_of_bounded_size(
    finder: Path, classifier: Path
) -> None:
    counting = Counting(OnnxRuntimeClassifier(classifier))
    picture = halves(BLUE, BLUE)
    for number in (5, MOST_FACES + 20):
        detector = TwoStageDetector("crowd", Crowd(finder, number), counting)
        letterbox = detector.letterbox(128, 96)
        found = detector.detect(letterbox.resize(picture), letterbox, 0.1)
        assert len(found) == min(number, MOST_FACES)
        assert found[0].confidence == max(item.confidence for item in found) > 0.79
    assert counting.batches == [5, MOST_FACES]


def test_only_what_finds_faces_can_be_the_first_stage(tmp_path: Path, classifier: Path) -> None:
    helmets = write_finder(tmp_path / "helmets.onnx", [LEFT], ("helmet", "head_bare", "vest"))
    with pytest.raises(BadInputError, match=r"finds no faces \(helmet, head_bare, vest\)"):
        reference_detector(f"{helmets}+{classifier}")
    with pytest.raises(BadInputError, match="finds no faces"):
        TwoStageDetector("x", reference_detector(str(helmets)), OnnxRuntimeClassifier(classifier))
    people = write_finder(tmp_path / "people.onnx", [LEFT, RIGHT], ("face", "hat", "person"))
    assert [item.class_name for item in detected(f"{people}+{classifier}", halves(BLUE, RED))] == ["mask"]


def test_the_shipped_mask_model_is_the_face_finder(classifier: Path) -> None:
    detector = reference_detector(f"face+{classifier}")
    assert detector.info.task == "mask"
    assert detector.info.classes == MASK_CLASSES
    assert detector.letterbox(1280, 720) == reference_detector("mask").letterbox(1280, 720)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"classes": ("mask", "helmet", "vest")}, "classes are among mask"),
        ({"classes": ("mask",)}, "classes are among mask"),
        ({"side": 600}, "at most 512"),
        ({"margin": -0.1}, "margin 0 to 1"),
    ],
    ids=str,
)
def test_other_classifiers_are_refused(tmp_path: Path, change: dict[str, object], complaint: str) -> None:
    path = write_classifier(tmp_path / "odd.onnx", **change)  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match=complaint):
        read_classifier(path)


def test_both_stages_are_measured_and_what_was_chosen_is_told(
    finder: Path, classifier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{finder}+{classifier}"
    detector = make_detector(name)
    choice = choice_of(detector)
    assert (choice.model, choice.chosen) == (name, detector.engine)
    assert choice.cpu_ms is not None
    assert choice.is_bounded
    assert {"faces", "colours"} <= {known.model for known in engine_choices()}
    monkeypatch.setattr(classifiers, "_selections", {})
    assert choice_of(detector).cpu_ms is None
    assert fastest_classifier(classifier).info.name == "colours"


def test_classifiers_are_compared_by_processor_time(
    classifier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(OnnxRuntimeClassifier):
        engine = "openvino-cpu"

    times = iter([(1.0, 5.0), (40.0, 2.0)])
    monkeypatch.setattr(classifiers, "_selections", {})
    monkeypatch.setattr(classifiers, "OpenVinoClassifier", Other)
    monkeypatch.setattr(classifiers, "_measured", lambda one: next(times))
    fastest_classifier(classifier)
    (choice,) = classifiers.classifier_choices()
    assert (choice.chosen, choice.tried[1].engine) == ("openvino-cpu", "openvino-cpu")
    assert (choice.code, choice.tried[1].cpu_ms, choice.tried[1].precision) == ("engine-fastest", 2.0, "fp32")


def test_a_classifier_that_openvino_cannot_compute_is_computed_all_the_same(
    classifier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise RuntimeError("no rule for Det")

    refuse.engine = "openvino-cpu"  # type: ignore[attr-defined]
    monkeypatch.setattr(classifiers, "_selections", {})
    monkeypatch.setattr(classifiers, "OpenVinoClassifier", refuse)
    assert fastest_classifier(classifier).engine == "onnxruntime-cpu"
    (choice,) = classifiers.classifier_choices()
    assert [trial.code for trial in choice.tried] == ["trial-reference", "trial-unable"]
