"""What the official schemas say about a field: whether its list is merged, and by which key."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tests.k8s.checks.schema import KUBERNETES

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One field; one that no schema knows is replaced as a whole."""

    schema: Schema

    @classmethod
    def of_kind(cls, api_version: str, kind: str) -> "Field":
        """The field that is a whole object of this kind."""
        return cls(_kinds()[api_version, kind])

    def child(self, name: str) -> "Field":
        resolved = _resolved(self.schema)
        return Field(resolved.get("properties", {}).get(name, {}))

    @property
    def item(self) -> "Field":
        """Each element of the list."""
        return Field(_resolved(self.schema).get("items", {}))

    @property
    def merge_key(self) -> str | None:
        """By what a strategic merge patch tells elements apart; None where there is no such key."""
        return self.schema.get("x-kubernetes-patch-merge-key")

    @property
    def is_merged(self) -> bool:
        """Whether a strategic merge patch adds to the list rather than replaces it."""
        return "merge" in self.schema.get("x-kubernetes-patch-strategy", "").split(",")

    @property
    def map_keys(self) -> tuple[str, ...]:
        """By what server-side apply tells elements apart; empty for a list that is one value."""
        return tuple(self.schema.get("x-kubernetes-list-map-keys", ()))

    @property
    def is_set(self) -> bool:
        return self.schema.get("x-kubernetes-list-type") == "set"

    @property
    def is_atomic(self) -> bool:
        return "atomic" in (
            self.schema.get("x-kubernetes-map-type"),
            _resolved(self.schema).get("x-kubernetes-map-type"),
        )


@cache
def _definitions() -> Mapping[str, Schema]:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{KUBERNETES}.0-local-strict"
    definitions: Mapping[str, Schema] = json.loads((folder / "_definitions.json").read_text())["$defs"]
    return definitions


@cache
def _kinds() -> Mapping[tuple[str, str], Schema]:
    kinds = {}
    for schema in _definitions().values():
        for known in schema.get("x-kubernetes-group-version-kind", []):
            api_version = f"{known['group']}/{known['version']}".lstrip("/")
            kinds[api_version, known["kind"]] = schema
    return kinds


def _resolved(schema: Schema) -> Schema:
    return _definitions()[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
