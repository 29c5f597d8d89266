"""A foreign file as it is: run on a picture, and its outputs read plainly, without any node of ours."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from model.importing.layouts import Layout, Part
from model.importing.rewriting import colour_constants, grid
from model.importing.source import TYPES, Extras, InputForm
from services.core.errors import BadInputError

Blob = NDArray[np.float32]
Outputs = Mapping[str, NDArray[Any]]


class Session:
    """A graph that runs in ONNX Runtime on one core; BadInputError says why one does not."""

    def __init__(self, model: onnx.ModelProto, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 4
        try:
            self._session = ort.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except (RuntimeError, ValueError, *ort_errors()) as error:
            raise BadInputError(f"ONNX Runtime cannot load it: {_short(error)}") from error
        self._names = [item.name for item in self._session.get_outputs()]

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Outputs:
        """Give each output by its name."""
        try:
            values = self._session.run(None, dict(inputs))
        except (RuntimeError, ValueError, *ort_errors()) as error:
            raise BadInputError(f"it does not run on a picture: {_short(error)}") from error
        return {
            name: np.asarray(one) for name, one in zip(self._names, values, strict=True) if _is_numbers(one)
        }


def ort_errors() -> tuple[type[Exception], ...]:
    """Give the errors of ONNX Runtime, which have no base of their own."""
    found = vars(ort.capi.onnxruntime_pybind11_state).values()
    return tuple(one for one in found if isinstance(one, type) and issubclass(one, Exception))


def _is_numbers(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiub"


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def blob_of(picture: Blob, form: InputForm, extras: Extras) -> dict[str, NDArray[Any]]:
    """Turn our picture (1, 3, H, W; RGB 0..1) into what the foreign graph takes."""
    values = picture[:, ::-1] if form.is_bgr else picture
    if form.values == "bytes":
        values = values * np.float32(255)
    elif form.values == "imagenet":
        mean, deviation = colour_constants(form.is_bgr)
        values = (values - mean) / deviation
    kind = TYPES[form.element_type]
    values = np.floor(values + np.float32(0.5)) if kind is np.uint8 else values
    if form.is_nhwc:
        values = values.transpose(0, 2, 3, 1)
    return {form.name: np.ascontiguousarray(values, kind), **extras}


def rows_of(outputs: Outputs, layout: Layout, form: InputForm) -> NDArray[np.float32]:
    """Give rows (n, 4 + classes): centre, size in input pixels, and a score for each class."""
    scores = _scores(outputs, layout)
    boxes = _boxes(layout.boxes.rows(outputs), layout, form)
    return np.hstack([boxes, scores]).astype(np.float32)


def _boxes(boxes: NDArray[np.float32], layout: Layout, form: InputForm) -> NDArray[np.float32]:
    if layout.strides:
        cells, sides = grid(layout.strides, form.width, form.height)
        return np.hstack([boxes[:, :2] + cells[0], np.exp(boxes[:, 2:])]) * sides[0]
    if layout.box_form == "yxyx":
        boxes = boxes[:, [1, 0, 3, 2]]
    if layout.is_normalised:
        boxes = boxes * np.float32([form.width, form.height, form.width, form.height])
    if layout.box_form == "cxcywh":
        return boxes
    return np.hstack([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]])


def _scores(outputs: Outputs, layout: Layout) -> NDArray[np.float32]:
    part = layout.scores
    if layout.labels is not None:
        labels = layout.labels.rows(outputs)[:, 0].astype(np.int64) - layout.first_label
        scores = np.zeros((len(labels), layout.classes), np.float32)
        known = np.flatnonzero((labels >= 0) & (labels < layout.classes))
        scores[known, labels[known]] = part.rows(outputs)[known, 0]
        return scores
    if layout.activation == "softmax":
        whole = Part.whole(part.output, part.width, part.is_turned).rows(outputs)
        powers = np.exp(whole - whole.max(axis=1, keepdims=True))
        shares: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True))[:, list(part.columns)]
        return shares
    scores = part.rows(outputs)
    weights = layout.objectness.rows(outputs) if layout.objectness is not None else np.ones((1, 1), np.float32)
    if layout.activation == "sigmoid":
        scores = _sigmoid(scores)
        weights = _sigmoid(weights) if layout.objectness is not None else weights
    return scores * weights


def _sigmoid(values: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = 1 / (1 + np.exp(-np.clip(values, -80, 80)))
    return result
