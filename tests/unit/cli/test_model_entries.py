"""The list of models in the API: asked for often, read once."""

import os
import shutil
import time
from pathlib import Path

from services.cli.model_entries import model_entries
from services.detector.infer.models import WEIGHTS

MOST_S = 0.003
"""Processor time: the page asks for this list every few seconds, on the event loop."""


def test_files_are_read_once_and_again_when_they_have_changed(tmp_path: Path) -> None:
    shutil.copy(WEIGHTS / "traffic-n.onnx", tmp_path / "a.onnx")
    shutil.copy(WEIGHTS / "mask-n.onnx", tmp_path / "b.onnx")
    assert [entry.name for entry in model_entries(tmp_path)] == ["traffic-n", "mask-n"]
    began_s = time.thread_time()
    for _ in range(10):
        model_entries(tmp_path)
    assert (time.thread_time() - began_s) / 10 < MOST_S
    shutil.copy(WEIGHTS / "mask-n.onnx", tmp_path / "a.onnx")
    os.utime(tmp_path / "a.onnx", (1, 1))
    assert [entry.name for entry in model_entries(tmp_path)] == ["mask-n", "mask-n"]
