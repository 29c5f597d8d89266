"""The objects that the server keeps."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.k8s.api_server.progress import rolled_out
from tests.k8s.api_server.status import Document

Key = tuple[str, str | None, str]
"""Plural of the kind, namespace, name."""

UNTOUCHED = ("resourceVersion", "generation")


@dataclass(frozen=True, slots=True)
class Change:
    """One change, as a watch tells it."""

    revision: int
    kind: str
    key: Key
    document: Document


def _namespace(name: str) -> Document:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


@dataclass
class Store:
    """Everything by kind, namespace and name, with a revision that grows with each change."""

    objects: dict[Key, Document] = field(default_factory=dict)
    applied: dict[tuple[Key, str], Document] = field(default_factory=dict)
    """What each field manager has last applied on the server's side."""

    changes: list[Change] = field(default_factory=list)

    @property
    def revision(self) -> int:
        return len(self.changes)

    def __post_init__(self) -> None:
        for name in ("default", "kube-system"):
            self.keep(("namespaces", None, name), _namespace(name))

    def find(self, plural: str, namespace: str | None, name: str) -> Document | None:
        return self.objects.get((plural, namespace, name))

    def all(self, plural: str, namespace: str | None = None) -> list[Document]:
        """All objects of a kind, of one namespace or of every one."""
        return [
            document
            for key, document in self.objects.items()
            if key[0] == plural and namespace in (None, key[1])
        ]

    def stamped(self, key: Key, document: Document) -> Document:
        """Give the object with what the server says about it; the stored one itself when nothing changes."""
        old = self.objects.get(key)
        metadata = {name: value for name, value in document["metadata"].items() if value is not None}
        if key[1] is not None:
            metadata["namespace"] = key[1]
        known: Document = old["metadata"] if old else {"uid": str(uuid.uuid4()), "creationTimestamp": _now()}
        for name in ("uid", "creationTimestamp"):
            metadata[name] = known[name]
        same_spec = old is not None and old.get("spec") == document.get("spec")
        generation = known.get("generation", 0) + (not same_spec)
        new = rolled_out({**document, "metadata": metadata | {"generation": generation}})
        if old is not None and _bare(old) == _bare(new):
            return old
        metadata = new["metadata"] | {"resourceVersion": str(self.revision + 1)}
        return {**new, "metadata": metadata}

    def keep(self, key: Key, document: Document) -> Document:
        """Store an object and give it as it is stored."""
        stamped = self.stamped(key, document)
        old = self.objects.get(key)
        if stamped is not old:
            self._note("MODIFIED" if old else "ADDED", key, stamped)
            self.objects[key] = stamped
        return stamped

    def delete(self, key: Key) -> None:
        """Remove an object. A namespace with its objects goes later, as in a cluster."""
        if key[0] == "namespaces":
            document = self.objects[key]
            ending = {"metadata": {**document["metadata"], "deletionTimestamp": _now()}}
            self.keep(key, {**document, **ending, "status": {"phase": "Terminating"}})
        else:
            self.remove(key)

    def end_terminated(self) -> None:
        """Let the namespaces go that are being deleted."""
        for document in self.all("namespaces"):
            if "deletionTimestamp" in document["metadata"]:
                self.remove(("namespaces", None, document["metadata"]["name"]))

    def remove(self, key: Key) -> None:
        """Remove an object at once, and with a namespace everything in it."""
        inner = [other for other in self.objects if key[0] == "namespaces" and other[1] == key[2]]
        for gone in (*inner, key):
            self._note("DELETED", gone, self.objects.pop(gone))
        self.applied = {known: value for known, value in self.applied.items() if known[0] in self.objects}

    def _note(self, kind: str, key: Key, document: Document) -> None:
        self.changes.append(Change(self.revision + 1, kind, key, document))


def selected(documents: Iterable[Document], fields: str) -> list[Document]:
    """Those that a field selector asks for; names are the only fields that it can ask for."""
    wanted = dict(part.split("=", 1) for part in fields.split(",") if part)
    name = wanted.get("metadata.name")
    return [document for document in documents if name in (None, document["metadata"]["name"])]


def _bare(document: Document) -> Document:
    metadata = {name: value for name, value in document["metadata"].items() if name not in UNTOUCHED}
    return {**document, "metadata": metadata}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
