"""What kubectl asks first: the versions, the kinds, and whether the server checks fields itself."""

from tests.k8s.api_server.resources import RESOURCES, ROOTS, SCALABLE, Resource
from tests.k8s.api_server.status import Document
from tests.k8s.checks.schema import KUBERNETES

VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]
OPENAPI = "/openapi/v3"


def discovery(path: str) -> Document | None:
    """Answer a question about the server itself; None for any other path."""
    if path == "/version":
        major, minor = KUBERNETES.split(".")
        return {"major": major, "minor": minor, "gitVersion": f"v{KUBERNETES}.0"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": _groups()}
    if path in ROOTS:
        return _kinds(path)
    if path == OPENAPI:
        return {"paths": {root.lstrip("/"): {"serverRelativeURL": OPENAPI + root} for root in ROOTS}}
    if path.removeprefix(OPENAPI) in ROOTS:
        return _openapi(path.removeprefix(OPENAPI))
    return None


def _groups() -> list[Document]:
    versions = dict.fromkeys(resource.api_version for resource in RESOURCES if resource.group)
    groups = []
    for api_version in versions:
        group, _, version = api_version.rpartition("/")
        known = {"groupVersion": api_version, "version": version}
        groups.append({"name": group, "versions": [known], "preferredVersion": known})
    return groups


def _kinds(root: str) -> Document:
    kinds: list[Document] = []
    for resource in (known for known in RESOURCES if known.root == root):
        kinds.append(_kind(resource))
        if resource.plural in SCALABLE:
            scale = {"name": f"{resource.plural}/scale", "kind": "Scale", "group": "autoscaling"}
            kinds.append({**_kind(resource), **scale, "version": "v1", "shortNames": []})
    api_version = root.removeprefix("/apis/").removeprefix("/api/")
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": kinds}


def _kind(resource: Resource) -> Document:
    return {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "kind": resource.kind,
        "namespaced": resource.namespaced,
        "shortNames": [resource.short] if resource.short else [],
        "verbs": VERBS,
    }


def _openapi(root: str) -> Document:
    """Say of each kind that its fields are validated here, so that kubectl does not try it itself."""
    parameters = [
        {"name": name, "in": "query", "schema": {"type": "string"}} for name in ("fieldValidation", "dryRun")
    ]
    paths = {}
    for resource in (known for known in RESOURCES if known.root == root):
        version = resource.api_version.rpartition("/")[2]
        kind = {"group": resource.group, "version": version, "kind": resource.kind}
        patch = {"parameters": parameters, "responses": {}, "x-kubernetes-group-version-kind": kind}
        paths[f"{root}/namespaces/{{namespace}}/{resource.plural}/{{name}}"] = {"patch": patch}
    info = {"title": "Kubernetes", "version": KUBERNETES}
    return {"openapi": "3.0.0", "info": info, "components": {"schemas": {}}, "paths": paths}
