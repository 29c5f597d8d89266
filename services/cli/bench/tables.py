"""`sightline bench models --table`: all methods of a table side by side, trained where they are not yet."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from services.cli.console import check_outputs, notes, output, progress
from services.cli.model_commands import load_module, with_demo
from services.core.errors import BadInputError

TABLES = {
    "detectors": "zoo.detectors.making",
    "classifiers": "zoo.classifiers.making",
    "small-faces": "zoo.small_faces.making",
}
"""The modules that make the tables, by key."""
TABLE_NAMES = "detectors, classifiers or small-faces"
RUNS = Path("runs/zoo")
DOCUMENT = Path("docs/benchmarks.md")
MOST_SHOWN, MOST_THREADS, LARGEST_SEED = 100_000_000, 256, 2**32 - 1
STEPS = 1000
"""Of a progress bar."""

TableOption = Annotated[
    str | None,
    typer.Option(
        "--table",
        metavar="KEY",
        help=f"Make a table of methods: {TABLE_NAMES}. Rows that have no weights are trained first, which "
        "takes hours; stopped at any moment, the same command goes on.",
    ),
]
DataOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FOLDER",
        help="For --table: labelled faces in YOLO form, may be repeated; FOLDER@WEIGHT shows them more or "
        "less often, demo stands for rendered scenes. Measured on the split val of the first with "
        "images/val, and on the split unseen.",
    ),
]
RunsOption = Annotated[
    Path | None, typer.Option(help="For --table: folder of the trainings (default: runs/zoo/KEY).")
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option(metavar="ROW", help="For --table: make it of this row alone; may be repeated."),
]
ShownOption = Annotated[
    int | None,
    typer.Option(min=1, max=MOST_SHOWN, help="For --table: how many pictures each training shows."),
]
SeedOption = Annotated[
    int, typer.Option(min=0, max=LARGEST_SEED, help="For --table: seed of everything random.")
]
ThreadsOption = Annotated[int, typer.Option(min=1, max=MOST_THREADS, help="For --table: processor threads.")]
NoTrainOption = Annotated[
    bool, typer.Option("--no-train", help="For --table: leave out rows that have no weights.")
]
FinderFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="For --table classifiers: the known face detector of Caffe, a .caffemodel beside its .prototxt.",
    ),
]
DocumentOption = Annotated[
    Path, typer.Option(metavar="FILE", help="For --table: Markdown file that gets the table.")
]


@dataclass(frozen=True)
class TableRequest:
    """What the command line asks of a table, as it stands there."""

    data: Sequence[str]
    runs: Path | None
    document: Path
    only: Sequence[str]
    shown: int | None
    seed: int
    threads: int
    rounds: int
    trains: bool
    finder_file: Path | None = None


def refuse(**options: object) -> None:
    """Raise BadInputError for an option that belongs to the other comparison of models."""
    if given := [name for name, value in options.items() if value]:
        raise BadInputError(f"--{given[0].replace('_', '-')} is not for this comparison of models")


def make(key: str, wanted: TableRequest, json_file: Path | None) -> None:
    """Make a table with a bar for each row, and put it into the document; BadInputError for what is amiss."""
    if key not in TABLES:
        raise BadInputError(f"no table {key!r}: give {TABLE_NAMES}")
    if not wanted.data:
        raise BadInputError("a table is made from labelled pictures: give --data FOLDER, or --data demo")
    if wanted.finder_file is not None and key != "classifiers":
        raise BadInputError("--finder-file is for the table classifiers")
    check_outputs([wanted.document, json_file], [wanted.finder_file])
    _check_document(wanted.document)
    making, writing = load_module(TABLES[key]), load_module("zoo.table")
    making.check_rows(wanted.only)
    runs = wanted.runs or RUNS / key
    data = _sources(wanted.data, runs)
    with _samples_file(json_file) as samples_file, progress_of_rows() as step:
        settings = writing.TableSettings(
            data=data,
            runs=runs,
            document=wanted.document,
            only=tuple(wanted.only),
            shown=wanted.shown,
            seed=wanted.seed,
            threads=wanted.threads,
            rounds=wanted.rounds,
            trains=wanted.trains,
            samples_file=samples_file,
            finder_file=wanted.finder_file,
        )
        made = making.make_table(settings, step)
        writing.write_table(made, settings.document)
    if str(json_file) != "-":
        output.print(f"{settings.document}: {len(made.rows)} rows of the table {key}", soft_wrap=True)


def _sources(given: Sequence[str], runs: Path) -> tuple[Any, ...]:
    """Read where the pictures are, and make the folder of the trainings, in which demo's are rendered."""
    parse = load_module("data.samples").DataSource.parse
    for source in given:
        parse(source)
    try:
        runs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"--runs {runs} cannot be made: {error.strerror}") from error
    return tuple(parse(with_demo(source, runs, "mask")) for source in given)


@contextmanager
def _samples_file(json_file: Path | None) -> Iterator[Path | None]:
    """Give the file for every sample; what is written for `-` is shown on stdout at the end."""
    if str(json_file) != "-":
        yield json_file
        return
    with TemporaryDirectory() as scratch:
        samples = Path(scratch) / "samples.json"
        yield samples
        sys.stdout.write(samples.read_text(encoding="utf-8"))


def _check_document(document: Path) -> None:
    """Refuse, before hours of work, a file that takes no table. Its name without .md is its plots' folder."""
    if document.suffix != ".md":
        raise BadInputError(f"--document {document}: give a Markdown file, whose name ends with .md")
    if document.exists():
        try:
            document.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInputError(f"--document {document} is no text that can be read") from error


@contextmanager
def progress_of_rows() -> Iterator[Callable[[str, float], None]]:
    """Show a bar for the row at work; the given function is called with its name and the share done.

    Without a terminal a line is printed where another row begins.
    """
    with ExitStack() as stack:
        at_work = ""
        advance: Callable[[int], None] | None = None

        def step(name: str, share: float) -> None:
            nonlocal at_work, advance
            if name != at_work:
                stack.close()
                at_work, advance = name, stack.enter_context(progress(name, STEPS))
                if not notes.is_terminal:
                    notes.print(name, markup=False, highlight=False)
            if advance is not None:
                advance(round(share * STEPS))

        yield step
