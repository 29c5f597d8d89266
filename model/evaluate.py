"""Evaluation of a checkpoint or an ONNX file on a YOLO folder."""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from model.checkpoint import averaged_network
from model.config import DataSource
from model.data import SPLITS, Sample, load_split
from model.errors import ModelError, find_errors, write_errors
from model.judging import Judged, judge
from model.metrics import SURE, Metrics, measure
from model.predictions import FloatArray, Found, letterbox, select, to_input
from model.report import Report, report
from services.core.errors import BadInputError

Predict = Callable[[FloatArray], FloatArray]
"""Network input (B, 3, H, W) to output (B, N, 4 + classes)."""

LEAST_CONFIDENCE, NMS_IOU = 0.01, 0.45
BATCH = 16
LONG_SIDE_PX = 640
"""Object sizes are told in pixels of a picture with this long side."""


@dataclass(frozen=True)
class Model:
    """A detector to evaluate with its class names and input size (width, height)."""

    predict: Predict
    classes: tuple[str, ...]
    input_size: tuple[int, int]


def network_predict(network: nn.Module, *, bf16: bool = False) -> Predict:
    """Inference with a network in evaluation mode, on the device where it is."""
    device = next(network.parameters()).device

    def predict(pictures: FloatArray) -> FloatArray:
        batch = torch.from_numpy(pictures).to(device).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            output: FloatArray = network(batch).float().cpu().numpy()
        return output

    return predict


def load_onnx(path: Path, threads: int = 2) -> Model:
    """An exported file; raises BadInputError when it has no description of its classes and size."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    text = session.get_modelmeta().custom_metadata_map.get("sightline")
    if text is None:
        raise BadInputError(f"{path} was not exported by this program: it says no classes and input size")
    metadata = json.loads(text)

    def predict(pictures: FloatArray) -> FloatArray:
        return np.concatenate([session.run(None, {"images": one[None]})[0] for one in pictures])

    width, height = metadata["input"]
    return Model(predict, tuple(metadata["classes"]), (width, height))


def load_model(
    path: Path, input_size: tuple[int, int] | None = None, threads: int = 2, task: str | None = None
) -> Model:
    """An .onnx file or a checkpoint; a checkpoint takes any input size, else that of its training.

    `task` chooses a head of a joint training.
    """
    if path.suffix == ".onnx":
        model = load_onnx(path, threads)
        if input_size not in (None, model.input_size):
            raise BadInputError(f"{path} takes pictures of {model.input_size[0]}x{model.input_size[1]} only")
        return model
    torch.set_num_threads(threads)
    network, description = averaged_network(path, task)
    network = network.fuse().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    size = input_size or (description.input_px, description.input_px)
    return Model(network_predict(network), description.head(task).classes, size)


def judge_samples(
    model: Model, samples: Sequence[Sample], step: Callable[[int], None] = lambda count: None
) -> list[Judged]:
    """A detector's answers on labelled pictures; `step` is called with the number just done."""
    judged = []
    for group in _groups(samples):
        fitted = [letterbox(sample, *model.input_size) for sample in group]
        outputs = model.predict(to_input(np.stack([picture for picture, _ in fitted])))
        for sample, output, (_, labels) in zip(group, outputs, fitted, strict=True):
            height, width = sample.picture.shape[:2]
            enlarged = min(model.input_size[0] / width, model.input_size[1] / height)
            scale = LONG_SIDE_PX / max(width, height) / enlarged
            judged.append(judge(select(output, LEAST_CONFIDENCE, NMS_IOU), labels, scale))
        step(len(group))
    return judged


def errors_of(
    model: Model, samples: Sequence[Sample], step: Callable[[int], None] = lambda count: None
) -> Iterator[ModelError]:
    """What a detector gets wrong at the confidence that counts for recall."""
    for sample in samples:
        height, width = sample.picture.shape[:2]
        scale = min(model.input_size[0] / width, model.input_size[1] / height)
        margins = [
            (size - round(side * scale)) // 2
            for size, side in zip(model.input_size, (width, height), strict=True)
        ]
        found = find(model, sample, SURE)
        boxes = ((found.boxes - np.array(margins * 2)) / scale).astype(np.float32)
        yield from find_errors(sample, replace(found, boxes=boxes), sample.labels)
        step(1)


def find(model: Model, sample: Sample, confidence: float) -> Found:
    """What a detector finds in one picture, in pixels of its input."""
    picture, _ = letterbox(sample, *model.input_size)
    return select(model.predict(to_input(picture[None]))[0], confidence, NMS_IOU)


def evaluate_samples(model: Model, samples: Sequence[Sample]) -> Metrics:
    """The figures of a detector on labelled pictures."""
    return measure(judge_samples(model, samples), model.classes)


def _groups(samples: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
    for start in range(0, len(samples), BATCH):
        yield samples[start : start + BATCH]


def evaluate_model(
    path: Path,
    data: Path,
    *,
    split: str = "val",
    input_size: tuple[int, int] | None = None,
    threads: int = 2,
    task: str | None = None,
    step: Callable[[int], None] = lambda count: None,
) -> Report:
    """Evaluates an .onnx file or a checkpoint on a split (train, val or test) of a YOLO folder."""
    model = load_model(path, input_size, threads, task)
    samples = load_split([DataSource(data)], split, max(640, *model.input_size))
    return report(judge_samples(model, samples, step), model.classes)


def show_errors(
    path: Path,
    data: Path,
    folder: Path,
    *,
    split: str = "val",
    input_size: tuple[int, int] | None = None,
    threads: int = 2,
    task: str | None = None,
    step: Callable[[int], None] = lambda count: None,
) -> str:
    """Writes what a model gets wrong on a split into a folder, and returns a table of the kinds of error.

    Raises BadInputError for the split test: who looks at its errors is led by them.
    """
    if split == "test":
        raise BadInputError("errors are looked at on train and val: the test part chooses nothing")
    model = load_model(path, input_size, threads, task)
    samples = load_split([DataSource(data)], split, max(640, *model.input_size))
    return write_errors(list(errors_of(model, samples, step)), model.classes, folder)


def main() -> None:
    """python -m model.evaluate MODEL DATA [--split val] [--input 640x384]."""
    parser = argparse.ArgumentParser(description="Evaluate an .onnx file or a checkpoint on a YOLO folder")
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", choices=SPLITS, default="val")
    parser.add_argument("--task", default=None, help="the head of a joint training")
    parser.add_argument("--input", default=None, help="width x height in pixels, for a checkpoint")
    parser.add_argument("--errors", type=Path, default=None, help="folder for the worst errors")
    parser.add_argument("--threads", type=int, default=2)
    values = parser.parse_args()
    size = None
    if values.input is not None:
        width, _, height = values.input.partition("x")
        size = (int(width), int(height or width))
    given = {"split": values.split, "input_size": size, "threads": values.threads, "task": values.task}
    print(evaluate_model(values.model, values.data, **given).markdown())
    if values.errors is not None:
        print(show_errors(values.model, values.data, values.errors, **given))


if __name__ == "__main__":
    main()
