"""What an object names, and whether the set has it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.k8s.checks.manifest import Manifest, Workload, label, workloads

Secrets = Mapping[str, Iterable[str]]
"""The keys of each Secret that is made in the cluster, and so stands in no file."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A named object, and the key within it that is wanted (None: no certain one)."""

    kind: str
    name: str
    key: str | None = None
    optional: bool = False


class Inventory:
    """The objects of a set by kind and name, with the keys of those that hold data."""

    def __init__(self, manifests: Iterable[Manifest], secrets: Secrets) -> None:
        self._keys: dict[tuple[str, str], set[str]] = {
            ("Secret", name): set(keys) for name, keys in secrets.items()
        }
        for manifest in manifests:
            held = [manifest.get(part) or {} for part in ("data", "stringData", "binaryData")]
            place = manifest["kind"], manifest["metadata"]["name"]
            self._keys[place] = {key for part in held for key in part}

    def missing(self, reference: Reference) -> Iterator[str]:
        """Say what of a reference is not there."""
        keys = self._keys.get((reference.kind, reference.name))
        if reference.optional:
            return
        if keys is None:
            yield f"no {reference.kind} {reference.name}"
        elif reference.key is not None and reference.key not in keys:
            yield f"{reference.kind} {reference.name} has no key {reference.key}"


def reference_problems(manifests: list[Manifest], secrets: Secrets) -> Iterator[str]:
    """Say what is named and missing, and what is there twice."""
    seen = set()
    for manifest in manifests:
        place = label(manifest), manifest["metadata"].get("namespace")
        if place in seen:
            yield f"{label(manifest)}: twice in the set"
        seen.add(place)
    inventory = Inventory(manifests, secrets)
    named = [(workload.manifest, _pod_references(workload)) for workload in workloads(manifests)]
    named += [(manifest, _access_references(manifest)) for manifest in manifests]
    for manifest, references in named:
        for reference in references:
            for problem in inventory.missing(reference):
                yield f"{label(manifest)}: {problem}"


def _pod_references(workload: Workload) -> Iterator[Reference]:
    """Everything that the pods of a workload need by name."""
    account = workload.pod.get("serviceAccountName", "default")
    if account != "default":
        yield Reference("ServiceAccount", account)
    if workload.kind == "StatefulSet":
        yield Reference("Service", workload.manifest["spec"]["serviceName"])
    for secret in workload.pod.get("imagePullSecrets", []):
        yield Reference("Secret", secret["name"])
    for volume in workload.pod.get("volumes", []):
        for source in [volume, *volume.get("projected", {}).get("sources", [])]:
            yield from _source_references(source)
        yield from _sub_path_references(workload, volume)
    for container in workload.containers:
        yield from _environment_references(container)


def _source_references(source: Manifest) -> Iterator[Reference]:
    for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        if field in source:
            held = source[field]
            name, optional = held.get("name") or held["secretName"], held.get("optional", False)
            for item in held.get("items") or [{}]:
                yield Reference(kind, name, item.get("key"), optional)
    if "persistentVolumeClaim" in source:
        yield Reference("PersistentVolumeClaim", source["persistentVolumeClaim"]["claimName"])


def _sub_path_references(workload: Workload, volume: Manifest) -> Iterator[Reference]:
    """A single file of a ConfigMap is a key of it, where the volume does not name its files itself."""
    held = volume.get("configMap", {})
    if held and not held.get("items"):
        for container in workload.containers:
            for mount in container.get("volumeMounts", []):
                if mount["name"] == volume["name"] and "subPath" in mount:
                    yield Reference("ConfigMap", held["name"], mount["subPath"], held.get("optional", False))


def _environment_references(container: Manifest) -> Iterator[Reference]:
    for source in container.get("envFrom", []):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if field in source:
                yield Reference(kind, source[field]["name"], None, source[field].get("optional", False))
    for variable in container.get("env", []):
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            held = variable.get("valueFrom", {}).get(field)
            if held:
                yield Reference(kind, held["name"], held["key"], held.get("optional", False))


def _access_references(manifest: Manifest) -> Iterator[Reference]:
    """What roles and their bindings name. kustomize changes names of Secrets to those of generated files."""
    if manifest["kind"] == "Role":
        for rule in manifest["rules"]:
            if "secrets" in rule["resources"]:
                yield from (Reference("Secret", name) for name in rule.get("resourceNames", []))
    elif manifest["kind"] == "RoleBinding":
        yield Reference(manifest["roleRef"]["kind"], manifest["roleRef"]["name"])
        for subject in manifest["subjects"]:
            yield Reference(subject["kind"], subject["name"])
