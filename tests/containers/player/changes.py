"""The list of what may be played otherwise than in a cluster, and what a run is judged by."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tests.containers.player.fields import Change

ALLOWED = Path(__file__).with_name("allowed_changes.txt")


@dataclass(frozen=True)
class Allowed:
    """A line of the list: objects and paths by patterns, and why the difference does no harm."""

    objects: str
    path: str
    why: str

    def covers(self, change: Change) -> bool:
        """Whether the line allows a change."""
        return fnmatchcase(change.object, self.objects) and fnmatchcase(change.path, self.path)


def read_allowed(file: Path = ALLOWED) -> list[Allowed]:
    """The list; every line of it has a reason."""
    allowed = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            place, _, why = line.partition("  # ")
            objects, path = place.split()
            allowed.append(Allowed(objects, path, why.strip()))
    return allowed


def problems(changes: Iterable[Change], allowed: Iterable[Allowed]) -> list[str]:
    """What is played otherwise and not on the list, and what is on the list for nothing."""
    lines, found = list(allowed), list(changes)
    unlisted = [
        f"not on the list: {c.object} {c.path} ({c.played})" for c in found if not _covering(c, lines)
    ]
    unused = [
        f"on the list for nothing: {a.objects} {a.path}" for a in lines if not any(map(a.covers, found))
    ]
    unexplained = [f"on the list without a reason: {a.objects} {a.path}" for a in lines if not a.why]
    return [*unlisted, *unused, *unexplained]


def table(changes: Iterable[Change], allowed: Iterable[Allowed]) -> str:
    """For people: each field that is played otherwise, in which objects, how and why."""
    lines = list(allowed)
    rows: dict[tuple[str, str, str], list[str]] = {}
    for change in changes:
        covering = _covering(change, lines)
        row = (
            covering.path if covering else change.path,
            change.played,
            covering.why if covering else "NOT LISTED",
        )
        rows.setdefault(row, []).append(change.object)
    return "\n".join(
        f"{path}\n    {played}: {why}\n    in {', '.join(sorted(set(objects)))}"
        for (path, played, why), objects in sorted(rows.items())
    )


def _covering(change: Change, allowed: list[Allowed]) -> Allowed | None:
    return next((line for line in allowed if line.covers(change)), None)
