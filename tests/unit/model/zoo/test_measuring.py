import json
from pathlib import Path

import numpy as np
import pytest

from model.data.samples import Sample
from model.evaluation.predictions import Found
from model.zoo.measuring import (
    TORCH,
    Entrant,
    Evaluated,
    best_confidence,
    entrant,
    failures,
    figures,
    find_all,
    judge_all,
    time_entrants,
    write_samples,
)
from model.zoo.rival import Rival
from services.core.errors import BadInputError
from services.core.frames import Picture

CLASSES = ("mask", "no_mask")


def found(*rows: tuple[float, float, int]) -> Found:
    """Boxes of 40 pixels by their left end, score and class."""
    boxes = np.array([[x, 0, x + 40, 40] for x, _, _ in rows], np.float32).reshape(-1, 4)
    return Found(boxes, np.array([r[1] for r in rows], np.float32), np.array([r[2] for r in rows], np.int64))


def sample(*faces: tuple[float, int]) -> Sample:
    labels = np.array([[index, x, 0, x + 40, 40] for x, index in faces], np.float32).reshape(-1, 5)
    return Sample("picture", np.zeros((320, 640, 3), np.uint8), labels)


SAMPLES = [sample((0, 0), (100, 1)), sample((0, 0), (100, 0))]
ANSWERS = [
    found((0, 0.09, 0), (100, 0.08, 0), (300, 0.02, 1)),
    found((0, 0.07, 0), (200, 0.03, 0)),
]
"""Two masks found, one bare face taken for a mask, one mask missed, and two that are no faces, all unsure."""


def test_figures_are_taken_where_f1_is_highest_however_unsure_a_method_is() -> None:
    confidence = best_confidence(judge_all(ANSWERS, SAMPLES))
    assert confidence == pytest.approx(0.07, rel=2e-4)
    judged = judge_all(ANSWERS, SAMPLES, confidence)
    result = figures(judged, CLASSES, confidence)
    assert result.precision == pytest.approx(2 / 3) and result.recall == pytest.approx(2 / 4)
    assert result.f1 == pytest.approx(2 * 2 / (3 + 4))
    assert result.accuracy("mask") == "1.000 at 0.667"
    assert result.accuracy("no_mask") == "0.000 at 1.000"
    unbent = figures(judge_all(ANSWERS, SAMPLES), CLASSES, 0.25)
    assert result.report.metrics.map50 == unbent.report.metrics.map50 > 0
    assert unbent.recall == 0 and np.isnan(unbent.precision)


def test_ap_by_size_is_the_mean_over_the_classes_that_have_such_faces() -> None:
    result = figures(judge_all(ANSWERS, SAMPLES, 0.07), CLASSES, 0.07)
    metrics = result.report.metrics
    assert result.by_size("32-96") == pytest.approx((metrics.ap50["mask"] + metrics.ap50["no_mask"]) / 2)
    assert np.isnan(result.by_size("over 96"))


def test_a_method_that_finds_nothing_has_figures_too() -> None:
    nothing = [found(), found()]
    confidence = best_confidence(judge_all(nothing, SAMPLES))
    result = figures(judge_all(nothing, SAMPLES, confidence), CLASSES, confidence)
    assert result.recall == result.f1 == 0 and result.accuracy("mask") == "– at 0.000"


def test_errors_are_counted_by_kind_at_the_confidence_and_naming_is_told_from_finding() -> None:
    ignored = np.vstack((SAMPLES[1].labels, [[-1, 200, 0, 240, 40]])).astype(np.float32)
    samples = [SAMPLES[0], Sample("picture", SAMPLES[1].picture, ignored)]
    result = failures(ANSWERS, samples, 0.01)
    wanted = {"missed": 1, "misnamed": 1, "misplaced": 0, "double": 0, "false": 1}
    assert result.numbers == wanted and result.boxes == 4
    metrics = figures(judge_all(ANSWERS, samples), CLASSES, 0.25).report.metrics
    assert result.ap50_unnamed == pytest.approx(76 / 101) and metrics.map50 < 0.5
    assert failures(ANSWERS, samples, 0.5).numbers == dict.fromkeys(wanted, 0) | {"missed": 4}


class Answers(Evaluated):
    """Gives the answers above, one after the other."""

    classes = CLASSES

    def __init__(self) -> None:
        self._answers = iter(ANSWERS)

    def predict(self, picture_bgr: Picture) -> Found:
        return next(self._answers)


def test_a_method_is_evaluated_where_its_f1_is_highest_or_where_it_is_told() -> None:
    shares: list[float] = []
    chosen = Answers().evaluate(SAMPLES, shares.append)
    assert shares == [0.5, 1.0] and len(chosen.judged) == 2
    assert chosen.figures.confidence == pytest.approx(0.07, rel=2e-4)
    assert chosen.figures.recall == pytest.approx(2 / 4)
    told = Answers().evaluate(SAMPLES, shares.append, 0.085)
    assert told.figures.confidence == 0.085 and told.figures.recall == pytest.approx(1 / 4)


class Stub:
    """What cannot be exported, and finds one face."""

    name = title = "stub"

    def predict(self, picture_bgr: Picture) -> Found:
        return found((0, 0.9, 0))

    def export(self, path: Path) -> None:
        raise BadInputError("it cannot be")


def test_all_pictures_are_looked_at_with_the_share_that_is_done(tmp_path: Path) -> None:
    stub: Rival = Stub()  # type: ignore[assignment]  # of a Rival what is looked at here
    shares: list[float] = []
    answers = find_all(stub.predict, SAMPLES, shares.append)
    assert len(answers) == 2 and shares == [0.5, 1.0]
    ready = entrant(stub, tmp_path)
    assert ready.engine == TORCH and len(ready.predict(SAMPLES[0].picture).scores) == 1


def test_every_method_does_the_same_pictures_and_every_sample_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: dict[str, list[int]] = {"a": [], "b": []}

    def make(name: str) -> Entrant:
        def predict(picture: Picture) -> Found:
            seen[name].append(int(picture[0, 0, 0]))
            return found()

        return Entrant(name, "an engine", predict)

    pictures = [np.full((4, 4, 3), value, np.uint8) for value in (1, 2)]
    timings = time_entrants([make("a"), make("b")], pictures, 4)
    assert seen["a"] == seen["b"] and set(seen["a"]) == {1, 2}
    assert len(timings["a"].samples_ms) == 4
    assert timings["a"].frames_per_s == pytest.approx(1000 / timings["a"].median_ms)
    write_samples(tmp_path / "new" / "samples.json", timings, 1)
    kept = json.loads((tmp_path / "new" / "samples.json").read_text())
    assert kept["rows"]["b"]["samples_ms"] == list(timings["b"].samples_ms) and kept["threads"] == 1
    write_samples(Path("-"), timings, 1)
    assert json.loads(capsys.readouterr().out) == kept
