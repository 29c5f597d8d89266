"""Values that the schemas let pass as text or number, and an API server does not."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.k8s.checks.manifest import Manifest
from tests.k8s.checks.quantities import amount

DNS_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
NAME_LENGTH = 253
PORTS = {"containerPort", "hostPort", "port", "targetPort", "nodePort", "endPort"}
CHOICES = {
    "accessModes": {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"},
    "concurrencyPolicy": {"Allow", "Forbid", "Replace"},
    "dnsPolicy": {"ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"},
    "externalTrafficPolicy": {"Cluster", "Local"},
    "imagePullPolicy": {"Always", "IfNotPresent", "Never"},
    "pathType": {"Exact", "Prefix", "ImplementationSpecific"},
    "podManagementPolicy": {"OrderedReady", "Parallel"},
    "policyTypes": {"Ingress", "Egress"},
    "protocol": {"TCP", "UDP", "SCTP"},
    "restartPolicy": {"Always", "OnFailure", "Never"},
    "sessionAffinity": {"None", "ClientIP"},
    "medium": {"", "Memory"},
    "strategy.type": {"RollingUpdate", "Recreate"},
    "updateStrategy.type": {"RollingUpdate", "OnDelete"},
    "seccompProfile.type": {"RuntimeDefault", "Localhost", "Unconfined"},
}
SERVICE_TYPES = {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"}


def value_problems(manifest: Manifest) -> Iterator[str]:
    """Say which names, choices, ports and quantities of one object are none."""
    yield from _name_problems(manifest)
    if manifest["kind"] == "Service":
        yield from _choice_problems("spec.type", manifest["spec"].get("type", "ClusterIP"), SERVICE_TYPES)
    yield from _walk("spec", manifest.get("spec", {}))


def _name_problems(manifest: Manifest) -> Iterator[str]:
    metadata = manifest["metadata"]
    name = metadata.get("name", "")
    if not DNS_NAME.fullmatch(name) or len(name) > NAME_LENGTH:
        yield f"metadata.name {name!r} is no DNS name"
    elif manifest["kind"] == "Service" and not SERVICE_NAME.fullmatch(name):
        yield f"metadata.name {name!r} is no DNS label, which a Service's name has to be"
    for key, value in (metadata.get("labels") or {}).items():
        if not LABEL_VALUE.fullmatch(value):
            yield f"metadata.labels.{key}: {value!r} is no label"


def _walk(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _field_problems(path, key, inner)
            yield from _walk(f"{path}.{key}", inner)
        yield from _resource_problems(path, value)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _walk(f"{path}[{position}]", inner)


def _field_problems(path: str, key: str, value: Any) -> Iterator[str]:
    parent = path.rpartition(".")[2]
    choices = CHOICES.get(f"{parent}.{key}") or CHOICES.get(key)
    if choices is not None and isinstance(value, str | list):
        yield from _choice_problems(f"{path}.{key}", value, choices)
    if key in PORTS and isinstance(value, int) and not 0 < value < 65_536:
        yield f"{path}.{key}: {value} is no port"


def _choice_problems(path: str, value: str | list[Any], choices: set[str]) -> Iterator[str]:
    for chosen in value if isinstance(value, list) else [value]:
        if isinstance(chosen, str) and chosen not in choices:
            yield f"{path}: {chosen!r} is none of {', '.join(sorted(choices))}"


def _resource_problems(path: str, value: Mapping[str, Any]) -> Iterator[str]:
    amounts: dict[str, dict[str, float]] = {"requests": {}, "limits": {}}
    for kind, known in amounts.items():
        wanted = value.get(kind)
        for resource, quantity in (wanted if isinstance(wanted, Mapping) else {}).items():
            number = amount(quantity)
            if number is None:
                yield f"{path}.{kind}.{resource}: {quantity!r} is no quantity"
            else:
                known[resource] = number
    for resource, limit in amounts["limits"].items():
        if amounts["requests"].get(resource, 0) > limit:
            yield f"{path}: the request of {resource} is above its limit"
