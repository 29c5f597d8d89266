"""Each network takes crops of its size, learns, and is the same computation as an ONNX file."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from model.export.writing import METADATA_KEY
from model.zoo.classifiers.crops import MARGIN, FaceCrop
from model.zoo.classifiers.exporting import export_classifier
from model.zoo.classifiers.finders import onnx_cost
from model.zoo.classifiers.lessons import CropLesson, probabilities
from model.zoo.classifiers.networks import KINDS, EvenLight, NetworkKind, feed_forward, mobilenetv2
from model.zoo.classifiers.pca import PCA_ANN, load_pca_ann, train_pca_ann
from model.zoo.classifiers.training import read_history
from model.zoo.classifiers.two_stage import session_of
from services.core.types import MASK_CLASSES


@pytest.mark.parametrize("kind", [one for one in KINDS if one.name != "vgg16"], ids=lambda one: one.name)
def test_it_gives_a_logit_for_each_class(kind: NetworkKind) -> None:
    with torch.inference_mode():
        logits = kind.build().eval()(torch.rand(2, 3, kind.side_px, kind.side_px))
    assert logits.shape == (2, len(MASK_CLASSES))
    assert torch.isfinite(logits).all()


def test_the_head_of_ssdmnv2_is_that_of_the_paper() -> None:
    network = mobilenetv2(96, 3)
    assert isinstance(network, nn.Sequential)
    kinds = [type(layer).__name__ for layer in list(network)[2:]]
    assert kinds == ["AvgPool2d", "Flatten", "Linear", "ReLU", "Dropout", "Linear"]
    assert (network[4].out_features, network[6].p) == (128, 0.5)


def test_even_light_takes_the_slope_of_the_light_away() -> None:
    window = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    slope = torch.linspace(0, 0.5, 20).view(1, 1, 1, 20)
    light = EvenLight(20)
    assert torch.allclose(light(window * 0.5), light(window * 0.5 + slope), atol=1e-4)
    assert light(window).square().mean() == pytest.approx(1, abs=0.01)


def test_a_file_says_how_crops_are_cut_and_gives_probabilities(tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    network = mobilenetv2(32, 3, width=0.25).eval()
    export_classifier(network, path, 32, "small", "a small one", half=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    values = json.loads(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
    assert values == {
        "name": "small",
        "task": "mask-classifier",
        "classes": list(MASK_CLASSES),
        "architecture": "a small one",
        "input": [32, 32],
        "margin": MARGIN,
    }
    for count in (1, 5):
        crops = np.random.default_rng(count).random((count, 3, 32, 32), np.float32)
        (said,) = session.run(["probabilities"], {"images": crops})
        with torch.inference_mode():
            expected = network(torch.from_numpy(crops)).softmax(1).numpy()
        assert said == pytest.approx(expected, abs=0.02)
        assert said.sum(1) == pytest.approx(np.ones(count), abs=1e-5)


def test_costs_are_counted_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "feed.onnx"
    export_classifier(feed_forward(20, 3).eval(), path, 20, "feed", "feed")
    cost = onnx_cost(path)
    layers = 400 * 64 + 64 * 3
    assert 2 * layers / 1e9 <= cost.gflops <= 2 * (layers + 2 * 400 * 3) / 1e9
    assert cost.size_bytes == path.stat().st_size
    assert cost.parameters >= layers + 64 + 3


def test_pca_keeps_what_scikit_learn_has_fitted(crops: list[FaceCrop], tmp_path: Path) -> None:
    lesson = CropLesson(PCA_ANN, 3000, crops, crops)
    network = train_pca_ann(lesson, 0, tmp_path)
    said = probabilities(network, crops, PCA_ANN.side_px)
    assert (said.argmax(1) == [crop.label for crop in crops]).mean() > 0.8
    again = load_pca_ann(PCA_ANN, tmp_path)
    assert np.array_equal(probabilities(again, crops, PCA_ANN.side_px), said)
    rows = read_history(tmp_path)
    assert rows[-1]["val_accuracy"] > 0.8
    assert rows[-1]["loss"] < rows[0]["loss"]
    components = again[2].out_features
    assert 1 < components < len(crops)
    path = tmp_path / "pca.onnx"
    export_classifier(again, path, PCA_ANN.side_px, "pca", "PCA")
    blob = np.zeros((2, 3, PCA_ANN.side_px, PCA_ANN.side_px), np.float32)
    assert session_of(path)(blob).shape == (2, 3)
