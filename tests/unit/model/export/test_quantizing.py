import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from model.export.quantizing import quantize
from services.core.errors import BadInputError
from services.detector.infer.catalogue import quantized_form, sha256_of
from services.detector.infer.engines import OnnxRuntimeDetector, QuantizedDetector
from services.detector.infer.models import read_info

FACTS = {
    "name": "tiny",
    "task": "traffic",
    "classes": ["car"],
    "input": [64, 64],
    "confidence": 0.25,
    "iou": 0.45,
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of two convolutions, the second of them the head, in Sightline's layout."""
    chance = np.random.default_rng(0)
    weights = {
        "body": chance.normal(0, 0.3, (8, 3, 8, 8)).astype(np.float32),
        "last": chance.normal(0, 0.3, (5, 8, 1, 1)).astype(np.float32),
    }
    initializers = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    initializers.append(numpy_helper.from_array(np.array([1, 5, 64], np.int64), "shape"))
    nodes = [
        helper.make_node("Conv", ["images", "body"], ["maps"], name="/body/Conv", strides=[8, 8]),
        helper.make_node("Relu", ["maps"], ["active"], name="/body/Relu"),
        helper.make_node("Conv", ["active", "last"], ["raw"], name="/head/Conv"),
        helper.make_node("Reshape", ["raw", "shape"], ["flat"], name="/head/Reshape"),
        helper.make_node("Transpose", ["flat"], ["turned"], name="/head/Transpose", perm=[0, 2, 1]),
        helper.make_node("Sigmoid", ["turned"], ["predictions"], name="/head/Sigmoid"),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("predictions", TensorProto.FLOAT, [1, 64, 5])],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.metadata_props.add(key="sightline", value=json.dumps(FACTS))
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten training pictures, and one of the validation part that cannot be read."""
    root = tmp_path_factory.mktemp("data")
    chance = np.random.default_rng(1)
    for part in ("train", "val"):
        (root / "images" / part).mkdir(parents=True)
    for number in range(10):
        picture = chance.integers(0, 255, (48, 80, 3)).astype(np.uint8)
        cv2.imwrite(str(root / "images" / "train" / f"a_{number}.png"), picture)
    (root / "images" / "val" / "broken.png").write_bytes(b"no picture")
    return root


def test_the_int8_form_computes_nearly_the_same_and_keeps_what_the_model_says(
    tiny: Path, folder: Path, tmp_path: Path
):
    output, seen = tmp_path / "tiny.int8.onnx", []
    quantize(tiny, output, [folder], pictures=8, step=seen.append)
    assert seen[-1] == 8
    info = read_info(output)
    assert (info.name, info.classes, info.input_width) == ("tiny", ("car",), 64)
    written = onnx.load(output)
    facts = json.loads(written.metadata_props[0].value)
    assert facts == {**FACTS, "precision": "int8", "source_sha256": sha256_of(tiny)}
    quantized = {
        name for node in written.graph.node if "QuantizeLinear" in node.op_type for name in node.input
    }
    assert "images" in quantized and "raw" not in quantized
    blob = np.random.default_rng(2).random((1, 3, 64, 64), np.float32)
    exact = OnnxRuntimeDetector(tiny).predict(blob)
    found = QuantizedDetector(tiny, computed=output).predict(blob)
    assert 0 < np.abs(found - exact).max() < 0.1
    assert np.abs(found - exact).mean() < 0.02
    assert onnxruntime.InferenceSession(str(output)).get_outputs()[0].shape == [1, 64, 5]


def test_it_is_an_engine_of_the_weights_that_it_was_made_of_alone(tiny: Path, folder: Path, tmp_path: Path):
    quantize(tiny, tmp_path / "tiny.int8.onnx", [folder], pictures=8)
    assert quantized_form(tiny, tmp_path) == tmp_path / "tiny.int8.onnx"
    other = onnx.load(tiny)
    other.producer_name = "other"
    (tmp_path / "own").mkdir()
    onnx.save(other, tmp_path / "own" / "tiny.onnx")
    assert quantized_form(tmp_path / "own" / "tiny.onnx", tmp_path) is None


def test_what_cannot_be_quantised_is_refused(tiny: Path, folder: Path, tmp_path: Path):
    output = tmp_path / "tiny.int8.onnx"
    (tmp_path / "noise.onnx").write_bytes(b"\xff" * 100)
    with pytest.raises(BadInputError, match="no Sightline model"):
        quantize(tmp_path / "noise.onnx", output, [folder])
    with pytest.raises(BadInputError, match="too few"):
        quantize(tiny, output, [tmp_path])
    with pytest.raises(BadInputError, match="there is no folder"):
        quantize(tiny, output, [tmp_path / "absent"])
    assert not output.exists()
    quantize(tiny, output, [folder], pictures=8)
    with pytest.raises(BadInputError, match="quantised already"):
        quantize(output, tmp_path / "again.onnx", [folder])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["noise.onnx", "tiny.int8.onnx"]
