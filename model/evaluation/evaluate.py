"""Evaluation of a checkpoint or an ONNX file on a YOLO folder."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from model.data.samples import DataSource, Sample, load_split
from model.evaluation.errors import find_errors, write_errors
from model.evaluation.judging import Judged, judge
from model.evaluation.metrics import SURE, Metrics, measure
from model.evaluation.predictions import FloatArray, Found, letterbox, select, to_input
from model.evaluation.report import Report, report
from model.network.checkpoint import averaged_network
from services.core.errors import BadInputError

Predict = Callable[[FloatArray], FloatArray]
"""Network input (B, 3, H, W) to output (B, N, 4 + classes)."""

LEAST_CONFIDENCE, NMS_IOU = 0.01, 0.45
BATCH = 16
LONG_SIDE_PX = 640
"""Object sizes are in pixels of a picture with this long side."""


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
    found = find_all(model, samples, step)
    return [_judge(one, sample) for one, sample in zip(found, samples, strict=True)]


def find_all(
    model: Model,
    samples: Sequence[Sample],
    step: Callable[[int], None] = lambda count: None,
    confidence: float = LEAST_CONFIDENCE,
) -> Iterator[Found]:
    """What a detector finds in each picture, in pixels of the picture, from a confidence on."""
    for start in range(0, len(samples), BATCH):
        group = samples[start : start + BATCH]
        fitted = [letterbox(sample, *model.input_size)[0] for sample in group]
        outputs = model.predict(to_input(np.stack(fitted)))
        for sample, output in zip(group, outputs, strict=True):
            found = select(output, confidence, NMS_IOU)
            yield replace(found, boxes=_in_picture(found.boxes, sample, model.input_size))
        step(len(group))


def _in_picture(boxes: FloatArray, sample: Sample, input_size: tuple[int, int]) -> FloatArray:
    """Boxes (n, 4; corners) in pixels of the input as such in pixels of the picture that was letterboxed."""
    height, width = sample.picture.shape[:2]
    scale = min(input_size[0] / width, input_size[1] / height)
    margins = [
        (size - round(side * scale)) // 2 for size, side in zip(input_size, (width, height), strict=True)
    ]
    return ((boxes - np.array(margins * 2, np.float32)) / np.float32(scale)).astype(np.float32)


def _judge(found: Found, sample: Sample) -> Judged:
    return judge(found, sample.labels, LONG_SIDE_PX / max(sample.picture.shape[:2]))


def _sure(found: Found) -> Found:
    """What counts for recall."""
    chosen = found.scores >= SURE
    return Found(found.boxes[chosen], found.scores[chosen], found.classes[chosen])


def find(model: Model, sample: Sample, confidence: float) -> Found:
    """What a detector finds in one picture, in pixels of its input."""
    picture, _ = letterbox(sample, *model.input_size)
    return select(model.predict(to_input(picture[None]))[0], confidence, NMS_IOU)


def evaluate_samples(model: Model, samples: Sequence[Sample]) -> Metrics:
    """The figures of a detector on labelled pictures."""
    return measure(judge_samples(model, samples), model.classes)


def evaluate_model(
    path: Path,
    data: Path,
    *,
    split: str = "val",
    input_size: tuple[int, int] | None = None,
    threads: int = 2,
    task: str | None = None,
    errors: Path | None = None,
    step: Callable[[int], None] = lambda count: None,
) -> Report:
    """Evaluates an .onnx file or a checkpoint on a split (train, val, test or unseen) of a YOLO folder.

    Writes what the model gets wrong into the folder `errors`; BadInputError for those of the splits test and
    unseen: who looks at them is led by them.
    """
    if errors is not None and split in ("test", "unseen"):
        raise BadInputError(f"errors are looked at on train and val: the split {split} chooses nothing")
    model = load_model(path, input_size, threads, task)
    samples = load_split([DataSource(data)], split, max(640, *model.input_size))
    found = list(find_all(model, samples, step))
    if errors is not None:
        wrong = (
            find_errors(sample, _sure(one), sample.labels) for sample, one in zip(samples, found, strict=True)
        )
        write_errors([error for of_picture in wrong for error in of_picture], model.classes, errors)
    judged = [_judge(one, sample) for one, sample in zip(found, samples, strict=True)]
    return report(judged, model.classes)
