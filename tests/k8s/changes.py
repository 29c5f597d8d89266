"""Rendered objects with one value in another state: the broken variants that checks have to find."""

from copy import deepcopy
from typing import Any

from tests.k8s.checks.manifest import Manifest, label


def changed(manifests: list[Manifest], place: str, path: str, value: Any) -> list[Manifest]:
    """The set with a value put at a path of an object; None takes away what is there."""
    copies: list[Any] = deepcopy(manifests)
    inner: Any = next(one for one in copies if label(one) == place)
    *way, last = path.split("/")
    for part in way:
        inner = inner[_key(inner, part)]
    if value is None:
        del inner[_key(inner, last)]
    else:
        inner[_key(inner, last)] = value
    return copies


def without(manifests: list[Manifest], place: str) -> list[Manifest]:
    """The set with one object less."""
    left = [one for one in manifests if label(one) != place]
    assert len(left) == len(manifests) - 1, place
    return left


def _key(inner: Any, part: str) -> int | str:
    return int(part) if isinstance(inner, list) else part
