"""Probes: healthy is the process alone, ready is whether it can do its work now."""

from collections.abc import Iterator

from tests.k8s.checks.manifest import Manifest, Workload, label, workloads
from tests.k8s.checks.templates import PROBES

OWN_IMAGES = "sightline-"


def probe_problems(manifests: list[Manifest]) -> Iterator[str]:
    """Say which pods that stay have probes that would mislead a cluster."""
    for workload in workloads(manifests):
        if workload.kind in ("Deployment", "StatefulSet", "DaemonSet"):
            for container in workload.containers:
                for problem in _problems(container):
                    yield f"{label(workload.manifest)}: container {container['name']}: {problem}"


def asked(workload: Workload, kind: str) -> tuple[int, str]:
    """The port and path that a probe of a workload's only container asks by HTTP."""
    (container,) = workload.containers
    action = container[kind]["httpGet"]
    ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
    return int(ports.get(action["port"], action["port"])), str(action["path"])


def _problems(container: Manifest) -> Iterator[str]:
    missing = [kind for kind in PROBES if kind not in container]
    if missing:
        yield f"no {' and no '.join(missing)}"
        return
    live, ready = (
        container[kind].get("httpGet", {}).get("path") for kind in ("livenessProbe", "readinessProbe")
    )
    if live is not None and live.partition("?")[0] != "/healthz":
        yield f"livenessProbe asks {live}, and so for more than the process"
    if live is not None and live == ready:
        yield f"liveness and readiness both ask {live}"
    if container["image"].rpartition("/")[2].startswith(OWN_IMAGES) and ready != "/readyz":
        yield f"readinessProbe asks {ready} instead of /readyz"
