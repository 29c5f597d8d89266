"""`sightline quantize` refuses what is no model before it reads pictures."""

import json
from pathlib import Path

import onnx
import pytest

from services.cli.quantize_command import quantize
from services.core.errors import BadInputError
from services.detector.infer.models import METADATA_KEY, read_stated
from tests.stand_in_models import write_finder


def test_a_network_that_is_another_one_than_is_stated_is_refused(tmp_path: Path) -> None:
    path = write_finder(tmp_path / "odd.onnx", [(16.0, 24.0, 16.0, 24.0, 0.0, 0.9, 0.0)])
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(read_stated(path) | {"input": [64, 64]})})
    onnx.save(model, path)
    with pytest.raises(BadInputError, match="is not what its metadata state"):
        quantize(str(path), tmp_path / "odd.int8.onnx", [tmp_path / "absent"], 8, 0)
