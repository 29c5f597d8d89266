"""What the web service reports of the whole system; the composition root knows it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from services.common.leases.protocol import RUNNING
from services.common.metrics import Figure
from services.core.sentences.sentence import Sentence


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How one service is doing: it runs, or what is wrong."""

    name: str
    status: Sentence = RUNNING


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that cameras may name."""

    name: str
    classes: tuple[str, ...]


def _nothing_to_check(name: str) -> None:
    """Take any model name."""


def _unknown() -> None:
    """Know nothing."""


@dataclass(frozen=True, slots=True)
class SystemInfo:
    """Facts and questions that only the composition root can answer."""

    version: str
    database: str
    """The kind of database, like `embedded (SecantusDB)`."""
    started_s: float
    address: str = ""
    services: Callable[[], Sequence[ServiceState]] = tuple
    models: Callable[[], Sequence[ModelEntry]] = tuple
    check_model: Callable[[str], object] = field(default=_nothing_to_check)
    """Raises BadInputError for a model that no detector can load."""
    sees_files: bool = True
    """Whether cameras that are files lie on this machine; else only `ingest` knows."""
    free_bytes: Callable[[], int | None] = field(default=_unknown)
    """What is free on the database's disk, where this process knows more than the database reports."""
    space: Callable[[], Sentence | None] = field(default=_unknown)
    """What is not stored any more for want of room; None while everything is."""
    missing: Callable[[], Sequence[Sentence]] = tuple
    """What keeps the system from answering as it was asked to, beside the database."""
    figures: Callable[[], Iterable[Figure]] = tuple
    """Figures of the other services of this process, for `/metrics`."""
