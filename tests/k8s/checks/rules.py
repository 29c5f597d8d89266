"""Rules of Sightline's own, which a cluster would not insist on."""

from collections.abc import Iterator

from tests.k8s.checks.manifest import Manifest, Workload, label, matches, of_kind, workloads
from tests.k8s.checks.pod_security import restricted_violations

TOKEN_HOLDERS = {"bootstrap"}
"""Who talks to the API server."""

RESOURCES = ("cpu", "memory")
PROFILE_LABELS = [f"pod-security.kubernetes.io/{mode}" for mode in ("enforce", "warn", "audit")]


def rule_problems(manifests: list[Manifest]) -> Iterator[str]:
    """Say where a set of objects departs from the rules."""
    for namespace in of_kind(manifests, "Namespace"):
        labels = namespace["metadata"].get("labels", {})
        yield from (f"{label(namespace)}: {one}" for one in PROFILE_LABELS if labels.get(one) != "restricted")
    for account in of_kind(manifests, "ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield f"{label(account)}: gives its token to pods that do not ask"
    for workload in workloads(manifests):
        for problem in _pod_problems(workload):
            yield f"{label(workload.manifest)}: {problem}"
    yield from _budget_problems(manifests)


def _pod_problems(workload: Workload) -> Iterator[str]:
    pod = workload.pod
    yield from restricted_violations(pod)
    if pod.get("serviceAccountName") != workload.name:
        yield "has no ServiceAccount of its own"
    if pod.get("automountServiceAccountToken") is not (workload.name in TOKEN_HOLDERS):
        yield "automountServiceAccountToken is not what this pod needs"
    if pod.get("enableServiceLinks") is not False:
        yield "enableServiceLinks is not false"
    for container in workload.containers:
        for problem in _container_problems(container):
            yield f"container {container['name']}: {problem}"


def _container_problems(container: Manifest) -> Iterator[str]:
    for kind in ("requests", "limits"):
        missing = [one for one in RESOURCES if one not in container.get("resources", {}).get(kind, {})]
        if missing:
            yield f"no {kind} of {' and '.join(missing)}"
    if container.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
        yield "its root can be written to"
    if container.get("imagePullPolicy") != "IfNotPresent":
        yield "imagePullPolicy is not IfNotPresent"


def _budget_problems(manifests: list[Manifest]) -> Iterator[str]:
    selectors = [budget["spec"]["selector"] for budget in of_kind(manifests, "PodDisruptionBudget")]
    for workload in workloads(manifests):
        if workload.kind in ("Deployment", "StatefulSet"):
            count = sum(matches(selector, workload.labels) for selector in selectors)
            if count != (1 if workload.replicas > 1 else 0):
                name = label(workload.manifest)
                yield f"{name}: {count} disruption budgets for {workload.replicas} replicas"
