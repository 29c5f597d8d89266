"""The engines that networks are timed in: which of them this machine has, and how one computes a picture."""

from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from model.evaluation.predictions import FloatArray
from model.export.writing import INPUT_NAME

ONNX_RUNTIME, OPENVINO, OPENVINO_BF16 = "onnxruntime fp32", "openvino fp32", "openvino bf16"
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
    if engine == OPENVINO_BF16:
        import openvino

        if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            return "this processor does not compute in bf16"
    return None


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
    import openvino

    settings = {
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "bf16" if engine == OPENVINO_BF16 else "f32",
    }
    compiled = openvino.Core().compile_model(str(path), "CPU", settings)
    return lambda: compiled(pictures)
