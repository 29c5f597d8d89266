"""What the command line shows: progress bars and tables on stderr and stdout, JSON to files."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from services.common.files import write_whole
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


def write_json(path: Path, data: Any) -> None:
    """Write JSON whole or not at all; `-` is stdout. BadInputError when the place cannot be written."""
    text = json.dumps(data, indent=1) + "\n"
    if str(path) == "-":
        sys.stdout.write(text)
        return
    try:
        write_whole(path, text, mode=0o644)
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror}") from error
