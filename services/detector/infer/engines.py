"""The engines that compute a network on the processor: ONNX Runtime, and OpenVINO, an optional extra.

Those of a graphics card are in `accelerators`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as engine

from services.core.errors import BadInputError
from services.core.frames import Letterbox, Picture, detections_from
from services.core.types import Detection
from services.detector.infer.detector import ModelInfo
from services.detector.infer.models import read_info

CPU = "CPUExecutionProvider"

Precision = Literal["fp32", "bf16", "int8"]
"""In which numbers the convolutions are computed."""

Provider = str | tuple[str, dict[str, str]]
"""A part of ONNX Runtime that computes, by name, and its options."""

ENGINE_ERRORS = (
    engine.Fail,
    engine.InvalidArgument,
    engine.InvalidGraph,
    engine.InvalidProtobuf,
    engine.NoSuchFile,
    engine.NotImplemented,
)


def open_session(
    path: Path, threads: int = 1, providers: Sequence[Provider] = (CPU,)
) -> ort.InferenceSession:
    """Load an ONNX file for ONNX Runtime; BadInputError when it is none."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(path), options, providers=list(providers))
    except ENGINE_ERRORS as error:
        raise BadInputError(f"{path} is no model that ONNX Runtime can load") from error


def fitting_input(session: ort.InferenceSession, info: ModelInfo) -> str:
    """Give the name of a network's input; BadInputError where it is not what its file states."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    wanted = (
        (inputs, (1, 3, info.input_height, info.input_width)),
        (outputs, (1, None, 4 + len(info.classes))),
    )
    for found, shape in wanted:
        if len(found) != 1 or found[0].type != "tensor(float)" or not _may_be(found[0].shape, shape):
            raise BadInputError(misfit(info))
    return str(inputs[0].name)


def _may_be(stated: Sequence[object], wanted: Sequence[int | None]) -> bool:
    """Return whether a shape fits, of which names and None leave sizes open."""
    return len(stated) in (0, len(wanted)) and all(
        one == other for one, other in zip(stated, wanted, strict=False) if isinstance(one, int) and other
    )


def misfit(info: ModelInfo) -> str:
    """Say that a network is another one than its file states."""
    return (
        f"the network of {info.path} is not what its metadata state: input 1x3x{info.input_height}x"
        f"{info.input_width}, output 1 x places x {4 + len(info.classes)}"
    )


class EngineDetector(ABC):
    """Implements `Detector` around whatever computes the network."""

    engine: str
    precision: Precision = "fp32"

    def __init__(self, path: Path) -> None:
        self.info: ModelInfo = read_info(path)

    def letterbox(self, width: int, height: int) -> Letterbox:
        """Give how a picture of this size is scaled for `detect`."""
        return Letterbox(self.info.input_width, self.info.input_height, width, height)

    def detect(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        """Find objects with at least this confidence."""
        rows = self.predict(letterbox.blob(scaled_rgb))
        if rows.ndim != 2 or rows.shape[1] != 4 + len(self.info.classes):
            raise BadInputError(misfit(self.info))
        return detections_from(rows, letterbox, self.info.classes, confidence, self.info.overlap)

    @abstractmethod
    def predict(self, blob: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the network's predictions (n, 4 + classes) for its input (1, 3, H, W)."""


class OnnxRuntimeDetector(EngineDetector):
    """ONNX Runtime on the processor, and the base of its other providers."""

    engine = "onnxruntime-cpu"

    def __init__(
        self,
        path: Path,
        threads: int = 1,
        providers: Sequence[Provider] = (CPU,),
        computed: Path | None = None,
    ) -> None:
        """`computed` is the file with the network, where it is another one than that of the model."""
        super().__init__(path)
        self._session = open_session(computed or path, threads, providers)
        self._input = fitting_input(self._session, self.info)

    def predict(self, blob: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the network's predictions (n, 4 + classes)."""
        (predictions,) = self._session.run(None, {self._input: blob})
        rows: NDArray[np.float32] = np.asarray(predictions, np.float32)[0]
        return rows


class QuantizedDetector(OnnxRuntimeDetector):
    """ONNX Runtime on the processor, with the int8 form of a model that `sightline quantize` makes."""

    engine = "onnxruntime-cpu-int8"
    precision: Precision = "int8"

    def __init__(self, path: Path, computed: Path, threads: int = 1) -> None:
        super().__init__(path, threads, computed=computed)


class OpenVinoDetector(EngineDetector):
    """OpenVINO on the processor; ImportError where it is not installed."""

    engine = "openvino-cpu"
    hint = "f32"

    def __init__(self, path: Path, threads: int = 1, computed: Path | None = None) -> None:
        """`computed` is the file with the network, where it is another one than that of the model."""
        core = openvino_core()
        super().__init__(path)
        settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": self.hint}
        model = core.compile_model(str(computed or path), "CPU", settings)
        self._request = model.create_infer_request()

    def predict(self, blob: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the network's predictions (n, 4 + classes)."""
        rows: NDArray[np.float32] = np.array(self._request.infer([blob])[0], np.float32)[0]
        return rows


class OpenVinoBf16Detector(OpenVinoDetector):
    """OpenVINO in bfloat16, which a processor without instructions for it would compute slowly."""

    engine = "openvino-cpu-bf16"
    precision: Precision = "bf16"
    hint = "bf16"

    def __init__(self, path: Path, threads: int = 1) -> None:
        """ImportError also where the processor does not compute bfloat16."""
        if "BF16" not in openvino_capabilities():
            raise ImportError("this processor does not compute bfloat16")
        super().__init__(path, threads)


class OpenVinoQuantizedDetector(OpenVinoDetector):
    """OpenVINO with the int8 form of a model that `sightline quantize` makes."""

    engine = "openvino-cpu-int8"
    precision: Precision = "int8"

    def __init__(self, path: Path, computed: Path, threads: int = 1) -> None:
        super().__init__(path, threads, computed)


def openvino_core() -> Any:
    """Give OpenVINO, which this process keeps to its end; ImportError where it is missing.

    Its part for processors gives the thread that loads it a stack for signals, and takes the memory of it
    along when it is let go of: the next signal of that thread would end the process.
    """
    import openvino

    return _kept(openvino.Core)


@cache
def _kept(make: Callable[[], Any]) -> Any:
    return make()


def openvino_capabilities() -> tuple[str, ...]:
    """Give what OpenVINO says that this processor computes, such as BF16; ImportError where it is missing."""
    return tuple(openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
