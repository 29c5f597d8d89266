"""What docker-compose.yml and the manifests say of a service, in one form in which they can be compared."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests.k8s.checks.manifest import Manifest, Workload, workloads
from tests.k8s.checks.quantities import amount

VARIABLE = re.compile(r"\$\{[A-Z_]+:-([^}]*)\}")
SECRETS = "/etc/sightline/secrets/"
HELD_TAG = re.compile(r":[^:@/]+@")
"""The tag of an image that is held by its digest, which kustomize leaves out."""

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """One service."""

    image: str
    user: int
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    memory_bytes: float
    grace_s: int
    files: Mapping[str, str]
    """Files of configmaps/ by the path at which the service finds them."""
    secrets: frozenset[str]
    kept: frozenset[str]
    """Folders that outlive the container."""
    lost: frozenset[str]
    """Folders that are empty at each start."""
    is_hardened: bool
    """It has no capability, gains none, and writes to no folder but these."""


def read_compose(text: str) -> Fields:
    """Read a compose file as it is where no variable is set."""
    document: Fields = yaml.safe_load(VARIABLE.sub(r"\1", text).replace("$$", "$"))
    return document


def facts_of_compose(document: Fields) -> dict[str, ServiceFacts]:
    """Give the facts of each service by its name."""
    return {name: _of_service(service) for name, service in document["services"].items()}


def _of_service(service: Fields) -> ServiceFacts:
    mounts = [text.split(":") for text in service["volumes"]]
    targets = {source: target for source, target, *_ in mounts}
    bound = {target: source for source, target in targets.items() if source.startswith("./")}
    named = {target for source, target in targets.items() if not source.startswith("./")}
    assert all(mode == ["ro"] for source, _, *mode in mounts if source.startswith("./"))
    return ServiceFacts(
        image=HELD_TAG.sub("@", service["image"]),
        user=int(service["user"].partition(":")[0]),
        arguments=tuple(service.get("command", ())),
        environment=service.get("environment", {}),
        memory_bytes=amount(f"{service['mem_limit'].upper()}i") or 0,
        grace_s=int(service["stop_grace_period"].removesuffix("s")),
        files={target: source.removeprefix("./configmaps/") for target, source in bound.items()},
        secrets=frozenset(target for target in named if target.startswith(SECRETS)),
        kept=frozenset(target for target in named if not target.startswith(SECRETS)),
        lost=frozenset(text.partition(":")[0] for text in service.get("tmpfs", ())),
        is_hardened=service["read_only"]
        and service["cap_drop"] == ["ALL"]
        and service["security_opt"] == ["no-new-privileges"]
        and "privileged" not in service
        and "cap_add" not in service,
    )


def facts_of_manifests(manifests: list[Manifest]) -> dict[str, ServiceFacts]:
    """Give the facts of each workload by its name."""
    files = {one["metadata"]["name"]: list(one["data"]) for one in manifests if one["kind"] == "ConfigMap"}
    return {workload.name: _of_workload(workload, files) for workload in workloads(manifests)}


def _of_workload(workload: Workload, files: Mapping[str, list[str]]) -> ServiceFacts:
    (container,) = workload.containers
    security = container["securityContext"]
    volumes = {volume["name"]: volume for volume in workload.pod.get("volumes", [])}
    volumes |= {name: {"persistentVolumeClaim": {}} for name in workload.claim_templates}
    places = [(mount["mountPath"], volumes[mount["name"]]) for mount in container["volumeMounts"]]
    return ServiceFacts(
        image=container["image"],
        user=workload.pod["securityContext"]["runAsUser"],
        arguments=tuple(container.get("args", ())),
        environment={variable["name"]: variable["value"] for variable in container.get("env", [])},
        memory_bytes=amount(container["resources"]["limits"]["memory"]) or 0,
        grace_s=workload.pod.get("terminationGracePeriodSeconds", 30),
        files={
            f"{path}/{file}": file
            for path, volume in places
            if "configMap" in volume
            for file in files[volume["configMap"]["name"]]
        },
        secrets=frozenset(path for path, volume in places if "secret" in volume),
        kept=frozenset(path for path, volume in places if "persistentVolumeClaim" in volume),
        lost=frozenset(path for path, volume in places if "emptyDir" in volume),
        is_hardened=security["readOnlyRootFilesystem"]
        and security["capabilities"] == {"drop": ["ALL"]}
        and not security["allowPrivilegeEscalation"],
    )
