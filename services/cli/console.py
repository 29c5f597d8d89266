"""What the command line shows: progress bars and tables on stderr and stdout, JSON to files."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from services.common.files import is_same_file, write_whole
from services.core.errors import BadInputError

output = Console()
notes = Console(stderr=True)


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar while something long runs, on a terminal; the given function reports how far it is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal) as bar:
        task = bar.add_task(escape(shown(title)), total=total)
        yield lambda completed: bar.update(task, completed=completed)


def warn(text: str) -> None:
    """Print a warning in one line on stderr, whatever characters it holds."""
    line = " ".join(shown(f"warning: {text}").split())
    notes.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)


def shown(text: str) -> str:
    """Give a text as a terminal can show it: the name of a file may be no text at all."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    view = Table(title=Text(shown(title)), title_justify="left")
    for column in columns:
        view.add_column(column)
    for row in rows:
        view.add_row(*(Text(shown(cell)) for cell in row))
    output.print(view)


def check_outputs(outputs: Sequence[Path | None], inputs: Iterable[Path | None]) -> None:
    """Look, before long work begins, whether its results have a place; BadInputError says which has none.

    Nothing is written over what is read, nor twice to one file. `-` is stdout.
    """
    places = [path for path in outputs if path is not None and str(path) != "-"]
    for number, path in enumerate(places):
        if any(one is not None and is_same_file(path, one) for one in inputs):
            raise BadInputError(f"{path} is what is read: give another file to write to")
        if any(is_same_file(path, one) for one in places[:number]):
            raise BadInputError(f"{path} cannot be written twice: give each result a file of its own")
        if not path.parent.is_dir():
            raise BadInputError(f"{path} cannot be written: there is no folder {path.parent}")
        if path.is_dir():
            raise BadInputError(f"{path} is a folder: give the file to write to")
        if not os.access(path.parent, os.W_OK) and not _is_special(path):
            raise BadInputError(f"{path} cannot be written: Permission denied")


def _is_special(path: Path) -> bool:
    """Return whether it is a pipe or a device, which is written to and never replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def write_json(path: Path, data: Any) -> None:
    """Write JSON whole or not at all; `-` is stdout. BadInputError when the place cannot be written."""
    text = json.dumps(data, indent=1) + "\n"
    if str(path) == "-":
        sys.stdout.write(text)
        return
    try:
        if _is_special(path):
            path.write_text(text, encoding="utf-8")
        else:
            write_whole(path, text, mode=0o644)
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror}") from error
