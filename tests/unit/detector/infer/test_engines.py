import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from services.core.costs import EngineChoice
from services.core.errors import BadInputError
from services.demo.scenes import DEMOS, renderer_of
from services.detector.infer import accelerators, catalogue, engines, select
from services.detector.infer.accelerators import CUDA, TENSORRT, CudaDetector, TensorRtDetector, bound_cache
from services.detector.infer.agreement import BOUNDS, Reference, rendered_pictures
from services.detector.infer.engines import CPU, OnnxRuntimeDetector, QuantizedDetector, open_session
from services.detector.infer.file_watch import stamp_of
from services.detector.infer.memory import EngineMemory
from services.detector.infer.models import METADATA_KEY, model_path
from services.detector.infer.select import (
    EngineSettings,
    choice_of,
    engine_choices,
    fastest_engine,
    use_engines,
)


class GpuSession:
    """Stands for a session on a GPU: answers at once what the CPU would, or something else."""

    def __init__(self, path: Path, factor: float, provider: str = CUDA) -> None:
        self._inner, self._factor, self._provider = open_session(path), factor, provider
        self._answers: dict[bytes, list[np.ndarray]] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def get_providers(self) -> list[str]:
        return [self._provider, CPU]

    def run(self, names: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        key = next(iter(inputs.values())).tobytes()
        if key not in self._answers:
            self._answers[key] = [answer * self._factor for answer in self._inner.run(names, inputs)]
        return self._answers[key]


class BusySession:
    """Stands for a session on a slow processor: computes each picture several times."""

    def __init__(self, path: Path, threads: int) -> None:
        self._inner = open_session(path, threads)

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def run(self, names: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        for _ in range(5):
            answer = self._inner.run(names, inputs)
        return answer


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """No engine was chosen before, and none is after."""
    use_engines(EngineSettings())
    yield
    use_engines(EngineSettings())


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model on a machine without OpenVINO."""
    monkeypatch.setitem(sys.modules, "openvino", None)
    return Path(shutil.copy(model_path("traffic-n"), tmp_path))


@pytest.fixture
def gpu_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerators.ort, "get_available_providers", lambda: [CUDA, CPU])


@pytest.fixture
def tensorrt_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerators.ort, "get_available_providers", lambda: [TENSORRT, CPU])


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], list[object]]:
    """Gives the machine a GPU, whose results are multiplied by a factor; gives what sessions were given."""
    given: list[object] = []

    def install(factor: float) -> list[object]:
        def opened(path: Path, threads: int, providers: object) -> object:
            given.append(providers)
            named = providers[0] if isinstance(providers, list) else CPU
            on_gpu = isinstance(named, tuple)
            return GpuSession(path, factor, named[0]) if on_gpu else BusySession(path, threads)

        monkeypatch.setattr(engines, "open_session", opened)
        return given

    return install


def _chosen(path: Path) -> EngineChoice:
    """Why a model's engine was chosen, as its detectors know it and as the process lists it."""
    choice = choice_of(fastest_engine(path)(path))
    assert choice in engine_choices()
    return choice


def test_without_a_gpu_build_the_cpu_computes(path: Path):
    choice = _chosen(path)
    assert (choice.model, choice.chosen, choice.code) == ("traffic-n", "onnxruntime-cpu", "engine-only")
    reference, openvino = choice.tried
    assert (reference.engine, reference.passed, reference.precision) == ("onnxruntime-cpu", True, "fp32")
    assert reference.cpu_ms == choice.cpu_ms
    assert 0.1 < (reference.ms or 0) < 10_000
    assert 0.1 < (reference.cpu_ms or 0) < 10_000
    assert (openvino.ms, openvino.passed, openvino.reason) == (None, False, "it is not installed")
    assert choice.is_bounded and not choice.is_remembered and choice.measured_s


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_without_a_gpu_the_cpu_computes_and_one_line_says_so(
    path: Path, gpu_build: None, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.WARNING):
        assert _chosen(path).chosen == OnnxRuntimeDetector.engine
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "no NVIDIA GPU can be used" in caplog.text
    assert CudaDetector(path).engine == OnnxRuntimeDetector.engine
    codes = [trial.code for trial in _chosen(path).tried if trial.engine == CudaDetector.engine]
    assert codes == ["trial-no-gpu"]


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_without_tensorrt_the_cpu_computes_and_the_page_says_why(path: Path, tensorrt_build: None):
    choice = _chosen(path)
    assert choice.chosen == OnnxRuntimeDetector.engine
    (trial,) = [trial for trial in choice.tried if trial.engine == TensorRtDetector.engine]
    assert (trial.passed, trial.code) == (False, "trial-no-tensorrt")


def test_a_gpu_that_computes_the_same_faster_is_used(
    path: Path, gpu_build: None, gpu: Callable[[float], list[object]]
):
    gpu(1.0)
    choice = _chosen(path)
    assert (choice.chosen, choice.code) == ("onnxruntime-cuda", "engine-fastest")
    assert choice.is_bounded
    times_ms = {trial.engine: trial.ms for trial in choice.tried if trial.ms is not None}
    assert times_ms["onnxruntime-cuda"] == min(times_ms.values())


def test_tensorrt_keeps_its_programs_in_the_folder_and_leaves_the_rest_to_cuda(
    path: Path, tmp_path: Path, tensorrt_build: None, gpu: Callable[[float], list[object]]
):
    given = gpu(1.0)
    use_engines(EngineSettings(tmp_path / "engines"))
    assert _chosen(path).chosen == "onnxruntime-tensorrt"
    (name, options), (second, _), last = given[-1]  # type: ignore[misc, attr-defined]
    assert (name, second, last) == (TENSORRT, CUDA, CPU)
    assert options["trt_engine_cache_path"] == str(tmp_path / "engines" / "tensorrt")
    assert (tmp_path / "engines" / "tensorrt").is_dir()


def test_what_tensorrt_has_built_first_goes_first(tmp_path: Path):
    for number in range(4):
        file = tmp_path / f"{number}.engine"
        file.write_bytes(bytes(100))
        os.utime(file, (number, number))
    bound_cache(tmp_path, 250)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["2.engine", "3.engine"]
    bound_cache(tmp_path / "none")


def test_a_gpu_that_computes_something_else_is_not(
    path: Path, gpu_build: None, gpu: Callable[[float], list[object]], caplog: pytest.LogCaptureFixture
):
    gpu(0.9)
    choice = _chosen(path)
    assert choice.chosen == "onnxruntime-cpu"
    assert "onnxruntime-cuda computes something else" in caplog.text
    (trial,) = (trial for trial in choice.tried if trial.engine == "onnxruntime-cuda")
    assert (trial.ms, trial.passed, trial.code) == (None, False, "trial-differs")
    assert (trial.difference or 0) > BOUNDS["fp32"].score


def test_the_same_scores_at_other_places_are_something_else():
    reference = Reference(OnnxRuntimeDetector(model_path("traffic-n")))
    other = OnnxRuntimeDetector(model_path("traffic-n"))
    same = reference.agreement(other)
    assert (same.score, same.overlap, same.lone) == (0, 1, 0)
    moved = other.predict
    other.predict = lambda blob: moved(blob) + np.array([12, 0, 0, 0, *[0] * 6], np.float32)  # type: ignore[method-assign]
    found = reference.agreement(other)
    assert found.score == 0 and found.lone > 0
    assert not any(found.holds(bound) for bound in BOUNDS.values())


def test_the_pictures_are_the_demos_own():
    pictures = rendered_pictures()
    assert [picture.shape for picture in pictures] == [(360, 640, 3)] * 4
    renderer = renderer_of(DEMOS["traffic"].make(5, 60.0))
    drawn = renderer.frame(400)[:, :, ::-1]
    assert np.abs(drawn.astype(int) - pictures[2]).mean() < 4


def test_a_choice_is_remembered_until_something_changes(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = EngineSettings(tmp_path / "engines")
    use_engines(settings)
    first = _chosen(path)
    measured: list[Path] = []
    real = select.measure_and_remember
    monkeypatch.setattr(
        select, "measure_and_remember", lambda path, settings: measured.append(path) or real(path, settings)
    )
    use_engines(settings)
    assert _chosen(path) == replace(first, is_remembered=True)
    monkeypatch.setattr(catalogue, "THREADS", 2)
    use_engines(settings)
    assert not _chosen(path).is_remembered
    (tmp_path / "engines" / "engines.json").write_text('{"a": {"model": 1}}')
    use_engines(settings)
    assert not _chosen(path).is_remembered
    assert measured == [path, path]
    use_engines(settings)
    assert _chosen(path).is_remembered


def test_a_choice_names_the_file_whatever_that_states(path: Path, tmp_path: Path):
    facts = onnx.load(path)
    stated = json.loads(facts.metadata_props[0].value)
    facts.metadata_props[0].value = json.dumps({**stated, "name": "third-run"})
    one, two = tmp_path / "helmets.onnx", tmp_path / "copy.onnx"
    for file in (one, two):
        onnx.save(facts, file)
    use_engines(EngineSettings(tmp_path))
    assert (_chosen(one).model, _chosen(one).is_remembered) == ("helmets", False)
    assert (_chosen(two).model, _chosen(two).is_remembered) == ("copy", True)


def test_another_file_in_the_place_of_a_model_is_measured_anew(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "site.onnx"
    file.write_bytes(path.read_bytes())
    first = fastest_engine(file)
    assert fastest_engine(file) is first
    facts = onnx.load(path)
    facts.doc_string = "another"
    onnx.save(facts, file)
    use = fastest_engine(file)
    assert use(file).info.classes == first(path).info.classes
    assert len(select._selections) == 1 and select._selections[file].stamp == stamp_of(file)
    file.write_bytes(b"none")
    with pytest.raises(BadInputError):
        fastest_engine(file)


@pytest.mark.parametrize("error", [RuntimeError("no rule for Det\nin this graph"), BadInputError("broken")])
def test_an_engine_that_cannot_compute_a_model_is_not_used(
    path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
):
    def refuse(self: object, path: Path) -> None:
        raise error

    monkeypatch.setattr(engines.OpenVinoDetector, "__init__", refuse)
    choice = _chosen(path)
    assert (choice.chosen, choice.code) == ("onnxruntime-cpu", "engine-only")
    assert [trial.code for trial in choice.tried[1:2]] == ["trial-unable"]


def test_a_remembered_engine_that_is_not_there_is_measured_anew(path: Path, tmp_path: Path):
    settings = EngineSettings(tmp_path)
    use_engines(settings)
    first = _chosen(path)
    gone = replace(
        first, chosen="other", tried=tuple(replace(trial, engine="other") for trial in first.tried)
    )
    EngineMemory(tmp_path).remember(catalogue.measurement_key(path, tmp_path), gone)
    use_engines(settings)
    assert (_chosen(path).chosen, _chosen(path).is_remembered) == ("onnxruntime-cpu", False)


def test_a_folder_that_takes_no_file_costs_a_measurement_only(path: Path, tmp_path: Path):
    (tmp_path / "file").write_text("")
    use_engines(EngineSettings(tmp_path / "file" / "engines"))
    assert _chosen(path).chosen == "onnxruntime-cpu"


def test_processes_that_remember_at_once_lose_nothing(tmp_path: Path):
    memory, keys = EngineMemory(tmp_path), [str(number) for number in range(32)]
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda key: memory.remember(key, EngineChoice(key, "onnxruntime-cpu", "engine-only")), keys
            )
        )
    assert [key for key in keys if memory.recall(key) is None] == []


def test_the_settings_name_an_engine(
    path: Path, gpu_build: None, gpu: Callable[[float], list[object]], caplog: pytest.LogCaptureFixture
):
    gpu(1.0)
    use_engines(EngineSettings(engine="onnxruntime-cpu"))
    assert (_chosen(path).chosen, _chosen(path).code) == ("onnxruntime-cpu", "engine-forced")
    use_engines(EngineSettings(engine="openvino-cpu"))
    assert (_chosen(path).chosen, _chosen(path).code) == ("onnxruntime-cuda", "engine-forced-unusable")
    assert "openvino-cpu cannot be used" in caplog.text


def test_an_int8_form_is_tried_where_it_is_of_these_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    path = Path(shutil.copy(model_path("traffic-n"), tmp_path))
    form = onnx.load(path)
    facts = json.loads(form.metadata_props[0].value)
    for source, is_tried in ((catalogue.sha256_of(path), True), ("0" * 64, False)):
        form.metadata_props[0].value = json.dumps({**facts, "source_sha256": source})
        assert form.metadata_props[0].key == METADATA_KEY
        onnx.save(form, tmp_path / "traffic-n.int8.onnx")
        use_engines(EngineSettings(engine="onnxruntime-cpu-int8"))
        choice = _chosen(path)
        assert (choice.chosen == QuantizedDetector.engine) is is_tried
        assert any(trial.precision == "int8" and trial.passed for trial in choice.tried) is is_tried


def test_bf16_is_computed_only_where_the_processor_does(monkeypatch: pytest.MonkeyPatch):
    path = model_path("traffic-n")
    monkeypatch.setattr(engines, "openvino_capabilities", lambda: ("FP32", "INT8"))
    with pytest.raises(ImportError):
        engines.OpenVinoBf16Detector(path)
    names = {kind.name: kind.absent for kind in catalogue.engine_kinds(path, None)}
    assert names["openvino-cpu-bf16"] == "trial-no-bfloat"


def test_a_signal_after_engines_were_let_go_of_ends_nothing() -> None:
    command = [sys.executable, "-m", "tests.fixtures.signal_after_engines"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "came 15\n")
