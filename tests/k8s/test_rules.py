"""The rules of our own, each broken once in what the cloud overlay renders."""

from typing import Any

import pytest

from tests.k8s.changes import changed, without
from tests.k8s.checks.probes import probe_problems
from tests.k8s.checks.rules import rule_problems
from tests.k8s.rendering import rendered

CLOUD = "k8s/overlays/cloud"
POD = "spec/template/spec"
CONTAINER = f"{POD}/containers/0"
BROKEN: dict[str, tuple[str, str, Any, str]] = {
    "namespace": ("Namespace/sightline", "metadata/labels", {}, "pod-security.kubernetes.io/enforce"),
    "account": ("ServiceAccount/web", "automountServiceAccountToken", None, "gives its token"),
    "restricted": ("Deployment/web", f"{POD}/hostNetwork", True, "hostNetwork is true"),
    "own account": ("Deployment/web", f"{POD}/serviceAccountName", "store", "no ServiceAccount of its own"),
    "token": ("Deployment/web", f"{POD}/automountServiceAccountToken", True, "not what this pod needs"),
    "no token": ("Job/bootstrap", f"{POD}/automountServiceAccountToken", False, "not what this pod needs"),
    "links": ("Deployment/web", f"{POD}/enableServiceLinks", None, "enableServiceLinks is not false"),
    "requests": ("Deployment/web", f"{CONTAINER}/resources/requests", {"cpu": 1}, "no requests of memory"),
    "limits": ("StatefulSet/nats", f"{CONTAINER}/resources/limits", None, "no limits of cpu and memory"),
    "root": (
        "Deployment/web",
        f"{CONTAINER}/securityContext/readOnlyRootFilesystem",
        None,
        "its root can be written to",
    ),
    "pull": ("Deployment/web", f"{CONTAINER}/imagePullPolicy", None, "imagePullPolicy is not IfNotPresent"),
    "budget for one": ("Deployment/web", "spec/replicas", 1, "1 disruption budgets for 1 replicas"),
    "budget missing": ("StatefulSet/nats", "spec/replicas", 3, "0 disruption budgets for 3 replicas"),
    "no probe": ("Deployment/rtsp", f"{CONTAINER}/livenessProbe", None, "no livenessProbe"),
    "liveness of others": (
        "Deployment/web",
        f"{CONTAINER}/livenessProbe/httpGet/path",
        "/api/v1/system",
        "asks /api/v1/system, and so for more than the process",
    ),
    "liveness as readiness": (
        "StatefulSet/nats",
        f"{CONTAINER}/readinessProbe/httpGet/path",
        "/healthz?js-enabled-only=true",
        "liveness and readiness both ask",
    ),
    "readiness": (
        "Deployment/store",
        f"{CONTAINER}/readinessProbe/httpGet/path",
        "/metrics",
        "asks /metrics instead of /readyz",
    ),
}


@pytest.mark.parametrize(("place", "path", "value", "said"), BROKEN.values(), ids=BROKEN)
def test_each_break_is_found(place: str, path: str, value: Any, said: str) -> None:
    broken = changed(rendered(CLOUD), place, path, value)
    problems = [*rule_problems(broken), *probe_problems(broken)]
    assert any(said in problem and place in problem for problem in problems), problems


def test_a_missing_budget_is_found() -> None:
    problems = list(rule_problems(without(rendered(CLOUD), "PodDisruptionBudget/web")))
    assert problems == ["Deployment/web: 0 disruption budgets for 2 replicas"]
