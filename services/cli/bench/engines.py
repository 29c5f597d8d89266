"""`sightline bench engines`: what computes the models fastest on this machine, checked and remembered."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.console import check_outputs, notes, output, progress, table, write_json
from services.cli.data_folder import engine_folder
from services.cli.doctor_host import processor_name
from services.core.costs import EngineTrial
from services.core.errors import BadInputError
from services.detector.infer.agreement import BOUNDS
from services.detector.infer.catalogue import THREADS
from services.detector.infer.measuring import Measurement
from services.detector.infer.memory import FILE
from services.detector.infer.models import ALIASES, model_path
from services.detector.infer.select import EngineSettings, measure_and_remember

COLUMNS = ("engine", "type", "ms", "cpu ms", "scores", "boxes", "result")
SHORT = {
    "trial-reference": "reference",
    "trial-right": "right",
    "trial-differs": "computes something else",
    "trial-unable": "cannot compute it",
}
ROUNDS = 25
MOST_ROUNDS = 10_000


def engines(
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="A model, may be repeated (default: traffic and mask)."),
    ] = None,
    rounds: Annotated[
        int, typer.Option(min=1, max=MOST_ROUNDS, help="How often each engine computes a picture.")
    ] = ROUNDS,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="File for every sample; - is stdout.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Data folder in which the choice is remembered (as of `up`).")
    ] = None,
) -> None:
    """Measure the engines at hand, interleaved, check each against float32, and remember the choice."""
    settings = EngineSettings(engine_folder(data))
    measured: dict[str, Measurement] = {}
    paths = [model_path(model) for model in models or ALIASES]
    check_outputs((json_file,), paths)
    for path in dict.fromkeys(paths):
        with progress(f"measuring {path.stem}", rounds) as advance:
            name = path.stem if path.stem not in measured else str(path)
            measured[name] = measure_and_remember(path, settings, rounds, advance)
    if json_file is not None:
        write_json(json_file, _report(measured, rounds))
    if str(json_file) != "-":
        for name, measurement in measured.items():
            _show(name, measurement)
        _explain(rounds)
    _say_where(settings)


def _report(measured: dict[str, Measurement], rounds: int) -> dict[str, Any]:
    return {
        "processor": processor_name(),
        "threads": THREADS,
        "rounds": rounds,
        "bounds": {precision: asdict(bound) for precision, bound in BOUNDS.items()},
        "models": {
            name: {
                "chosen": measurement.choice.chosen,
                "reason_code": measurement.choice.code,
                "engines": [asdict(trial) for trial in measurement.choice.tried],
                "samples_ms": {
                    engine: [{"wall": round(wall, 3), "processor": round(cpu, 3)} for wall, cpu in samples]
                    for engine, samples in measurement.samples.items()
                },
            }
            for name, measurement in measured.items()
        },
    }


def _show(name: str, measurement: Measurement) -> None:
    choice = measurement.choice
    table(
        f"{name} on {processor_name()}: {choice.chosen}, since {choice.reason}",
        COLUMNS,
        [_row(trial, trial.engine == choice.chosen) for trial in choice.tried],
    )


def _row(trial: EngineTrial, is_chosen: bool) -> tuple[str, ...]:
    figures = ((trial.ms, 1), (trial.cpu_ms, 1), (trial.difference, 4), (trial.overlap, 3))
    cells = ("-" if value is None else f"{value:.{digits}f}" for value, digits in figures)
    result = SHORT.get(trial.code, trial.reason)
    return trial.engine, trial.precision, *cells, f"{result}, chosen" if is_chosen else result


def _explain(rounds: int) -> None:
    bounds = "; ".join(
        f"{precision} {bound.score:g} and {bound.overlap:g}" for precision, bound in BOUNDS.items()
    )
    output.print(
        f"One thread, medians of {rounds} rounds in which each engine computes a picture in turn: time, and "
        "processor time. Beside them stand the largest difference of a score from ONNX Runtime's in float32, "
        "and the least overlap of a detection with its counterpart, on rendered pictures. To be chosen, an "
        f"engine has to be within: {bounds}. Those of the processor are compared by processor time (cpu "
        "ms), which other work on the machine changes little, those of a graphics card by time (ms).",
        highlight=False,
    )


def _say_where(settings: EngineSettings) -> None:
    assert settings.folder is not None
    if not (settings.folder / FILE).is_file():
        raise BadInputError(f"{settings.folder} takes no file: the choice is not remembered")
    notes.print(f"remembered in {settings.folder}", highlight=False, soft_wrap=True)
