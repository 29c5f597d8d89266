"""What Services, Ingresses, scalers, budgets and policies are for, and whether it is there."""

import math
from collections.abc import Callable, Iterator
from typing import Any

from tests.k8s.checks.manifest import Manifest, Workload, label, matches, of_kind, selects, workloads


def target_problems(manifests: list[Manifest]) -> Iterator[str]:
    """Say which objects aim at nothing, or at what cannot be meant."""
    pods = workloads(manifests)
    for manifest in manifests:
        for problem in _problems(manifest, manifests, pods):
            yield f"{label(manifest)}: {problem}"


def _problems(manifest: Manifest, manifests: list[Manifest], pods: list[Workload]) -> Iterator[str]:
    services = {service["metadata"]["name"]: service for service in of_kind(manifests, "Service")}
    of_pods: dict[str, Callable[[Manifest, list[Workload]], Iterator[str]]] = {
        "Service": _service_problems,
        "HorizontalPodAutoscaler": _scaler_problems,
        "PodDisruptionBudget": _budget_problems,
        "NetworkPolicy": _policy_problems,
    }
    if manifest["kind"] == "Ingress":
        yield from _ingress_problems(manifest, services)
    elif manifest["kind"] in of_pods:
        yield from of_pods[manifest["kind"]](manifest, pods)


def _service_problems(service: Manifest, pods: list[Workload]) -> Iterator[str]:
    spec = service["spec"]
    ports = spec.get("ports", [])
    if len(ports) > 1 and not all("name" in port for port in ports):
        yield "several ports want a name each"
    if not spec.get("selector"):
        return
    selected = [pod for pod in pods if selects(spec["selector"], pod.labels)]
    if not selected:
        yield f"selects no pod: {spec['selector']}"
    for port in ports:
        target = port.get("targetPort", port["port"])
        for pod in selected:
            if target not in _container_ports(pod):
                yield f"targetPort {target}: no such port in {label(pod.manifest)}"


def _container_ports(pod: Workload) -> set[Any]:
    ports = [port for container in pod.containers for port in container.get("ports", [])]
    return {port.get("name") for port in ports} | {port["containerPort"] for port in ports}


def _ingress_problems(ingress: Manifest, services: dict[str, Manifest]) -> Iterator[str]:
    spec = ingress["spec"]
    paths = [path for rule in spec.get("rules", []) for path in rule.get("http", {}).get("paths", [])]
    backends = [path["backend"] for path in paths]
    if "defaultBackend" in spec:
        backends.append(spec["defaultBackend"])
    for backend in backends:
        name, port = backend["service"]["name"], backend["service"]["port"]
        if name not in services:
            yield f"no Service {name}"
        elif not any(_is_port(port, of_service) for of_service in services[name]["spec"]["ports"]):
            yield f"Service {name} has no port {port}"


def _is_port(wanted: Manifest, port: Manifest) -> bool:
    return bool(
        port["port"] == wanted["number"] if "number" in wanted else port.get("name") == wanted["name"]
    )


def _scaler_problems(scaler: Manifest, pods: list[Workload]) -> Iterator[str]:
    spec = scaler["spec"]
    target = spec["scaleTargetRef"]["kind"], spec["scaleTargetRef"]["name"]
    if target not in {(pod.kind, pod.name) for pod in pods}:
        yield f"no {target[0]} {target[1]} to scale"
    if spec.get("minReplicas", 1) > spec["maxReplicas"]:
        yield "minReplicas is above maxReplicas"


def _budget_problems(budget: Manifest, pods: list[Workload]) -> Iterator[str]:
    spec = budget["spec"]
    selected = [pod for pod in pods if matches(spec.get("selector", {}), pod.labels)]
    if not selected:
        yield "selects no pod"
    for pod in selected:
        if _evictable(spec, pod.replicas) < 1:
            yield f"forbids every eviction of {label(pod.manifest)}"


def _evictable(spec: Manifest, replicas: int) -> int:
    """How many pods may go at once; shares of pods are rounded up, as the controller does."""
    if "maxUnavailable" in spec:
        return _count(spec["maxUnavailable"], replicas)
    return replicas - _count(spec.get("minAvailable", 1), replicas)


def _count(value: int | str, replicas: int) -> int:
    if isinstance(value, int):
        return value
    return math.ceil(int(value.removesuffix("%")) * replicas / 100)


def _policy_problems(policy: Manifest, pods: list[Workload]) -> Iterator[str]:
    spec = policy["spec"]
    if not _any(spec["podSelector"], pods):
        yield "selects no pod"
    peers = [peer for rule in spec.get("ingress", []) for peer in rule.get("from", [])]
    peers += [peer for rule in spec.get("egress", []) for peer in rule.get("to", [])]
    for peer in peers:
        if "ipBlock" in peer and len(peer) > 1:
            yield "a peer is an address and a pod at once"
        elif (
            "podSelector" in peer and "namespaceSelector" not in peer and not _any(peer["podSelector"], pods)
        ):
            yield f"a peer is no pod of the set: {peer['podSelector']}"


def _any(selector: Manifest, pods: list[Workload]) -> bool:
    return any(matches(selector, pod.labels) for pod in pods)
