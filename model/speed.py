"""GB-YOLO's speed against YOLOv5's: same size, activation and input, in one interleaved run.

Times are processor times of one thread, so that other work on the machine changes them little; the
ratio of two medians of one run is what to quote.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import torch

from model.export import write_onnx
from model.networks import Architecture, Size, build, multiplications, parameter_count
from model.predictions import FloatArray

CONTENDERS: tuple[Architecture, ...] = ("yolov5", "gbyolo", "gbyolo-concat")
BASELINE: Architecture = "yolov5"
SIZES: tuple[Size, ...] = ("n", "s")
INPUTS_PX = (320, 416, 640)
ENGINES = ("onnxruntime fp32", "openvino fp32", "openvino bf16")
ROUNDS, WARM_UP_ROUNDS = 15, 2
CLASS_COUNT = 3

Run = Callable[[], object]


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


def runner(path: Path, engine: str, pictures: FloatArray) -> Run:
    """A call that computes one picture with one thread; ImportError where the engine is not installed."""
    if engine == "onnxruntime fp32":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return lambda: session.run(None, {"images": pictures})
    import openvino

    settings = {
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "bf16" if engine.endswith("bf16") else "f32",
    }
    compiled = openvino.Core().compile_model(str(path), "CPU", settings)
    return lambda: compiled(pictures)


def interleaved(runs: Sequence[Run], rounds: int) -> list[tuple[float, ...]]:
    """Processor milliseconds of each run, one after the other in every round."""
    samples: list[list[float]] = [[] for _ in runs]
    for number in range(WARM_UP_ROUNDS + rounds):
        for run, of_run in zip(runs, samples, strict=True):
            started_s = time.process_time()
            run()
            if number >= WARM_UP_ROUNDS:
                of_run.append((time.process_time() - started_s) * 1000)
    return [tuple(of_run) for of_run in samples]


def measure(
    sizes: Sequence[Size] = SIZES,
    inputs_px: Sequence[int] = INPUTS_PX,
    engines: Sequence[str] = ENGINES,
    rounds: int = ROUNDS,
) -> Iterator[Speed]:
    """Measures all contenders of a size side by side; weights are random, which changes no time."""
    torch.manual_seed(0)
    with TemporaryDirectory() as folder:
        for size in sizes:
            for input_px in inputs_px:
                files = {name: _exported(name, size, input_px, Path(folder)) for name in CONTENDERS}
                for engine in engines:
                    yield from _measure(files, size, input_px, engine, rounds)


def _exported(architecture: Architecture, size: Size, input_px: int, folder: Path) -> Path:
    network = build(architecture, size, CLASS_COUNT).eval().fuse()
    path = folder / f"{architecture}-{size}-{input_px}.onnx"
    write_onnx(network, path, width=input_px, height=input_px)
    return path


def _measure(
    files: dict[Architecture, Path], size: Size, input_px: int, engine: str, rounds: int
) -> Iterator[Speed]:
    pictures = np.random.default_rng(0).random((1, 3, input_px, input_px), np.float32)
    try:
        runs = [runner(path, engine, pictures) for path in files.values()]
    except ImportError:
        return
    for (architecture, path), samples_ms in zip(files.items(), interleaved(runs, rounds), strict=True):
        network = build(architecture, size, CLASS_COUNT)
        yield Speed(
            architecture=architecture,
            size=size,
            engine=engine,
            input_px=input_px,
            parameters=parameter_count(network),
            gflops=2 * multiplications(network, input_px, input_px) / 1e9,
            weights_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            samples_ms=samples_ms,
        )


def table(speeds: Sequence[Speed]) -> str:
    """The figures as Markdown; `x` is how many times as fast as YOLOv5 of the same size, engine and input."""
    baseline = {(s.size, s.engine, s.input_px): s.median_ms for s in speeds if s.architecture == BASELINE}
    lines = [
        "| network | engine, one thread | input | M parameters | GFLOPs | ms | x |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for speed in speeds:
        ratio = baseline[speed.size, speed.engine, speed.input_px] / speed.median_ms
        lines.append(
            f"| {speed.architecture} {speed.size} | {speed.engine} | {speed.input_px} | "
            f"{speed.parameters / 1e6:.2f} | {speed.gflops:.2f} | {speed.median_ms:.1f} | {ratio:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """python -m model.speed [--json FILE] [--rounds N]: the table, and every sample in a file."""
    parser = argparse.ArgumentParser(description="Measure GB-YOLO against YOLOv5 of the same size")
    parser.add_argument("--json", type=Path, default=None, help="file for all samples and weight hashes")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--input", type=int, action="append", default=None, help="pixels; may be repeated")
    values = parser.parse_args()
    speeds = list(measure(inputs_px=values.input or INPUTS_PX, rounds=values.rounds))
    if values.json is not None:
        values.json.write_text(json.dumps([asdict(speed) for speed in speeds], indent=1) + "\n")
    print(table(speeds))


if __name__ == "__main__":
    main()
