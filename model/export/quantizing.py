"""The int8 form of an exported model: QDQ nodes around its convolutions, calibrated on training pictures.

ONNX Runtime's static quantisation, unsigned activations and signed weights, each channel with a scale of its
own. The head stays in float32: its boxes are pixels, which eight bits cannot hold. ONNX Runtime and OpenVINO
both compute the file.
"""

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.quant_utils import add_pre_process_metadata

from model.data.samples import picture_paths
from model.export.writing import METADATA_KEY
from model.files import replacing
from services.core.errors import BadInputError
from services.core.frames import Letterbox

FLOAT_PART = "/head"
"""What the names of nodes begin with that stay in float32."""

LEAST_PICTURES = 8
INT8 = "int8"


def quantize(
    model: Path,
    output: Path,
    folders: Sequence[Path],
    pictures: int = 64,
    seed: int = 0,
    step: Callable[[int], None] = lambda done: None,
) -> None:
    """Write the int8 form of a Sightline model with its metadata, to which precision and source are added.

    It is calibrated on `pictures` of the folders' training parts, chosen by the seed; `step` takes how many
    were looked at. BadInputError for a model that is none or is quantised, and for too few pictures.
    """
    facts = _facts(model)
    chosen = _chosen(folders, pictures, seed)
    with TemporaryDirectory() as scratch:
        folded = Path(scratch) / "folded.onnx"
        _fold(model, folded)
        graph = onnx.load(folded)
        add_pre_process_metadata(graph)  # it is folded, and need not be advised to be
        onnx.save(graph, folded)
        quantized = Path(scratch) / "quantized.onnx"
        quantize_static(
            folded,
            quantized,
            _Calibration(chosen, facts["input"], step),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            nodes_to_exclude=[node.name for node in graph.graph.node if node.name.startswith(FLOAT_PART)],
        )
        written = onnx.load(quantized)
    del written.metadata_props[:]
    source = hashlib.sha256(model.read_bytes()).hexdigest()
    known = {**facts, "precision": INT8, "source_sha256": source}
    written.metadata_props.add(key=METADATA_KEY, value=json.dumps(known))
    with replacing(output) as unfinished:
        onnx.save(written, unfinished)


def _facts(model: Path) -> dict[str, object]:
    """Read what a model states about itself."""
    try:
        properties = onnx.load(model).metadata_props
        facts = json.loads(next(pair.value for pair in properties if pair.key == METADATA_KEY))
        width, height = (int(side) for side in facts["input"])
    except (DecodeError, OSError, ValueError, StopIteration, KeyError, TypeError) as error:
        raise BadInputError(f"{model} is no Sightline model") from error
    if facts.get("precision") == INT8:
        raise BadInputError(f"{model} is quantised already: give the model that it was made of")
    return {**facts, "input": [width, height]}


def _chosen(folders: Sequence[Path], count: int, seed: int) -> list[Path]:
    """Choose training pictures of all folders; the order of files does not matter."""
    if absent := [folder for folder in folders if not folder.is_dir()]:
        raise BadInputError(f"there is no folder {absent[0]}")
    found = sorted(path for folder in folders for path in picture_paths(folder, "train"))
    if len(found) < min(count, LEAST_PICTURES):
        raise BadInputError(
            f"{len(found)} training pictures are too few to calibrate on: give {LEAST_PICTURES} at least"
        )
    return random.Random(seed).sample(found, min(count, len(found)))


def _fold(model: Path, folded: Path) -> None:
    """Write the graph with what is constant computed, such as weights that are stored as float16."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(folded)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    """Gives the pictures as the network takes them, one by one."""

    def __init__(self, paths: Sequence[Path], input_px: object, step: Callable[[int], None]) -> None:
        assert isinstance(input_px, list)
        self._blobs = _blobs(paths, (input_px[0], input_px[1]), step)

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        """Give the next input by name; None after the last."""
        blob = next(self._blobs, None)
        return None if blob is None else {"images": blob}


def _blobs(
    paths: Sequence[Path], input_px: tuple[int, int], step: Callable[[int], None]
) -> Iterator[npt.NDArray[np.float32]]:
    for number, path in enumerate(paths):
        picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise BadInputError(f"{path} is no picture that can be read")
        letterbox = Letterbox(*input_px, picture.shape[1], picture.shape[0])
        step(number + 1)
        yield letterbox.blob(letterbox.resize(np.asarray(picture, np.uint8)))
