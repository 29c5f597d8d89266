"""The program that writes an Ultralytics checkpoint as ONNX, in their environment, for `import-model`.

    python -I exporting.py CHECKPOINT OUTPUT.onnx WIDTH HEIGHT

A width of 0 takes the size of the checkpoint's training. A checkpoint is a pickle, which can run code when it
is loaded: this process first takes from itself, for good, what an export does not need. Who starts it gives
it an empty folder, no environment and no network.
"""

import importlib
import resource
import shutil
import sys
from pathlib import Path
from typing import Any

OPSET = 17
MEMORY_BYTES = 12 << 30
"""Addresses and not pages: torch reserves several times what it uses."""

PROCESSOR_S = 600
FILE_BYTES = 1 << 30
OPEN_FILES = 512
LONGEST_FAULT = 500

PLUGIN = "model.zoo.ultralytics.plugin"
"""Knows the modules of GB-YOLO, which a checkpoint that was trained with them names."""


def restrict() -> None:
    """Bound memory, processor time, files and their size, without a way back."""
    bounds = {
        resource.RLIMIT_AS: MEMORY_BYTES,
        resource.RLIMIT_CPU: PROCESSOR_S,
        resource.RLIMIT_FSIZE: FILE_BYTES,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    for which, most in bounds.items():
        hard = resource.getrlimit(which)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (most, most))


def export(checkpoint: Path, output: Path, size: tuple[int, int] | None) -> None:
    """Write the checkpoint's detector with its own head (that of v10 and 26 without suppression) as ONNX."""
    importlib.import_module(PLUGIN)
    ultralytics: Any = importlib.import_module("ultralytics")
    network = ultralytics.YOLO(str(checkpoint))
    if network.task != "detect":
        raise ValueError(f"it is made for the task {network.task}: Sightline counts upright boxes")
    sides = {} if size is None else {"imgsz": [size[1], size[0]]}
    # nms=False: the head that gives each object once, where there is one; no suppression is built in.
    written = network.export(format="onnx", opset=OPSET, simplify=False, device="cpu", nms=False, **sides)
    shutil.move(written, output)


def main(arguments: list[str]) -> int:
    """Run; 0 good, else the last line on stderr says why not."""
    checkpoint, output, width, height = arguments
    restrict()
    try:
        export(Path(checkpoint), Path(output), (int(width), int(height)) if int(width) else None)
    except Exception as error:  # noqa: BLE001  whatever it is, whoever started this process has to be told
        print(f"{type(error).__name__}: {' '.join(str(error).split())[:LONGEST_FAULT]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
