"""GB-YOLO's speed against YOLOv5's: same size, activation and input, in one interleaved run.

Times are processor times of one thread, so that other work on the machine changes them little; the
ratio of two medians of one run is what to quote. The engines are those that this machine has.
"""

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from model.evaluation.predictions import FloatArray
from model.export.writing import INPUT_NAME, write_onnx
from model.network.build import Architecture, Size, build, multiplications, parameter_count

ONNX_RUNTIME, OPENVINO, OPENVINO_BF16 = "onnxruntime fp32", "openvino fp32", "openvino bf16"
CAPABILITIES = ("CPU", "OPTIMIZATION_CAPABILITIES")
ENGINES = (ONNX_RUNTIME, OPENVINO, OPENVINO_BF16)
"""Package and precision of each, on the CPU with one thread."""

Run = Callable[[], object]


def package(engine: str) -> str:
    """The package of an engine."""
    return engine.split()[0]


def why_missing(engine: str) -> str | None:
    """Why this machine cannot compute with an engine; None where it can.

    OpenVINO takes the wish for bf16 on every processor, and computes something else on those without it.
    """
    if find_spec(package(engine)) is None:
        return f"{package(engine)} is not installed"
    if engine == OPENVINO_BF16 and "BF16" not in _openvino_core().get_property(*CAPABILITIES):
        return "this processor does not compute in bf16"
    return None


def _openvino_core() -> Any:
    """OpenVINO, kept to the end: what it loads must not be unloaded while signals may come."""
    import openvino

    return _kept(openvino.Core)


@cache
def _kept(make: Callable[[], Any]) -> Any:
    return make()


def title(engine: str) -> str:
    """The engine with its version: "onnxruntime 1.32.0 fp32"."""
    name, precision = engine.split()
    return f"{name} {version(name)} {precision}"


def runner(path: Path, engine: str, pictures: FloatArray) -> Run:
    """A call that computes one picture (1, 3, H, W) with an exported network and one thread."""
    if engine == ONNX_RUNTIME:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return lambda: session.run(None, {INPUT_NAME: pictures})
    settings = {
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "bf16" if engine == OPENVINO_BF16 else "f32",
    }
    compiled = _openvino_core().compile_model(str(path), "CPU", settings)
    return lambda: compiled(pictures)


CONTENDERS: tuple[Architecture, ...] = ("yolov5", "gbyolo", "gbyolo-concat")
BASELINE: Architecture = "yolov5"
SIZES: tuple[Size, ...] = ("n", "s")
INPUTS_PX = (320, 416, 640)
ROUNDS, WARM_UP_ROUNDS = 15, 2
CLASS_COUNT = 3


@dataclass(frozen=True)
class Contender:
    """An exported network and what it costs on paper."""

    architecture: Architecture
    size: Size
    input_px: int
    parameters: int
    gflops: float
    """Twice the multiplications of its convolutions, in thousands of millions."""
    path: Path


@dataclass(frozen=True)
class Speed:
    """One network in one engine at one input size, with every sample."""

    architecture: Architecture
    size: Size
    engine: str
    input_px: int
    parameters: int
    gflops: float
    weights_sha256: str
    samples_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """The median processor time of a picture."""
        return median(self.samples_ms)


def interleaved(runs: Sequence[Run], rounds: int) -> list[tuple[float, ...]]:
    """Processor milliseconds of each run, all of them in every round, each time in another order."""
    order, chance = list(range(len(runs))), random.Random(0)
    samples: list[list[float]] = [[] for _ in runs]
    for number in range(WARM_UP_ROUNDS + rounds):
        chance.shuffle(order)
        for index in order:
            started_s = time.process_time()
            runs[index]()
            if number >= WARM_UP_ROUNDS:
                samples[index].append((time.process_time() - started_s) * 1000)
    return [tuple(of_run) for of_run in samples]


def measure(
    sizes: Sequence[Size] = SIZES,
    inputs_px: Sequence[int] = INPUTS_PX,
    engines: Sequence[str] = ENGINES,
    rounds: int = ROUNDS,
) -> Iterator[Speed]:
    """Measures all contenders of a size side by side; weights are random, which changes no time.

    ImportError where an engine is not installed (see `engines.why_missing`).
    """
    torch.manual_seed(0)
    with TemporaryDirectory() as folder:
        for size in sizes:
            for input_px in inputs_px:
                contenders = [_exported(name, size, input_px, Path(folder)) for name in CONTENDERS]
                for engine in engines:
                    yield from _measure(contenders, engine, rounds)


def _exported(architecture: Architecture, size: Size, input_px: int, folder: Path) -> Contender:
    network = build(architecture, size, CLASS_COUNT).eval()
    parameters, gflops = parameter_count(network), 2 * multiplications(network, input_px, input_px) / 1e9
    path = folder / f"{architecture}-{size}-{input_px}.onnx"
    write_onnx(network.fuse(), path, width=input_px, height=input_px)
    return Contender(architecture, size, input_px, parameters, gflops, path)


def _measure(contenders: Sequence[Contender], engine: str, rounds: int) -> Iterator[Speed]:
    input_px = contenders[0].input_px
    pictures = np.random.default_rng(0).random((1, 3, input_px, input_px), np.float32)
    runs = [runner(contender.path, engine, pictures) for contender in contenders]
    for contender, samples_ms in zip(contenders, interleaved(runs, rounds), strict=True):
        yield Speed(
            architecture=contender.architecture,
            size=contender.size,
            engine=engine,
            input_px=input_px,
            parameters=contender.parameters,
            gflops=contender.gflops,
            weights_sha256=hashlib.sha256(contender.path.read_bytes()).hexdigest(),
            samples_ms=samples_ms,
        )


def ratios(speeds: Sequence[Speed]) -> list[float]:
    """How many times as fast as YOLOv5 of its size, engine and input each is, by the medians."""
    baseline = {(s.size, s.engine, s.input_px): s.median_ms for s in speeds if s.architecture == BASELINE}
    return [baseline[speed.size, speed.engine, speed.input_px] / speed.median_ms for speed in speeds]
