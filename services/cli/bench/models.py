"""`sightline bench models`: the model beside those that it is compared with, in speed and in tables."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from services.cli.bench.tables import (
    DOCUMENT,
    TABLE_NAMES,
    DataOption,
    DocumentOption,
    FinderFileOption,
    NoTrainOption,
    OnlyOption,
    RunsOption,
    SeedOption,
    ShownOption,
    TableOption,
    TableRequest,
    ThreadsOption,
    make,
    refuse,
)
from services.cli.console import check_outputs, notes, output, progress, write_json
from services.cli.console import table as show_table
from services.cli.doctor_host import processor_name
from services.cli.model_commands import load_module
from services.core.errors import BadInputError

COLUMNS = ("network", "input", "M parameters", "GFLOPs", "median ms", "times as fast as YOLOv5")
STRIDE_PX, MOST_PX = 32, 4096
MOST_ROUNDS = 10_000


def models(
    speed: Annotated[
        bool, typer.Option("--speed", help="Measure GB-YOLO's speed against YOLOv5's of the same size.")
    ] = False,
    table: TableOption = None,
    sizes: Annotated[
        list[str] | None, typer.Option("--size", help="n or s, may be repeated (default: both).")
    ] = None,
    inputs_px: Annotated[
        list[int] | None,
        typer.Option("--input", help="Side of the pictures, may be repeated (default: 320, 416 and 640)."),
    ] = None,
    rounds: Annotated[
        int, typer.Option(min=1, max=MOST_ROUNDS, help="How often each network computes a picture.")
    ] = 15,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="File for every sample; - is stdout.")
    ] = None,
    data: DataOption = None,
    runs: RunsOption = None,
    only: OnlyOption = None,
    shown: ShownOption = None,
    seed: SeedOption = 0,
    threads: ThreadsOption = 1,
    no_train: NoTrainOption = False,
    finder_file: FinderFileOption = None,
    document: DocumentOption = DOCUMENT,
) -> None:
    """Compare GB-YOLO with YOLOv5 in speed, or all methods of a table in everything."""
    if speed == (table is not None):
        raise BadInputError(
            "there are two comparisons of models: give --speed, GB-YOLO's against YOLOv5's, or --table with "
            f"{TABLE_NAMES}"
        )
    if table is None:
        refuse(data=data, runs=runs, only=only, shown=shown, no_train=no_train, finder_file=finder_file)
        _compare_speed(sizes, inputs_px, rounds, json_file)
        return
    refuse(size=sizes, input=inputs_px)
    wanted = TableRequest(
        data or [], runs, document, only or [], shown, seed, threads, rounds, not no_train, finder_file
    )
    make(table, wanted, json_file)


def _compare_speed(
    sizes: Sequence[str] | None, inputs_px: Sequence[int] | None, rounds: int, json_file: Path | None
) -> None:
    if bad := [px for px in inputs_px or () if not STRIDE_PX <= px <= MOST_PX or px % STRIDE_PX]:
        raise BadInputError(f"an input of {bad[0]} pixels is no multiple of {STRIDE_PX} up to {MOST_PX}")
    check_outputs([json_file], [])
    measuring = load_module("evaluation.speed")
    if wrong := [size for size in sizes or () if size not in measuring.SIZES]:
        raise BadInputError(f"no size {wrong[0]!r}: give n or s")
    titles = {engine: measuring.title(engine) for engine in _at_hand(measuring)}
    speeds = _measured(
        measuring, sizes or measuring.SIZES, inputs_px or measuring.INPUTS_PX, list(titles), rounds
    )
    if json_file is not None:
        write_json(json_file, _samples(measuring, speeds, titles))
    if str(json_file) != "-":
        _show(measuring, speeds, titles, rounds)


def _at_hand(measuring: ModuleType) -> list[str]:
    """Give the engines that can be measured here, and say of each other one why not."""
    missing = {engine: measuring.why_missing(engine) for engine in measuring.ENGINES}
    for engine, reason in missing.items():
        if reason is not None:
            notes.print(f"{engine} is left out: {reason}")
    return [engine for engine, reason in missing.items() if reason is None]


def _measured(
    measuring: ModuleType,
    sizes: Sequence[str],
    inputs_px: Sequence[int],
    engines: Sequence[str],
    rounds: int,
) -> list[Any]:
    speeds: list[Any] = []
    total = len(sizes) * len(inputs_px) * len(engines) * len(measuring.CONTENDERS)
    with progress("measuring", total) as advance:
        for speed in measuring.measure(sizes, inputs_px, engines, rounds):
            speeds.append(speed)
            advance(len(speeds))
    return speeds


def _samples(measuring: ModuleType, speeds: Sequence[Any], titles: Mapping[str, str]) -> dict[str, object]:
    return {
        "processor": processor_name(),
        "engines": titles,
        "threads": 1,
        "clock": "processor time",
        "warm_up_rounds": measuring.WARM_UP_ROUNDS,
        "speeds": [
            {**asdict(speed), "median_ms": speed.median_ms, "times_yolov5": ratio}
            for speed, ratio in zip(speeds, measuring.ratios(speeds), strict=True)
        ],
    }


def _show(measuring: ModuleType, speeds: Sequence[Any], titles: Mapping[str, str], rounds: int) -> None:
    rows: dict[str, list[tuple[str, ...]]] = {engine: [] for engine in titles}
    for speed, ratio in zip(speeds, measuring.ratios(speeds), strict=True):
        rows[speed.engine].append(
            (
                f"{speed.architecture} {speed.size}",
                f"{speed.input_px}x{speed.input_px}",
                f"{speed.parameters / 1e6:.2f}",
                f"{speed.gflops:.2f}",
                f"{speed.median_ms:.1f}",
                f"{ratio:.2f}",
            )
        )
    for engine, of_engine in rows.items():
        show_table(f"{titles[engine]}, one thread on {processor_name()}", COLUMNS, of_engine)
    output.print(
        f"Processor time of a picture, the median of {rounds} rounds after {measuring.WARM_UP_ROUNDS} to "
        "warm up. In each round all networks of a size, engine and input compute the same picture, in a "
        "random order. They have the same input, head and activation (SiLU), and random weights; the "
        "selection of boxes is left out.",
        highlight=False,
    )
