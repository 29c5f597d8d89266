"""Export of a checkpoint to ONNX with all that the detector service has to know in its metadata."""

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from torch import nn

from model.checkpoint import Description, averaged_network
from model.half import store_half
from services.core.errors import BadInputError

OPSET = 17
INPUT_NAME, OUTPUT_NAME, METADATA_KEY = "images", "predictions", "sightline"
DEFAULT_CONFIDENCE, DEFAULT_IOU = 0.25, 0.45


@dataclass(frozen=True)
class ExportConfig:
    """What to export: input size in pixels (multiples of 32) and the thresholds to suggest."""

    checkpoint: Path
    output: Path
    task: str | None = None
    """The head of a joint training; None: the only one."""
    name: str = ""
    """The model's name; empty: the output's file name."""
    width: int = 640
    height: int = 384
    confidence: float = DEFAULT_CONFIDENCE
    iou: float = DEFAULT_IOU
    half: bool = False
    """Whether the weights are stored as float16; the computation stays float32."""

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 32 or self.width % 32 or self.height % 32:
            raise BadInputError("the input's width and height are multiples of 32 pixels")


def metadata(config: ExportConfig, description: Description) -> dict[str, object]:
    """The description that travels in the file, under the key `sightline`."""
    head = description.head(config.task)
    return {
        "name": config.name or config.output.stem,
        "task": head.task,
        "classes": list(head.classes),
        "architecture": description.architecture,
        "size": description.size,
        "input": [config.width, config.height],
        "confidence": config.confidence,
        "iou": config.iou,
        "trained_by": description.command,
    }


def write_onnx(network: nn.Module, path: Path, width: int, height: int) -> None:
    """Writes the graph of a network in evaluation mode for pictures of one size."""
    torch.onnx.export(
        network,
        (torch.zeros(1, 3, height, width),),
        str(path),
        dynamo=False,
        opset_version=OPSET,
        input_names=[INPUT_NAME],
        output_names=[OUTPUT_NAME],
    )


def export_model(config: ExportConfig) -> dict[str, object]:
    """Writes the fused network as ONNX that computes in fp32, atomically, and returns its metadata.

    Input `images` (1, 3, H, W) RGB 0..1; output `predictions` (1, N, 4 + classes): centre x, y, width,
    height in input pixels, then a score for each class.
    """
    network, description = averaged_network(config.checkpoint, config.task)
    network.fuse()
    config.output.parent.mkdir(parents=True, exist_ok=True)
    partial = config.output.with_suffix(".partial")
    write_onnx(network, partial, config.width, config.height)
    values = metadata(config, description)
    graph = onnx.load(str(partial))
    if config.half:
        graph = store_half(graph)
    onnx.helper.set_model_props(graph, {METADATA_KEY: json.dumps(values)})
    onnx.checker.check_model(graph)
    onnx.save(graph, str(partial))
    os.replace(partial, config.output)
    return values


def main() -> None:
    """python -m model.export CHECKPOINT OUTPUT [--input 640x384] [--name NAME] [--task TASK] [--half]."""
    parser = argparse.ArgumentParser(description="Export a checkpoint to ONNX")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--input", default="640x384", help="width x height in pixels")
    parser.add_argument("--name", default="")
    parser.add_argument("--task", default=None, help="the head of a joint training")
    parser.add_argument("--half", action="store_true", help="store the weights as float16")
    arguments = parser.parse_args()
    width, _, height = arguments.input.partition("x")
    config = ExportConfig(
        arguments.checkpoint,
        arguments.output,
        task=arguments.task,
        name=arguments.name,
        width=int(width),
        height=int(height or width),
        half=arguments.half,
    )
    print(json.dumps(export_model(config)))


if __name__ == "__main__":
    main()
