"""Reads an object of the manifests field by field, so that none is dropped unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.k8s.checks.manifest import label


class Unplayable(Exception):
    """The manifests hold something that the player does not know how to play."""


@dataclass(frozen=True, order=True)
class Change:
    """A field that is not played as a cluster would."""

    object: str
    """Like `Deployment/web`."""
    path: str
    """Like `spec.strategy`; `*` is the whole object."""
    played: str = "left out"


class Fields:
    """The fields of one mapping; whoever reads it takes each away, and the end finds what nobody took."""

    def __init__(self, values: Mapping[str, Any], owner: str, path: str, changes: list[Change]) -> None:
        self._values = dict(values)
        self._changes = changes
        self.owner = owner
        self.path = path

    def take(self, name: str, default: Any = None) -> Any:
        """A value, which is now the caller's."""
        return self._values.pop(name, default)

    def need(self, name: str) -> Any:
        """A value that has to be there."""
        if name not in self._values:
            raise Unplayable(f"{self._place(name)} is absent")
        return self._values.pop(name)

    def expect(self, name: str, *allowed: Any) -> None:
        """Take a value of which only some can be played; None in them: it may be absent."""
        value = self.take(name)
        if value not in allowed:
            raise Unplayable(f"{self._place(name)} is {value!r}; only {allowed} can be played")

    def leave(self, *names: str) -> None:
        """Values that are not played, which the list of changes then tells."""
        for name in names:
            if self._values.pop(name, None) is not None:
                self.change(name)

    def change(self, name: str, played: str = "left out") -> None:
        """Tell of a field that is played in another way than a cluster's."""
        self._changes.append(Change(self.owner, f"{self.path}.{name}".lstrip("."), played))

    @contextmanager
    def inner(self, name: str) -> Iterator[Fields]:
        """The fields of a mapping in it (empty where absent), all of which the block has to take."""
        fields = self._fields(self.take(name) or {}, name)
        yield fields
        fields._end()

    def each(self, name: str) -> Iterator[Fields]:
        """The fields of each mapping of a list, all of which the loop's body has to take."""
        for number, values in enumerate(self.take(name) or []):
            own_name = values.get("name") or values.get("metadata", {}).get("name") or number
            fields = self._fields(values, f"{name}.{own_name}")
            yield fields
            fields._end()

    def _fields(self, values: Mapping[str, Any], name: str) -> Fields:
        return Fields(values, self.owner, f"{self.path}.{name}".lstrip("."), self._changes)

    def _end(self) -> None:
        if self._values:
            places = ", ".join(self._place(name) for name in self._values)
            raise Unplayable(f"the player does not know {places}")

    def _place(self, name: str) -> str:
        return f"{self.owner} {self.path}.{name}"


@contextmanager
def reading(values: Mapping[str, Any], changes: list[Change]) -> Iterator[Fields]:
    """The fields of a whole object, its identity and state aside."""
    data = {k: v for k, v in values.items() if k not in ("apiVersion", "kind", "metadata", "status")}
    fields = Fields(data, label(values), "", changes)
    yield fields
    fields._end()
