"""Small detectors of others, built on the spot: each gives boxes that are known, in a layout of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH, HEIGHT = 96, 64
CLASSES = ("helmet", "head", "vest")
CELLS = sum((WIDTH // stride) * (HEIGHT // stride) for stride in (8, 16, 32))

TRUTH = np.array(
    [[12, 20, 36, 60, 0, 0.9], [40, 8, 56, 30, 1, 0.8], [60, 30, 90, 62, 2, 0.7], [70, 4, 84, 18, 0, 0.6]],
    np.float32,
)
"""Corners in input pixels, class and score."""


@dataclass(frozen=True)
class Made:
    """The outputs of a layout: values by name, for the one picture that there is."""

    outputs: Mapping[str, np.ndarray]
    options: Mapping[str, Any] = ()  # type: ignore[assignment]


def filled(rows: int) -> np.ndarray:
    """The truth, and between its rows others that nobody is to find: boxes with next to no score."""
    rng = np.random.default_rng(1)
    low = rng.uniform(0, 0.7, (rows, 2)) * (WIDTH, HEIGHT)
    sizes = rng.uniform(0.05, 0.3, (rows, 2)) * (WIDTH, HEIGHT)
    found = np.hstack([low, low + sizes, rng.integers(0, 3, (rows, 1)), rng.uniform(0, 0.02, (rows, 1))])
    found[np.arange(len(TRUTH)) * (rows // len(TRUTH))] = TRUTH
    return found.astype(np.float32)


def centred(boxes: np.ndarray) -> np.ndarray:
    return np.hstack([(boxes[:, :2] + boxes[:, 2:4]) / 2, boxes[:, 2:4] - boxes[:, :2]])


def shares(boxes: np.ndarray) -> np.ndarray:
    return boxes[:, :4] / np.float32([WIDTH, HEIGHT, WIDTH, HEIGHT])


def by_class(rows: np.ndarray, classes: int = 3) -> np.ndarray:
    table = np.full((len(rows), classes), 0.001, np.float32)
    table[np.arange(len(rows)), rows[:, 4].astype(int)] = rows[:, 5]
    return table


def logits(values: np.ndarray) -> np.ndarray:
    return np.log(values / (1 - values)).astype(np.float32)


def with_background(rows: np.ndarray, is_first: bool) -> np.ndarray:
    table = by_class(rows)
    rest = 1 - table.sum(axis=1, keepdims=True)
    return np.hstack([rest, table] if is_first else [table, rest])


def yolov5() -> Made:
    rows = filled(CELLS * 3)
    objectness = np.where(rows[:, 5:] > 0.5, 0.95, 0.01).astype(np.float32)
    return Made(
        {"output0": np.hstack([centred(rows), objectness, by_class(rows) / objectness.clip(0.95)])[None]}
    )


def yolov8() -> Made:
    rows = filled(CELLS)
    return Made({"output0": np.hstack([centred(rows), by_class(rows)]).T[None]})


def yolov8_in_shares() -> Made:
    rows = filled(CELLS)
    return Made({"output0": np.hstack([centred(shares(rows)), by_class(rows)]).T[None]})


def yolo26() -> Made:
    rows = filled(40)[:, [0, 1, 2, 3, 5, 4]]
    return Made({"output0": rows[None]})


def yolov7_suppressed() -> Made:
    rows = TRUTH[:, [0, 1, 2, 3, 4, 5]]
    return Made({"output": np.hstack([np.zeros((len(rows), 1), np.float32), rows])})


def yolox() -> Made:
    rows = filled(CELLS)
    sides = np.concatenate([np.full((WIDTH // s) * (HEIGHT // s), s) for s in (8, 16, 32)])[:, None]
    cells = []
    for stride in (8, 16, 32):
        y, x = np.mgrid[0 : HEIGHT // stride, 0 : WIDTH // stride]
        cells.append(np.stack([x.ravel(), y.ravel()], 1))
    boxes = centred(rows)
    raw = np.hstack([boxes[:, :2] / sides - np.concatenate(cells), np.log(boxes[:, 2:] / sides)])
    ones = np.ones((len(rows), 1))
    return Made({"output": np.hstack([raw, ones, by_class(rows)])[None].astype(np.float32)})


def ssd_torch() -> Made:
    rows = filled(120)
    return Made({"scores": with_background(rows, True)[None], "boxes": shares(rows)[None]})


def ssd_tensorflow_raw() -> Made:
    rows = filled(120)
    places = shares(rows)[:, [1, 0, 3, 2]]
    return Made(
        {"raw_detection_boxes": places[None], "raw_detection_scores": with_background(rows, True)[None]}
    )


def ssd_tensorflow() -> Made:
    rows = filled(20)
    return Made(
        {
            "num_detections": np.float32([20]),
            "detection_boxes": shares(rows)[:, [1, 0, 3, 2]][None],
            "detection_scores": rows[None, :, 5],
            "detection_classes": rows[None, :, 4] + 1,
        }
    )


def torchvision() -> Made:
    return Made({"boxes": TRUTH[:, :4], "labels": (TRUTH[:, 4] + 1).astype(np.int64), "scores": TRUTH[:, 5]})


def caffe_ssd() -> Made:
    rows = filled(20)
    head = np.zeros((20, 1), np.float32)
    table = np.hstack([head, rows[:, 4:5] + 1, rows[:, 5:], shares(rows)])
    return Made({"detection_out": table[None, None]})


def detr() -> Made:
    rows = filled(30)
    return Made(
        {
            "pred_logits": np.log(with_background(rows, False).clip(1e-6))[None],
            "pred_boxes": centred(shares(rows))[None],
        }
    )


def deformable_detr() -> Made:
    rows = filled(30)
    return Made({"logits": logits(by_class(rows))[None], "pred_boxes": centred(shares(rows))[None]})


def rt_detr() -> Made:
    rows = filled(30)
    return Made(
        {"labels": rows[None, :, 4].astype(np.int64), "boxes": rows[None, :, :4], "scores": rows[None, :, 5]}
    )


def pp_yoloe() -> Made:
    rows = filled(CELLS)
    return Made({"boxes": rows[None, :, :4], "scores": by_class(rows).T[None]})


def yolov4() -> Made:
    rows = filled(CELLS)
    return Made({"boxes": shares(rows)[None, :, None], "confs": by_class(rows)[None]})


LAYOUTS: tuple[Callable[[], Made], ...] = (
    yolov5,
    yolov8,
    yolov8_in_shares,
    yolo26,
    yolov7_suppressed,
    yolox,
    ssd_torch,
    ssd_tensorflow_raw,
    ssd_tensorflow,
    torchvision,
    caffe_ssd,
    detr,
    deformable_detr,
    rt_detr,
    pp_yoloe,
    yolov4,
)


def write_model(
    path: Path,
    outputs: Mapping[str, np.ndarray],
    *,
    input_type: int = TensorProto.FLOAT,
    shape: tuple[int | str, ...] = (1, 3, HEIGHT, WIDTH),
    metadata: Mapping[str, str] | None = None,
    opset: int = 17,
    extra_inputs: Mapping[str, tuple[int, tuple[int, ...]]] | None = None,
) -> Path:
    """Write a graph that looks at its picture and gives the same outputs whatever it shows."""
    nodes = [
        helper.make_node("Cast", ["images"], ["picture"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["picture"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "nothing"], ["zero"]),
    ]
    constants = [numpy_helper.from_array(np.float32(0), "nothing")]
    results = []
    for number, (name, values) in enumerate(outputs.items()):
        kind = helper.np_dtype_to_tensor_dtype(values.dtype)
        constants.append(numpy_helper.from_array(values, f"values{number}"))
        nodes.append(helper.make_node("Cast", ["zero"], [f"zero{number}"], to=kind))
        nodes.append(helper.make_node("Add", [f"values{number}", f"zero{number}"], [name]))
        results.append(helper.make_tensor_value_info(name, kind, values.shape))
    inputs = [helper.make_tensor_value_info("images", input_type, shape)]
    for name, (kind, size) in (extra_inputs or {}).items():
        inputs.append(helper.make_tensor_value_info(name, kind, size))
    graph = helper.make_graph(nodes, "made", inputs, results, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    helper.set_model_props(model, dict(metadata or {}))
    onnx.save(model, str(path))
    return path


BLOCK_PX, STEP_PX = 24, 4
COLOURS = {"helmet": (1, -1, -1), "head": (-1, 1, -1), "vest": (-1, -1, 1)}
"""What a pixel has to be to belong to a class: red, green or blue without the two others."""


def write_block_model(path: Path, names: Mapping[int, str] | None = None) -> Path:
    """Write a detector that sees: each class is a square of its colour, `BLOCK_PX` wide in the input.

    It answers as a YOLOv8 does (1, 4 + classes, places).
    """
    columns, rows = (WIDTH - BLOCK_PX) // STEP_PX + 1, (HEIGHT - BLOCK_PX) // STEP_PX + 1
    y, x = np.mgrid[0:rows, 0:columns]
    places = np.stack([x.ravel(), y.ravel()]) * STEP_PX + BLOCK_PX / 2
    boxes = np.concatenate([places, np.full_like(places, BLOCK_PX)])[None].astype(np.float32)
    constants = {
        "colours": np.float32([*COLOURS.values()]).reshape(3, 3, 1, 1),
        "power": np.float32(4),
        "most": np.float32(0.95),
        "shape": np.int64([1, 3, -1]),
        "boxes": boxes,
    }
    square = [BLOCK_PX, BLOCK_PX]
    nodes = [
        helper.make_node("Conv", ["images", "colours"], ["match"]),
        helper.make_node("Relu", ["match"], ["matched"]),
        helper.make_node("AveragePool", ["matched"], ["filled"], kernel_shape=square, strides=[STEP_PX] * 2),
        helper.make_node("Pow", ["filled", "power"], ["sharp"]),
        helper.make_node("Min", ["sharp", "most"], ["scored"]),
        helper.make_node("Reshape", ["scored", "shape"], ["scores"]),
        helper.make_node("Concat", ["boxes", "scores"], ["output0"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "blocks",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, (1, 3, HEIGHT, WIDTH))],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, (1, 7, rows * columns))],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"names": str(dict(names or enumerate(COLOURS)))})
    onnx.save(model, str(path))
    return path
