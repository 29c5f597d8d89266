"""Which engines may compute a model on this machine, and what their measurement would depend on."""

import hashlib
import importlib.util
import json
import platform
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import onnxruntime as ort

from services.common.files import is_file
from services.detector.infer.accelerators import CUDA, TENSORRT, CudaDetector, TensorRtDetector, has_provider
from services.detector.infer.engines import (
    EngineDetector,
    OnnxRuntimeDetector,
    OpenVinoBf16Detector,
    OpenVinoDetector,
    OpenVinoQuantizedDetector,
    Precision,
    QuantizedDetector,
)
from services.detector.infer.metadata import read_metadata
from services.detector.infer.models import METADATA_KEY

CHECK = 1
"""Number of the way in which engines are measured and compared: what another one chose is not remembered."""

THREADS = 1
"""Of each detector; every camera has one of its own."""

QUANTIZED_SUFFIX = ".int8.onnx"
"""Of the file beside a model, or in the folder of the engines, that holds its int8 form."""

PROCESSORS = Path("/proc/cpuinfo")
DEVICES = Path("/dev")


@dataclass(frozen=True, slots=True)
class EngineKind:
    """One engine that may be there for a model."""

    name: str
    precision: Precision
    make: Callable[[Path], EngineDetector]
    """Raises ImportError where it cannot be used; one that finds no GPU has the reference's name."""
    absent: str
    """Code of why it cannot be used then."""
    is_accelerated: bool = False
    """Whether it computes elsewhere than on the processor, whose time then says little."""


def engine_kinds(path: Path, folder: Path | None) -> list[EngineKind]:
    """Give the engines to try for a model file, the reference first; `folder` is that of the engines."""
    kinds = [_kind(OnnxRuntimeDetector, OnnxRuntimeDetector, "trial-reference")]
    if has_provider(CUDA):
        kinds.append(_kind(CudaDetector, CudaDetector, "trial-no-gpu", is_accelerated=True))
    if has_provider(TENSORRT):
        make = partial(TensorRtDetector, cache=folder / "tensorrt" if folder is not None else None)
        kinds.append(_kind(TensorRtDetector, make, "trial-no-tensorrt", is_accelerated=True))
    kinds.append(_kind(OpenVinoDetector, OpenVinoDetector, "trial-not-installed"))
    has_openvino = importlib.util.find_spec("openvino") is not None
    if has_openvino:
        kinds.append(_kind(OpenVinoBf16Detector, OpenVinoBf16Detector, "trial-no-bfloat"))
    quantized = quantized_form(path, folder)
    if quantized is not None:
        make_int8 = partial(QuantizedDetector, computed=quantized)
        kinds.append(_kind(QuantizedDetector, make_int8, "trial-not-installed"))
    if quantized is not None and has_openvino:
        make_int8_openvino = partial(OpenVinoQuantizedDetector, computed=quantized)
        kinds.append(_kind(OpenVinoQuantizedDetector, make_int8_openvino, "trial-not-installed"))
    return kinds


def _kind(
    of: type[OnnxRuntimeDetector] | type[OpenVinoDetector],
    make: Callable[[Path], EngineDetector],
    absent: str,
    is_accelerated: bool = False,
) -> EngineKind:
    return EngineKind(of.engine, of.precision, make, absent, is_accelerated)


def quantized_form(path: Path, folder: Path | None) -> Path | None:
    """Find the int8 form of these very weights: beside the model, or in the folder of the engines."""
    name = f"{path.stem}{QUANTIZED_SUFFIX}"
    places = [path.with_name(name), *([folder / name] if folder is not None else [])]
    found = [place for place in places if place != path and is_file(place)]
    own = sha256_of(path) if found else ""
    return next((place for place in found if _source_of(place) == own), None)


def _source_of(quantized: Path) -> str | None:
    """Give the SHA-256 of the file that a quantized one was made of; None where it does not say."""
    with suppress(ValueError, OSError):
        source = json.loads(read_metadata(quantized).get(METADATA_KEY, "{}")).get("source_sha256")
        return source if isinstance(source, str) else None
    return None


def sha256_of(path: Path) -> str:
    """Give the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def measurement_key(path: Path, folder: Path | None) -> str:
    """Name all that a choice depends on: model, processor and GPUs, libraries, threads."""
    quantized = quantized_form(path, folder)
    facts = {
        "check": CHECK,
        "model": sha256_of(path),
        "int8": sha256_of(quantized) if quantized is not None else None,
        "processor": [platform.machine(), *_processor_facts(PROCESSORS)],
        "devices": sorted(device.name for device in DEVICES.glob("nvidia[0-9]*")),
        "onnxruntime": ort.__version__,
        "providers": sorted(ort.get_available_providers()),
        "openvino": _installed("openvino"),
        "threads": THREADS,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _processor_facts(processors: Path) -> Iterator[str]:
    """Give the name of the first processor and what it can compute, where the system says so."""
    with suppress(OSError):
        first = processors.read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
        for line in first.splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "flags", "Features", "CPU part"):
                yield value.strip()


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
