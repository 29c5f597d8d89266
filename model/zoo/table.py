"""A table of methods: what it is made with, and its place in the document."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from model.data.samples import DataSource


@dataclass(frozen=True)
class TableSettings:
    """What `sightline bench models --table` was asked for."""

    data: tuple[DataSource, ...]
    runs: Path
    """A folder for the runs of this table, one for each row."""
    document: Path
    """The Markdown file that gets the table; plots lie in the folder beside it that has its name."""
    only: tuple[str, ...] = ()
    """Names of rows; empty stands for all."""
    shown: int | None = None
    """Other than the table's own schedule."""
    seed: int = 0
    threads: int = 1
    rounds: int = 15
    trains: bool = True
    """Whether rows without weights are trained; else they are left out, which the table says."""
    samples_file: Path | None = None
    """JSON for every raw sample of the timing."""
    finder_file: Path | None = None
    """The known Caffe file of SSD-ResNet10 (.caffemodel, its .prototxt beside it), as one more finder."""


@dataclass(frozen=True)
class Plot:
    """A picture of figures; none of a data set."""

    file: str
    """In the folder of plots: `detectors-accuracy.svg`."""
    caption: str


@dataclass(frozen=True)
class Table:
    """What stands in the document between the marks of its key."""

    key: str
    """`detectors`, `classifiers` or `small-faces`."""
    title: str
    introduction: str
    """Markdown: data, schedule, and the command that makes the table anew."""
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: str
    """Markdown: what can and cannot be compared, and why the order is what it is."""
    plots: Sequence[Plot] = field(default_factory=tuple)

    def markdown(self, plots_folder: str = "benchmarks") -> str:
        """The section of the document, beside which the folder of plots lies."""
        head = "| " + " | ".join(self.columns) + " |\n|" + " --- |" * len(self.columns)
        body = "\n".join("| " + " | ".join(row) + " |" for row in self.rows)
        plots = "\n\n".join(f"![{plot.caption}]({plots_folder}/{plot.file})" for plot in self.plots)
        parts = (f"## {self.title}", self.introduction, f"{head}\n{body}", self.notes, plots)
        return "\n\n".join(part for part in parts if part) + "\n"


def write_table(table: Table, document: Path) -> None:
    """Put a table into the document in place of what it held between the table's marks, else at its end."""
    begin, end = f"<!-- table: {table.key} -->\n", f"<!-- end: {table.key} -->\n"
    text = document.read_text(encoding="utf-8") if document.exists() else "# Benchmarks\n"
    section = f"{begin}{table.markdown(document.stem)}{end}"
    if begin in text and end in text:
        before, _, rest = text.partition(begin)
        text = before + section + rest.partition(end)[2]
    else:
        text = f"{text.rstrip()}\n\n{section}"
    document.write_text(text, encoding="utf-8")
