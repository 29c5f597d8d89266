"""Classifiers as ONNX files: crops in, probabilities out; the metadata say how crops are cut."""

import argparse
import json
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from model.export.writing import INPUT_NAME, METADATA_KEY, OPSET, store_half
from model.files import replacing
from model.zoo.classifiers.crops import MARGIN
from model.zoo.classifiers.networks import KINDS
from model.zoo.classifiers.training import load_weights
from services.core.types import MASK_CLASSES

TASK = "mask-classifier"
"""Marks a file that classifies crops and finds nothing."""
PROBABILITIES = "probabilities"


class Deployed(nn.Module):
    """A network with probabilities in place of logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> Tensor:
        """(N, 3, S, S) RGB from 0 to 1 to (N, classes)."""
        said: Tensor = self.network(crops).softmax(1)
        return said


def export_classifier(
    network: nn.Module, path: Path, side_px: int, name: str, title: str, *, half: bool = False
) -> None:
    """Write a network atomically: input `images` (N, 3, S, S) RGB 0..1, output `probabilities` (N, 3).

    `half` stores the weights as float16; the computation stays float32.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {
        "name": name,
        "task": TASK,
        "classes": list(MASK_CLASSES),
        "architecture": title,
        "input": [side_px, side_px],
        "margin": MARGIN,
    }
    with replacing(path) as partial:
        torch.onnx.export(
            Deployed(network).eval(),
            (torch.zeros(2, 3, side_px, side_px),),
            str(partial),
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT_NAME],
            output_names=[PROBABILITIES],
            dynamic_axes={INPUT_NAME: {0: "crops"}, PROBABILITIES: {0: "crops"}},
        )
        graph = onnx.load(str(partial))
        if half:
            graph = store_half(graph)
        onnx.helper.set_model_props(graph, {METADATA_KEY: json.dumps(values)})
        onnx.checker.check_model(graph)
        onnx.save(graph, str(partial))


def main() -> None:
    """python -m model.zoo.classifiers.exporting ROW RUN OUTPUT: writes a network as a file to ship."""
    kinds = {kind.name: kind for kind in KINDS}
    parser = argparse.ArgumentParser(description="Write a trained classifier as ONNX, its weights as float16")
    parser.add_argument("row", choices=sorted(kinds), help="which network it is")
    parser.add_argument("run", type=Path, help="the folder of its training")
    parser.add_argument("output", type=Path, help="the .onnx file to write, whose name is the model's")
    values = parser.parse_args()
    kind = kinds[values.row]
    network = load_weights(kind.build(), values.run)
    export_classifier(network, values.output, kind.side_px, values.output.stem, kind.title, half=True)
    print(values.output)


if __name__ == "__main__":
    main()
