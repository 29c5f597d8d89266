"""What the web service reports of the whole system; the composition root knows it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from services.common.leases.protocol import RUNNING
from services.common.metrics import Figure
from services.common.queues import QueueState
from services.common.recent_log import RecentLog
from services.core.costs import EngineChoice
from services.core.sentences.sentence import Sentence


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How one service is doing: it runs, or what is wrong."""

    name: str
    status: Sentence = RUNNING
    role: str = ""
    """Which service it is, where the name is that of one of its processes."""
    queues: tuple[QueueState, ...] = ()
    elsewhere: Sentence | None = None
    """Where to look for its queues, where this process does not know them."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that cameras may name."""

    name: str
    classes: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    """Names of tasks that stand for it."""
    task: str = ""
    is_file: bool = False
    """Whether its name is the path of a file that somebody has brought: a viewer sees none."""


@dataclass(frozen=True, slots=True)
class DiskState:
    """The disk of what lasts."""

    path: str
    """The folder; empty where only the database knows."""
    free_bytes: int
    used_bytes: int
    total_bytes: int


Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class SystemFinding:
    """Something that was looked at, and how it is."""

    id: str
    what: Sentence
    """What was found."""
    level: Level


def _nothing_to_check(name: str) -> None:
    """Take any model name."""


def _not_known(name: str) -> None:
    """Know no file."""


def _unknown() -> None:
    """Know nothing."""


def _no_versions() -> Mapping[str, str]:
    return {}


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
    classes_of: Callable[[str], Sequence[str] | None] = field(default=_not_known)
    """Gives what the model of a name finds; None where its file is not seen from here."""
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
    process: str = "web"
    """Which process this is, for people: `up` or `web`, and its machine."""
    own_name: str = "web"
    """The name of this service among `services`."""
    elsewhere: Sentence | None = None
    """Where to look for what this process does not know; None where it is all there is."""
    engines: Callable[[], Sequence[EngineChoice]] = tuple
    """Engines that were chosen in this process; those of others come with the costs of their cameras."""
    disk: Callable[[], DiskState | None] = field(default=_unknown)
    """The disk of the data folder; None where only the database knows."""
    versions: Callable[[], Mapping[str, str]] = field(default=_no_versions)
    """Versions of what this process runs on."""
    log: RecentLog = field(default_factory=RecentLog)
    findings: Callable[[], Sequence[SystemFinding]] = tuple
    """Looks at the host as `sightline doctor` does; it blocks for some seconds at most."""
