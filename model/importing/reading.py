"""A foreign file as it is: run on a picture, and its outputs read plainly, without any node of ours."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto
from onnxruntime.capi import onnxruntime_pybind11_state as state

from model.importing.layouts import Layout, Part
from model.importing.rewriting import colour_constants, grid
from model.importing.source import TYPES, Extras, InputForm
from services.core.errors import BadInputError

Floats = NDArray[np.float32]
Blob = Floats
Outputs = Mapping[str, NDArray[Any]]

ERRORS: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    *(one for one in vars(state).values() if isinstance(one, type) and issubclass(one, Exception)),
)
"""What ONNX Runtime raises: its own errors have no base of their own."""


class RunningGraph:
    """A graph that runs in ONNX Runtime on one core; BadInputError says why one does not."""

    def __init__(self, model: onnx.ModelProto, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 4
        try:
            self._session = ort.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except ERRORS as error:
            raise BadInputError(f"ONNX Runtime cannot load it: {_short(error)}") from error
        self._names = [item.name for item in self._session.get_outputs()]

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Outputs:
        """Give each output by its name."""
        try:
            values = self._session.run(None, dict(inputs))
        except ERRORS as error:
            raise BadInputError(f"it does not run on a picture: {_short(error)}") from error
        return {
            name: np.asarray(one) for name, one in zip(self._names, values, strict=True) if _is_numbers(one)
        }


def _is_numbers(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiub"


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def blob_of(picture: Blob, form: InputForm, extras: Extras) -> dict[str, NDArray[Any]]:
    """Turn our picture (1, 3, H, W; RGB 0..1) into what the foreign graph takes."""
    values: Floats = picture[:, ::-1] if form.is_bgr else picture
    if form.values == "bytes":
        values = values * np.float32(255)
    elif form.values == "imagenet":
        mean, deviation = colour_constants(form.is_bgr)
        values = (values - mean) / deviation
    values = values if form.has_batch else values[0]
    kind = TYPES[form.element_type]
    values = np.floor(values + np.float32(0.5)) if form.element_type == TensorProto.UINT8 else values
    if form.is_nhwc:
        values = np.moveaxis(values, -3, -1)
    return {form.name: np.ascontiguousarray(values, kind), **extras}


def rows_of(outputs: Outputs, layout: Layout, form: InputForm) -> Floats:
    """Give rows (n, 4 + classes): centre, size in input pixels, and a score for each class."""
    scores = _scores(outputs, layout)
    boxes = _boxes(layout.boxes.rows(outputs), layout, form)
    return np.hstack([boxes, scores]).astype(np.float32)


def _boxes(boxes: Floats, layout: Layout, form: InputForm) -> Floats:
    if layout.strides:
        cells, sides = grid(layout.strides, form.width, form.height)
        decoded: Floats = np.hstack([boxes[:, :2] + cells[0], np.exp(boxes[:, 2:])]) * sides[0]
        return decoded
    if layout.box_form == "yxyx":
        boxes = boxes[:, [1, 0, 3, 2]]
    if layout.is_normalised:
        boxes = boxes * np.array([form.width, form.height, form.width, form.height], np.float32)
    if layout.box_form == "cxcywh":
        return boxes
    return np.hstack([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]])


def _scores(outputs: Outputs, layout: Layout) -> Floats:
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
        shares: Floats = (powers / powers.sum(axis=1, keepdims=True))[:, list(part.columns)]
        return shares
    scores = part.rows(outputs)
    if layout.activation == "sigmoid":
        scores = _sigmoid(scores)
    if layout.objectness is None:
        return scores
    objectness = layout.objectness.rows(outputs)
    return scores * (_sigmoid(objectness) if layout.activation == "sigmoid" else objectness)


def _sigmoid(values: Floats) -> Floats:
    return (1 / (1 + np.exp(-np.clip(values, -80, 80)))).astype(np.float32)
