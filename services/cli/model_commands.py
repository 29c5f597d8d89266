"""`sightline train`, `evaluate` and `export`: the model's own commands, which need the extra `train`."""

import importlib
import re
import shlex
import sys
from pathlib import Path
from shutil import rmtree
from types import ModuleType
from typing import Annotated

import typer

from services.cli.console import notes, output, progress
from services.core.errors import BadInputError
from services.demo.dataset import write_dataset

EXTRA_PACKAGES = {"torch", "torchvision", "onnx", "matplotlib", "sklearn"}

DEMO_SEEDS = range(1000, 1060)
DEMO_VALIDATION_SEEDS = range(1060, 1066)
DEMO_PICTURES_PER_SEED = 16
"""Rendered scenes for `--data demo`; those that tests and the shipped demo show have other seeds."""

DEMO_SOURCE = re.compile(r"(?P<prefix>(?P<task>\w+)=|)demo(?P<weight>(?:@.*)?)")
DEMO_OF_TASK = {"traffic": "traffic", "mask": "masks"}

DataOption = Annotated[
    list[Path],
    typer.Option(
        "--data",
        help="A folder of labelled pictures in YOLO form; FOLDER@WEIGHT shows it more or less often; "
        "TASK=FOLDER says its task in a joint training; demo stands for rendered scenes of the task. "
        "Evaluated on the first with images/val, and on the sources that are set aside to choose by.",
    ),
]
TaskOption = Annotated[
    str,
    typer.Option(
        help="traffic, mask, joint: both, the start of a fine-tuning; or own: the classes that data.yaml of "
        "the folders names, or --classes."
    ),
]
BackgroundOption = Annotated[
    list[Path] | None,
    typer.Option(help="Traffic folder; its pictures without a person teach the task mask what is no face."),
]
ClassesOption = Annotated[
    str, typer.Option(help="Names of the classes of --task own, in the order of their numbers: helmet,head.")
]


def train(
    data: DataOption,
    task: TaskOption = "traffic",
    architecture: Annotated[
        str, typer.Option(help="gbyolo, gbyolo-concat (the paper's concatenation), yolov5 or yolov4.")
    ] = "gbyolo",
    size: Annotated[str, typer.Option(help="Size of the network: n or s.")] = "n",
    minutes: Annotated[float | None, typer.Option(help="Length by the clock; 50 without --epochs.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Length of the training in epochs.")] = None,
    run: Annotated[Path, typer.Option(help="Folder of the run; the same folder again goes on.")] = Path(
        "runs/train"
    ),
    input_px: Annotated[int, typer.Option(help="Side of the training pictures in pixels.")] = 416,
    batch: Annotated[int, typer.Option(help="Pictures a step.")] = 16,
    lr: Annotated[float, typer.Option(help="Learning rate at its highest.")] = 2e-3,
    init: Annotated[
        Path | None, typer.Option(help="Checkpoint or .onnx file to start from, of this size or smaller.")
    ] = None,
    background: BackgroundOption = None,
    mosaic: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of pictures that are four in one; less for large objects."),
    ] = 0.7,
    classes: ClassesOption = "",
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    threads: Annotated[int, typer.Option(help="Processor threads at most.")] = 2,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that augment pictures; more beside a GPU.")
    ] = 1,
) -> None:
    """Train a GB-YOLO; stopped (exit 130) or killed at any moment, the same command goes on."""
    samples, training = load_module("data.samples"), load_module("training.train")
    if size not in ("n", "s"):
        raise BadInputError(f"no size {size!r}: give n or s")
    sources = tuple(samples.DataSource.parse(with_demo(str(folder), run, task)) for folder in data)
    settings = training.TrainConfig(
        data=sources,
        run=run,
        task=task,
        architecture=architecture,
        size=size,
        input_px=input_px,
        batch=batch,
        minutes=50.0 if minutes is None and epochs is None else minutes,
        epochs=epochs,
        learning_rate=lr,
        init=init,
        backgrounds=tuple(background or ()),
        mosaic=mosaic,
        seed=seed,
        threads=threads,
        workers=workers,
        classes=_classes(task, classes, [one.folder for one in sources]),
    )
    folder = training.train(settings, command=shlex.join(["sightline", *sys.argv[1:]]), console=notes)
    output.print(f"{folder}: best.pt, metrics.csv and plots", soft_wrap=True)


