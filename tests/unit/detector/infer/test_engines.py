import logging
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from services.core.costs import EngineChoice
from services.detector.infer import engines
from services.detector.infer.engines import CPU, CudaDetector, OnnxRuntimeDetector, open_session
from services.detector.infer.models import model_path
from services.detector.infer.select import choice_of, engine_choices, fastest_engine


class GpuSession:
    """Stands for a session on a GPU: answers at once what the CPU would, or something else."""

    def __init__(self, path: Path, factor: float) -> None:
        self._inner, self._factor = open_session(path), factor
        self._answers: dict[bytes, list[np.ndarray]] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def get_providers(self) -> list[str]:
        return [engines.CUDA, CPU]

    def run(self, names: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        key = next(iter(inputs.values())).tobytes()
        if key not in self._answers:
            self._answers[key] = [answer * self._factor for answer in self._inner.run(names, inputs)]
        return self._answers[key]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that no engine was chosen for before, on a machine without OpenVINO."""
    monkeypatch.setitem(sys.modules, "openvino", None)
    return Path(shutil.copy(model_path("traffic-n"), tmp_path))


@pytest.fixture
def gpu_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines.ort, "get_available_providers", lambda: [engines.CUDA, CPU])


@pytest.fixture
def gpu(gpu_build: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Gives the machine a GPU, whose results are multiplied by a factor."""

    def install(factor: float) -> None:
        def opened(path: Path, threads: int, providers: object) -> object:
            on_gpu = isinstance(providers, list) and providers[0][0] == engines.CUDA
            return GpuSession(path, factor) if on_gpu else open_session(path, threads)

        monkeypatch.setattr(engines, "open_session", opened)

    return install


def _chosen(path: Path) -> EngineChoice:
    """Why a model's engine was chosen, as its detectors know it and as the process lists it."""
    choice = choice_of(fastest_engine(path)(path))
    assert choice in engine_choices()
    return choice


def test_without_a_gpu_build_the_cpu_computes(path: Path):
    assert fastest_engine(path) is OnnxRuntimeDetector
    choice = _chosen(path)
    assert (choice.model, choice.chosen, choice.code) == ("traffic-n", "onnxruntime-cpu", "engine-only")
    reference, openvino = choice.tried
    assert (reference.engine, reference.passed) == ("onnxruntime-cpu", True)
    assert reference.cpu_ms == choice.cpu_ms
    assert 0.1 < (reference.ms or 0) < 10_000
    assert 0.1 < (reference.cpu_ms or 0) < 10_000
    assert (openvino.ms, openvino.passed, openvino.reason) == (None, False, "it is not installed")


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_without_a_gpu_the_cpu_computes_and_one_line_says_so(
    path: Path, gpu_build: None, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO):
        assert fastest_engine(path) is OnnxRuntimeDetector
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "no NVIDIA GPU can be used" in caplog.text
    assert CudaDetector(path).engine == OnnxRuntimeDetector.engine
    assert [trial.code for trial in _chosen(path).tried if trial.engine == CudaDetector.engine] == [
        "trial-no-gpu"
    ]


def test_a_gpu_that_computes_the_same_faster_is_used(path: Path, gpu: Callable[[float], None]):
    gpu(1.0)
    assert fastest_engine(path) is CudaDetector
    assert CudaDetector(path).engine == "onnxruntime-cuda"
    choice = _chosen(path)
    assert (choice.chosen, choice.code) == ("onnxruntime-cuda", "engine-fastest")
    assert choice.is_bounded
    times_ms = {trial.engine: trial.ms for trial in choice.tried if trial.ms is not None}
    assert times_ms["onnxruntime-cuda"] == min(times_ms.values())


def test_a_gpu_that_computes_something_else_is_not(
    path: Path, gpu: Callable[[float], None], caplog: pytest.LogCaptureFixture
):
    gpu(0.9)
    assert fastest_engine(path) is OnnxRuntimeDetector
    assert "onnxruntime-cuda computes something else" in caplog.text
    assert _chosen(path).chosen == "onnxruntime-cpu"
    (trial,) = (trial for trial in _chosen(path).tried if trial.engine == "onnxruntime-cuda")
    assert (trial.ms, trial.passed, trial.code) == (None, False, "trial-differs")
