"""What a pod template says about itself: labels, containers, volumes, probes."""

from collections.abc import Iterator
from typing import Any

from tests.k8s.checks.manifest import Manifest, Workload, matches

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def template_problems(workload: Workload) -> Iterator[str]:
    """Say what keeps the pods of this template from starting."""
    selector = workload.manifest["spec"].get("selector")
    if selector is not None and not matches(selector, workload.labels):
        yield f"spec.selector does not select the template's own labels {workload.labels}"
    allowed = {"Job": {"OnFailure", "Never"}, "CronJob": {"OnFailure", "Never"}}.get(
        workload.kind, {"Always"}
    )
    if workload.pod.get("restartPolicy", "Always") not in allowed:
        yield f"restartPolicy: a {workload.kind} wants {' or '.join(sorted(allowed))}"
    names = [container["name"] for container in workload.containers]
    if len(names) != len(set(names)):
        yield "two containers have one name"
    volumes = [volume["name"] for volume in workload.pod.get("volumes", [])] + workload.claim_templates
    if len(volumes) != len(set(volumes)):
        yield "two volumes have one name"
    for container in workload.containers:
        for problem in _container_problems(container, set(volumes)):
            yield f"container {container['name']}: {problem}"


def _container_problems(container: Manifest, volumes: set[str]) -> Iterator[str]:
    mounts = container.get("volumeMounts", [])
    for mount in mounts:
        if mount["name"] not in volumes:
            yield f"volumeMount {mount['name']} has no volume"
    paths = [mount["mountPath"] for mount in mounts]
    if len(paths) != len(set(paths)):
        yield "two volumes are mounted at one path"
    ports = {port.get("name") for port in container.get("ports", [])}
    for kind in PROBES:
        port = probe_port(container.get(kind, {}))
        if isinstance(port, str) and port not in ports:
            yield f"{kind} asks for port {port!r}, which the container does not name"


def probe_port(probe: Manifest) -> Any:
    """Give the port that a probe asks, by number or name; None where it asks none."""
    for action in ("httpGet", "tcpSocket", "grpc"):
        if action in probe:
            return probe[action]["port"]
    return None
