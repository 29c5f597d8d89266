"""What may not change once an object is there."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.k8s.api_server.status import Document

IMMUTABLE = {
    "Deployment": ("spec.selector",),
    "ReplicaSet": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "Job": ("spec.selector", "spec.template", "spec.completions", "spec.completionMode"),
    "RoleBinding": ("roleRef",),
    "Secret": ("type",),
}
STATEFUL_SET_FIELDS = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
CLAIM_FIELDS = ("resources", "volumeAttributesClassName")


def update_problems(old: Document, new: Document) -> list[str]:
    """Say what an API server refuses to change."""
    kind = old["kind"]
    problems = [
        f"{path}: Invalid value: field is immutable"
        for path in IMMUTABLE.get(kind, ())
        if _value(old, path) != _value(new, path)
    ]
    further = FURTHER.get(kind)
    return problems + (list(further(old, new)) if further else [])


def _stateful_set(old: Document, new: Document) -> Iterator[str]:
    if _without(old["spec"], STATEFUL_SET_FIELDS) != _without(new["spec"], STATEFUL_SET_FIELDS):
        names = [f"'{name}'" for name in STATEFUL_SET_FIELDS]
        yield (
            "spec: Forbidden: updates to statefulset spec for fields other than "
            f"{', '.join(names[:-1])} and {names[-1]} are forbidden"
        )


def _claim(old: Document, new: Document) -> Iterator[str]:
    if _without(old["spec"], CLAIM_FIELDS) != _without(new["spec"], CLAIM_FIELDS):
        yield (
            "spec: Forbidden: spec is immutable after creation except resources.requests and "
            "volumeAttributesClassName for bound claims"
        )


def _service(old: Document, new: Document) -> Iterator[str]:
    before, after = _value(old, "spec.clusterIP"), _value(new, "spec.clusterIP")
    if before != after:
        yield f"spec.clusterIPs[0]: Invalid value: {after!r}: may not change once set"


def _data(old: Document, new: Document) -> Iterator[str]:
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield "immutable: Forbidden: field is immutable when `immutable` is set"
    if any(old.get(key) != new.get(key) for key in ("data", "binaryData")):
        yield "data: Forbidden: field is immutable when `immutable` is set"


FURTHER: dict[str, Callable[[Document, Document], Iterator[str]]] = {
    "StatefulSet": _stateful_set,
    "PersistentVolumeClaim": _claim,
    "Service": _service,
    "Secret": _data,
    "ConfigMap": _data,
}


def _value(document: Document, path: str) -> Any:
    value: Any = document
    for key in path.split("."):
        value = (value or {}).get(key)
    return value


def _without(spec: Document, names: tuple[str, ...]) -> Document:
    return {key: value for key, value in spec.items() if key not in names}
