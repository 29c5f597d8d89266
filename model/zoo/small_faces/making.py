"""The table `small-faces`: trains what is not trained and measures all rows on the same pictures."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from model.evaluation.speed import ONNX_RUNTIME as ENGINE
from model.evaluation.speed import WARM_UP_ROUNDS, title
from model.network.checkpoint import FILE_NAME
from model.zoo.rival import Rival, Schedule
from model.zoo.small_faces.measuring import CROWDS, FacesFigures, judge_row, load_scenes, time_rows
from model.zoo.small_faces.plots import draw_plots
from model.zoo.small_faces.rows import INPUT_PX, LONG, make_rows, use_threads
from model.zoo.small_faces.training import HISTORY_NAME, read_history
from model.zoo.small_faces.words import columns, introduction, notes, row_of
from model.zoo.table import Table, TableSettings
from services.core.errors import BadInputError

KEY = "small-faces"
SHOWN = 6000
MEASURING_SHARE = 0.1
"""Of a row's progress bar: what the measuring takes beside a training."""

Step = Callable[[str, float], None]


def make_table(settings: TableSettings, step: Step) -> Table:
    """Train and measure the rows, draw the plots, write the samples of the timing, and give the table.

    `step` is called with the name of a row and the share of it that is done. Raises BadInputError for
    a name that is no row, data without crowds, and where no row has weights; ConflictError where a folder
    holds a run with another schedule.
    """
    rivals = chosen_rows(settings.only)
    schedule = Schedule(settings.shown or SHOWN, INPUT_PX, settings.seed, settings.threads)
    scenes = load_scenes(settings.data)
    asked, rivals = rivals, [one for one in rivals if make_ready(one, settings, schedule, step)]
    if not rivals:
        raise BadInputError("no row of the table has weights: let them be trained, without --no-train")
    use_threads(settings.threads)
    total = sum(len(samples) for samples in scenes.values())
    rows = []
    for rival in rivals:
        done = 0

        def advance(name: str = rival.name) -> None:
            nonlocal done
            done += 1
            step(name, 1 - MEASURING_SHARE + MEASURING_SHARE * done / total)

        judged, fates = judge_row(rival, scenes, advance)
        rows.append(FacesFigures(rival.name, rival.title, judged, fates, rival.cost()))
    samples = time_rows(rivals, scenes[CROWDS][0], INPUT_PX, settings.rounds)
    rows = [replace(row, samples_ms=one) for row, one in zip(rows, samples, strict=True)]
    histories = {row.name: read_history(settings.runs / row.name / HISTORY_NAME) for row in rows}
    if settings.samples_file is not None:
        write_samples(rows, settings)
    missing = [one.name for one in asked if one not in rivals]
    return Table(
        key=KEY,
        title="Small faces: RetinaNet, what each of its parts brings, and GB-YOLO",
        introduction=introduction(scenes, schedule, missing),
        columns=columns(),
        rows=[row_of(row, histories[row.name]) for row in rows],
        notes=notes(rows),
        plots=draw_plots(rows, histories, settings.document.parent / settings.document.stem),
    )


def check_rows(only: Sequence[str]) -> None:
    """Raise BadInputError, before anything is made ready, for the name of a row that there is not."""
    chosen_rows(only)


def chosen_rows(only: Sequence[str]) -> list[Rival]:
    """The rows of the table, or those that were asked for; BadInputError names what there is."""
    rivals = make_rows()
    names = [one.name for one in rivals]
    if wrong := [name for name in only if name not in names]:
        raise BadInputError(f"the table {KEY} has no row {wrong[0]!r}, there are {', '.join(names)}")
    return [one for one in rivals if not only or one.name in only]


def make_ready(rival: Rival, settings: TableSettings, schedule: Schedule, step: Step) -> bool:
    """Train a row where that is asked for, and load it; False where it has no weights."""
    run = settings.runs / rival.name
    if settings.trains:
        rival.train(
            settings.data, run, schedule, lambda share: step(rival.name, share * (1 - MEASURING_SHARE))
        )
    elif rival.name != LONG and not (run / FILE_NAME).exists():
        return False
    rival.load(run)
    return True


def write_samples(rows: Sequence[FacesFigures], settings: TableSettings) -> None:
    """Writes every sample of the timing as JSON."""
    assert settings.samples_file is not None
    content = {
        "table": KEY,
        "engine": title(ENGINE),
        "torch": torch.__version__,
        "threads": 1,
        "clock": "processor time",
        "warm_up_rounds": WARM_UP_ROUNDS,
        "input_px": INPUT_PX,
        "rows": [
            {"name": row.name, "median_ms": row.median_ms, "samples_ms": row.samples_ms} for row in rows
        ],
    }
    settings.samples_file.parent.mkdir(parents=True, exist_ok=True)
    settings.samples_file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
