"""Weights stored as float16: the file is half as large, the computation the float32 one."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from model.export.writing import LEAST_VALUES, ExportConfig, export_model, store_half
from services.core.errors import BadInputError

BOX_TOLERANCE, SCORE_TOLERANCE = 0.02, 0.005
"""By which a box may differ, as a share of its longer side, and a score."""
WIDTH, HEIGHT = 160, 96


@pytest.fixture(scope="module")
def files(random_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """One network, exported without (False) and with (True) half storage."""
    folder, written = tmp_path_factory.mktemp("half"), {}
    for half in (False, True):
        written[half] = folder / f"half-{half}.onnx"
        config = ExportConfig(
            random_checkpoint, written[half], name="same", width=WIDTH, height=HEIGHT, half=half
        )
        export_model(config)
    return written


def predictions(path: Path, optimised: Path | None = None) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if optimised is not None:
        options.optimized_model_filepath = str(optimised)
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    pictures = np.random.default_rng(0).random((1, 3, HEIGHT, WIDTH), np.float32)
    return session.run(None, {"images": pictures})[0]


def test_the_file_is_half_as_large(files: dict[bool, Path]) -> None:
    assert files[True].stat().st_size < 0.55 * files[False].stat().st_size


def test_it_computes_the_same_but_for_the_rounding(files: dict[bool, Path]) -> None:
    full, half = predictions(files[False]), predictions(files[True])
    assert half.dtype == np.float32 and full[..., 4:].std() > 0.02
    difference = np.abs(full - half)
    sides = full[..., 2:4].max(-1, keepdims=True)
    assert 0 < (difference[..., :4] / sides).max() < BOX_TOLERANCE
    assert 0 < difference[..., 4:].max() < SCORE_TOLERANCE


def test_only_the_weights_are_rounded(files: dict[bool, Path], tmp_path: Path) -> None:
    rounded = onnx.load(str(files[False]))
    for tensor in rounded.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.size >= LEAST_VALUES:
            values = values.astype(np.float16).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    onnx.save(rounded, str(tmp_path / "rounded.onnx"))
    assert np.array_equal(predictions(files[True]), predictions(tmp_path / "rounded.onnx"))


def test_the_engine_runs_the_same_graph_without_a_cast(files: dict[bool, Path], tmp_path: Path) -> None:
    run = {}
    for half, path in files.items():
        predictions(path, tmp_path / "optimised.onnx")
        graph = onnx.load(str(tmp_path / "optimised.onnx")).graph
        run[half] = Counter(node.op_type for node in graph.node)
    assert run[True] == run[False]
    assert "Cast" not in run[True]


def test_both_tell_the_same_of_themselves(files: dict[bool, Path]) -> None:
    full, half = (onnx.load(str(files[kind])).metadata_props for kind in (False, True))
    assert list(full) == list(half)


def test_a_value_beyond_float16_is_refused(files: dict[bool, Path]) -> None:
    model = onnx.load(str(files[False]))
    tensor = model.graph.initializer[0]
    values = numpy_helper.to_array(tensor) + 1e6
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    with pytest.raises(BadInputError, match="beyond float16"):
        store_half(model)
