"""The figures of every model card are those of the file beside it."""

import json
from pathlib import Path

import pytest

from model.evaluation.card import BEGIN, measure_card, refreshed
from model.zoo.classifiers.card import measure_classifier, refreshed_card
from model.zoo.classifiers.exporting import TASK
from services.detector.infer.metadata import read_metadata
from services.detector.infer.models import METADATA_KEY, WEIGHTS, read_info
from tests.accuracy.card_figures import differences

DATA = {"traffic": "traffic", "mask": "masks"}
"""The folder of labelled pictures that a task is judged by."""

CLASSIFIER_DATA = ("masks", "masks_wild")
"""The folders by whose faces a classifier is judged."""


def _task(path: Path) -> str:
    return str(json.loads(read_metadata(path)[METADATA_KEY])["task"])


CLASSIFIERS = [path for path in sorted(WEIGHTS.glob("*.onnx")) if _task(path) == TASK]
MODELS = [path for path in sorted(WEIGHTS.glob("*.onnx")) if path not in CLASSIFIERS]

pytestmark = pytest.mark.data


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_card_tells_what_the_file_does(test_data: Path, path: Path) -> None:
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    assert BEGIN in card
    figures = measure_card(path, test_data / DATA[read_info(path).task])
    assert not differences(card, refreshed(card, figures, path.stem))


@pytest.mark.parametrize("path", CLASSIFIERS, ids=lambda path: path.stem)
def test_card_tells_what_the_classifier_does(test_data: Path, path: Path) -> None:
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    assert BEGIN in card
    figures = measure_classifier(path, [test_data / name for name in CLASSIFIER_DATA])
    assert not differences(card, refreshed_card(card, figures, path.stem))


def test_there_are_models() -> None:
    assert MODELS
    assert CLASSIFIERS
