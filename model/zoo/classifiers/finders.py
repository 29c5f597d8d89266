"""Finders of faces, for classifiers that find none: whatever they say of masks does not count."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import onnx
from onnx import numpy_helper

from model.data.samples import Picture, Sample
from model.evaluation.evaluate import Model, find_all, load_onnx
from model.evaluation.predictions import FloatArray, Found
from model.zoo.rival import Cost
from services.core.errors import BadInputError

CASCADE = "haarcascade_frontalface_default.xml"
CASCADE_STEP, CASCADE_NEIGHBOURS, CASCADE_LEAST_PX = 1.1, 3, 16
CAFFE_SIDE_PX = 300
CAFFE_MEANS = (104.0, 177.0, 123.0)
"""Of blue, green and red, as the known file of SSD-ResNet10 was trained."""
LEAST_SCORE = 0.05


class Finder(Protocol):
    """Finds faces in a picture."""

    @property
    def name(self) -> str:
        """Names it in commands: `haar`."""

    @property
    def title(self) -> str:
        """As papers write it: `Haar cascade`."""

    def find(self, picture_bgr: Picture) -> Found:
        """Faces in a picture's pixels, all of class 0, best first."""

    def cost(self) -> Cost:
        """Count what it costs on a picture."""


class DetectorFinder:
    """An exported detector whose classes are taken for one. Implements the protocol Finder."""

    def __init__(self, path: Path, name: str, title: str) -> None:
        """BadInputError when the file is no detector of this program."""
        detector = load_onnx(path, threads=1)
        self.name, self.title, self._path = name, title, path
        self._model = Model(
            lambda pictures: as_faces(detector.predict(pictures)), ("face",), detector.input_size
        )

    def find(self, picture_bgr: Picture) -> Found:
        """Faces in a picture's pixels."""
        sample = Sample("", picture_bgr, np.zeros((0, 5), np.float32))
        found = next(iter(find_all(self._model, [sample])))
        return surest(found, LEAST_SCORE)

    def cost(self) -> Cost:
        """Count what it costs at its input size."""
        return onnx_cost(self._path)


def as_faces(output: FloatArray) -> FloatArray:
    """Rows (B, N, 4 + classes) with the best of their scores as the only one, (B, N, 5)."""
    return np.concatenate((output[..., :4], output[..., 4:].max(-1, keepdims=True)), -1)


def surest(found: Found, least: float) -> Found:
    """What is found with at least a score."""
    kept = found.scores >= least
    return Found(found.boxes[kept], found.scores[kept], found.classes[kept])


class CascadeFinder:
    """The Haar cascade of frontal faces that comes with OpenCV. Implements the protocol Finder.

    Viola and Jones, "Rapid Object Detection using a Boosted Cascade of Simple Features", CVPR 2001.
    """

    name, title = "haar", "Haar cascade"

    def __init__(self) -> None:
        self._path = Path(cv2.__file__).parent / "data" / CASCADE
        self._cascade = cv2.CascadeClassifier(str(self._path))

    def find(self, picture_bgr: Picture) -> Found:
        """Faces in a picture's pixels; a score says how clearly the last stage was passed."""
        grey = cv2.equalizeHist(cv2.cvtColor(picture_bgr, cv2.COLOR_BGR2GRAY))
        boxes, _, weights = self._cascade.detectMultiScale3(
            grey,
            CASCADE_STEP,
            CASCADE_NEIGHBOURS,
            minSize=(CASCADE_LEAST_PX, CASCADE_LEAST_PX),
            outputRejectLevels=True,
        )
        corners = np.array(boxes, np.float32).reshape(-1, 4)
        corners[:, 2:] += corners[:, :2]
        margin = np.maximum(np.array(weights, np.float32).reshape(-1), 0)
        return ordered(corners, (1 + margin) / (2 + margin))

    def cost(self) -> Cost:
        """The size of its file; its operations follow from the picture and are not counted."""
        return Cost(parameters=0, gflops=float("nan"), size_bytes=self._path.stat().st_size)


class CaffeFinder:
    """The known Caffe file of SSD-ResNet10, if a person has it. Implements the protocol Finder."""

    name, title = "ssd-resnet10-caffe", "SSD-ResNet10 (the known Caffe file)"

    def __init__(self, weights: Path) -> None:
        """`weights` ends in .caffemodel; the .prototxt lies beside it. BadInputError where one is missing."""
        drawings = sorted(weights.parent.glob("*.prototxt*"))
        if weights.suffix != ".caffemodel" or not weights.is_file() or not drawings:
            raise BadInputError(f"{weights}: give a .caffemodel file with its .prototxt in the same folder")
        self._weights = weights
        try:
            self._network = cv2.dnn.readNetFromCaffe(str(drawings[0]), str(weights))
        except cv2.error as error:
            raise BadInputError(f"{weights} is no Caffe network: {error.msg}") from error

    def find(self, picture_bgr: Picture) -> Found:
        """Faces in a picture's pixels."""
        height, width = picture_bgr.shape[:2]
        side = (CAFFE_SIDE_PX, CAFFE_SIDE_PX)
        self._network.setInput(cv2.dnn.blobFromImage(cv2.resize(picture_bgr, side), 1.0, side, CAFFE_MEANS))
        rows = np.asarray(self._network.forward(), np.float32).reshape(-1, 7)
        corners = rows[:, 3:] * np.array((width, height, width, height), np.float32)
        return surest(ordered(corners, rows[:, 2]), LEAST_SCORE)

    def cost(self) -> Cost:
        """The size of its weights, four bytes each, and its operations as OpenCV counts them."""
        size = self._weights.stat().st_size
        operations = self._network.getFLOPS((1, 3, CAFFE_SIDE_PX, CAFFE_SIDE_PX))
        return Cost(parameters=size // 4, gflops=operations / 1e9, size_bytes=size)


def ordered(corners: FloatArray, scores: FloatArray) -> Found:
    """Faces with scores, best first."""
    order = scores.argsort(kind="stable")[::-1]
    return Found(
        corners[order].astype(np.float32), scores[order].astype(np.float32), np.zeros(len(order), np.int64)
    )


def onnx_cost(path: Path) -> Cost:
    """What an ONNX file costs at the size that it is written for, in convolutions and dense layers."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(str(path))).graph
    weights = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]]
    shapes = {one.name: _shape(one) for one in [*graph.value_info, *graph.output]}
    total = 0
    for node in graph.node:
        if node.op_type == "Conv":
            total += weights[node.input[1]][0].size * int(np.prod(shapes[node.output[0]]))
        elif node.op_type in ("Gemm", "MatMul") and node.input[1] in weights:
            total += weights[node.input[1]].size
    parameters = sum(
        one.size for one in map(numpy_helper.to_array, graph.initializer) if one.dtype.kind == "f"
    )
    return Cost(parameters=parameters, gflops=2 * total / 1e9, size_bytes=path.stat().st_size)


def _shape(value: onnx.ValueInfoProto) -> Sequence[int]:
    """The sides of a value; 1 where one is free, as that of a batch."""
    return [one.dim_value or 1 for one in value.type.tensor_type.shape.dim]