def with_demo(source: str, run: Path, task: str) -> str:
    """Turn `[TASK=]demo[@WEIGHT]` into a folder of the task's rendered scenes, made where it is missing."""
    found = DEMO_SOURCE.fullmatch(source)
    if found is None:
        return source
    demo = DEMO_OF_TASK.get(found["task"] or task)
    if demo is None:
        raise BadInputError("--data demo: a joint training wants traffic=demo or mask=demo, others have none")
    folder = run / ("demo" if demo == "traffic" else f"demo-{demo}")
    if not (folder / "labels" / "val").is_dir():
        with notes.status("rendering the demo's scenes"):
            _render(folder, demo)
    return f"{found['prefix']}{folder}{found['weight']}"


def _render(folder: Path, demo: str) -> None:
    """Write the scenes whole: a folder that somebody stopped half-way would be taken for all of them."""
    draft = folder.with_name(f"{folder.name}-unfinished")
    try:
        rmtree(draft, ignore_errors=True)
        write_dataset(draft, DEMO_SEEDS, DEMO_PICTURES_PER_SEED, DEMO_VALIDATION_SEEDS, demo=demo)
        rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    except OSError as error:
        raise BadInputError(f"{folder} cannot be written: {error.strerror}") from error


def _classes(task: str, said: str, folders: list[Path]) -> tuple[str, ...]:
    """The classes of a person's own task; of others what was said, which the training refuses."""
    names = tuple(said.split(",")) if said else ()
    if task != load_module("training.config").OWN:
        return names
    found: tuple[str, ...] = load_module("data.own_classes").own_classes(folders, names)
    return found


def evaluate(
    model: Annotated[Path, typer.Argument(help="An .onnx file or a checkpoint.")],
    data: Annotated[Path, typer.Option(help="A folder of labelled pictures in YOLO form.")],
    split: Annotated[
        str,
        typer.Option(
            help="train; test: a third of the folder val, by name, on which nothing is chosen; val: its "
            "rest, and sources set aside to choose by; unseen: sources that only measure."
        ),
    ] = "val",
    task: Annotated[str | None, typer.Option(help="Head of a joint training.")] = None,
    errors: Annotated[
        Path | None, typer.Option(help="Folder for pictures and a list of the worst errors.")
    ] = None,
) -> None:
    """Measure a model on labelled pictures: precision by class and object size, as a model card states it."""
    done = 0
    with progress(f"evaluating {model.name}", None) as advance:

        def step(count: int) -> None:
            nonlocal done
            done += count
            advance(done)

        report = load_module("evaluation.evaluate").evaluate_model(
            model, data, split=split, task=task, errors=errors, step=step
        )
    output.print(f"{model.name} on {data.name}, {split}\n", markup=False, highlight=False)
    output.print(report.markdown(), soft_wrap=True, markup=False, highlight=False)
    if errors is not None:
        table = (errors / "errors.md").read_text()
        output.print(f"\n{table}", soft_wrap=True, markup=False, highlight=False)
        output.print(f"{errors}: errors.csv and the worst of each kind", soft_wrap=True)


def export(
    checkpoint: Annotated[Path, typer.Argument(help="checkpoint.pt (the last weights) or best.pt of a run.")],
    model_file: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The .onnx file to write.")],
    width: Annotated[int, typer.Option(help="Width of the network's input.")] = 640,
    height: Annotated[int, typer.Option(help="Height of the network's input.")] = 384,
    confidence: Annotated[float, typer.Option("--conf", help="Confidence to suggest.")] = 0.25,
    task: Annotated[str | None, typer.Option(help="Head of a joint training.")] = None,
    half: Annotated[
        bool,
        typer.Option("--half", help="Store the weights as float16: half the size, the same speed."),
    ] = False,
) -> None:
    """Write a checkpoint as ONNX with its classes, input size and thresholds."""
    exporting = load_module("export.writing")
    settings = exporting.ExportConfig(
        checkpoint, model_file, task=task, width=width, height=height, confidence=confidence, half=half
    )
    exporting.export_model(settings)
    output.print(f"{model_file}", soft_wrap=True)


def load_module(name: str) -> ModuleType:
    """Load `model.NAME`; BadInputError names the command that installs what is missing."""
    try:
        return importlib.import_module(f"model.{name}")
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package in EXTRA_PACKAGES:
            raise BadInputError(
                f"{package} is missing: run scripts/setup.sh --train in Sightline's folder"
            ) from error
        raise
