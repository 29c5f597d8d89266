"""The figures of every model card are those of the file beside it."""

from pathlib import Path

import pytest

from model.evaluation.card import BEGIN, measure_card, refreshed
from services.detector.infer.models import WEIGHTS, read_info
from tests.accuracy.card_figures import differences

DATA = {"traffic": "traffic", "mask": "masks"}
"""The folder of labelled pictures that a task is judged by."""

MODELS = sorted(WEIGHTS.glob("*.onnx"))

pytestmark = pytest.mark.data


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_card_tells_what_the_file_does(test_data: Path, path: Path) -> None:
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    assert BEGIN in card
    figures = measure_card(path, test_data / DATA[read_info(path).task])
    assert not differences(card, refreshed(card, figures, path.stem))


def test_there_is_a_model() -> None:
    assert MODELS
