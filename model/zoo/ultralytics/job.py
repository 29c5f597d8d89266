"""What the program in Ultralytics' environment is asked to do, and how far a run has come."""

import csv
import json
from dataclasses import asdict, dataclass
from pathlib import Path

WEIGHTS_NAME = "weights.json"
"""Says how often each training picture is shown beside the others, by its path."""
PARTS = 10
"""A training is so many epochs in Ultralytics' sense, of equal numbers of pictures; it goes on after each."""


@dataclass(frozen=True)
class Job:
    """What is to be done, as JSON on the command line."""

    definition: str
    """The file name of a model definition that Ultralytics brings."""
    run: str
    """The folder of the run."""
    data: str
    """The folder of the pictures (see `data.write_data`)."""
    shown: int
    input_px: int
    classes: int
    seed: int
    threads: int
    bf16: bool
    output: str = ""
    """The .onnx file to write."""

    def to_json(self) -> str:
        """As it stands on the command line."""
        return json.dumps(asdict(self))


def parts_done(run: Path) -> int:
    """The finished parts of a run."""
    return len(results_of(run))


def results_of(run: Path) -> list[dict[str, str]]:
    """The rows of results.csv, Ultralytics' own history of a run; none before the first part is finished."""
    path = run / "results.csv"
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
