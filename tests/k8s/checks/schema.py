"""Objects against the official OpenAPI schemas, strictly: no unknown field, type, kind or version."""

import json
from collections.abc import Iterator
from functools import cache

import kubernetes_validate

from tests.k8s.checks.manifest import Manifest

KUBERNETES = "1.32"
OWN_GROUPS = {
    "apps",
    "autoscaling",
    "batch",
    "coordination.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
}
"""API groups that every cluster has and an application needs; what is in others may be a custom resource."""


def schema_problems(manifest: Manifest, version: str = KUBERNETES) -> Iterator[str]:
    """Say what an API server of this version does not know, or would not read."""
    yield from _problems(json.dumps(manifest, default=str), version)


def is_custom(manifest: Manifest) -> bool:
    """Tell whether the kind has to be added to a cluster before it knows it."""
    group, separator, _ = manifest["apiVersion"].rpartition("/")
    return bool(separator) and group not in OWN_GROUPS


@cache
def _problems(text: str, version: str) -> tuple[str, ...]:
    manifest = json.loads(text)
    if not isinstance(manifest.get("kind"), str) or not isinstance(manifest.get("apiVersion"), str):
        return ("kind or apiVersion is missing",)
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return (f"{'.'.join(map(str, error.path)) or 'the object'}: {error.message}",)
    except kubernetes_validate.SchemaNotFoundError as error:
        return (f"Kubernetes {version} knows no {error.kind} of {error.api_version}",)
    return ()
