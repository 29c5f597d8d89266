"""The checks' own tests: an intact set passes, and each way to break it is found."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.k8s.changes import changed
from tests.k8s.checks.manifest import Manifest, label
from tests.k8s.checks.problems import set_problems
from tests.k8s.checks.quantities import amount
from tests.k8s.checks.schema import is_custom

EXAMPLE = Path(__file__).parent / "checks/example.yaml"
SECRETS = {"database": ["password"]}
CONTAINER = "spec/template/spec/containers/0"
VOLUMES = "spec/template/spec/volumes"
BACKEND = "spec/rules/0/http/paths/0/backend/service"

BROKEN: dict[str, tuple[str, str, Any, str]] = {
    # What: the object, the place in it, the value that breaks it, and what has to be said.
    "unknown field": ("Deployment/api", "spec/replica", 2, "'replica' was unexpected"),
    "wrong type": ("Deployment/api", "spec/replicas", "two", "spec.replicas: 'two' is not"),
    "missing required": ("Deployment/api", "spec/selector", None, "'selector' is a required property"),
    "unknown kind": ("Deployment/api", "kind", "Deploymint", "knows no Deploymint of apps/v1"),
    "no kind": ("Deployment/api", "kind", None, "kind or apiVersion is missing"),
    "removed version": ("PodDisruptionBudget/api", "apiVersion", "policy/v1beta1", "of policy/v1beta1"),
    "no quantity": (
        "Deployment/api",
        f"{CONTAINER}/resources/requests/memory",
        "64Mb",
        "'64Mb' is no quantity",
    ),
    "request above limit": (
        "Deployment/api",
        f"{CONTAINER}/resources/requests/memory",
        "1Gi",
        "the request of memory is above its limit",
    ),
    "port out of range": ("Deployment/api", f"{CONTAINER}/ports/0/containerPort", 70_000, "70000 is no port"),
    "pull policy": ("Deployment/api", f"{CONTAINER}/imagePullPolicy", "Sometimes", "'Sometimes' is none of"),
    "strategy": (
        "Deployment/api",
        "spec/strategy/type",
        "OnDelete",
        "spec.strategy.type: 'OnDelete' is none",
    ),
    "service type": ("Service/api", "spec/type", "Balancer", "spec.type: 'Balancer' is none of"),
    "access mode": ("PersistentVolumeClaim/videos", "spec/accessModes", ["Read"], "'Read' is none of"),
    "policy type": ("NetworkPolicy/database", "spec/policyTypes", ["Out"], "'Out' is none of"),
    "upper-case name": ("Deployment/api", "metadata/name", "Api", "'Api' is no DNS name"),
    "dotted service name": (
        "Service/database",
        "metadata/name",
        "database.v1",
        "'database.v1' is no DNS label",
    ),
    "label value": ("ServiceAccount/api", "metadata/labels", {"app": "a b"}, "'a b' is no label"),
    "restart policy": ("Deployment/api", "spec/template/spec/restartPolicy", "Never", "wants Always"),
    "selector mismatch": (
        "Deployment/api",
        "spec/selector/matchLabels/app",
        "other",
        "does not select the template's own labels",
    ),
    "unknown named port": (
        "Deployment/api",
        f"{CONTAINER}/readinessProbe/httpGet/port",
        "web",
        "readinessProbe asks for port 'web'",
    ),
    "mount without volume": ("Deployment/api", f"{CONTAINER}/volumeMounts/0/name", "other", "has no volume"),
    "two mounts at one path": (
        "Deployment/api",
        f"{CONTAINER}/volumeMounts/1/mountPath",
        "/videos",
        "two volumes are mounted at one path",
    ),
    "two volumes of one name": ("Deployment/api", f"{VOLUMES}/1/name", "config", "two volumes have one name"),
    "no ConfigMap": ("Deployment/api", f"{VOLUMES}/0/configMap/name", "other", "no ConfigMap other"),
    "no key for the environment": (
        "ConfigMap/api",
        "data",
        {"api.yaml": ""},
        "ConfigMap api has no key LEVEL",
    ),
    "no key for a file": ("ConfigMap/api", "data", {"LEVEL": "info"}, "ConfigMap api has no key api.yaml"),
    "no Secret": ("Deployment/api", f"{VOLUMES}/1/secret/secretName", "other", "no Secret other"),
    "no key of a Secret": (
        "Deployment/api",
        f"{VOLUMES}/1/secret/items/0/key",
        "token",
        "Secret database has no key token",
    ),
    "no claim": (
        "Deployment/api",
        f"{VOLUMES}/2/persistentVolumeClaim/claimName",
        "films",
        "no PersistentVolumeClaim films",
    ),
    "no ServiceAccount": (
        "Deployment/api",
        "spec/template/spec/serviceAccountName",
        "other",
        "no ServiceAccount other",
    ),
    "no Secret for a Role": ("Role/api", "rules/0/resourceNames", ["other"], "Role/api: no Secret other"),
    "no Role": ("RoleBinding/api", "roleRef/name", "other", "no Role other"),
    "no bound account": ("RoleBinding/api", "subjects/0/name", "other", "no ServiceAccount other"),
    "StatefulSet without Service": ("StatefulSet/database", "spec/serviceName", "other", "no Service other"),
    "twice in the set": ("Service/database", "metadata/name", "api", "Service/api: twice in the set"),
    "Service of no pod": ("Service/api", "spec/selector/app", "other", "selects no pod: {'app': 'other'}"),
    "Service of no port": ("Service/api", "spec/ports/0/targetPort", 8001, "targetPort 8001: no such port"),
    "ports without names": (
        "Service/api",
        "spec/ports",
        [{"port": 8000}, {"port": 8001}],
        "want a name each",
    ),
    "Ingress to no Service": ("Ingress/api", f"{BACKEND}/name", "other", "no Service other"),
    "Ingress to no port": ("Ingress/api", f"{BACKEND}/port", {"number": 81}, "Service api has no port"),
    "scaler of nothing": (
        "HorizontalPodAutoscaler/api",
        "spec/scaleTargetRef/name",
        "other",
        "no Deployment other",
    ),
    "scaler upside down": ("HorizontalPodAutoscaler/api", "spec/minReplicas", 5, "minReplicas is above"),
    "budget of nothing": (
        "PodDisruptionBudget/api",
        "spec/selector/matchLabels/app",
        "other",
        "PodDisruptionBudget/api: selects no pod",
    ),
    "budget of none": ("PodDisruptionBudget/api", "spec/maxUnavailable", 0, "forbids every eviction"),
    "budget of all": (
        "PodDisruptionBudget/api",
        "spec",
        {"minAvailable": "51%", "selector": {"matchLabels": {"app": "api"}}},
        "forbids every eviction",
    ),
    "policy of nothing": (
        "NetworkPolicy/database",
        "spec/podSelector/matchLabels/app",
        "other",
        "NetworkPolicy/database: selects no pod",
    ),
    "policy for nobody": (
        "NetworkPolicy/database",
        "spec/ingress/0/from/0/podSelector/matchLabels/app",
        "other",
        "a peer is no pod of the set",
    ),
    "peer and address": (
        "NetworkPolicy/database",
        "spec/ingress/0/from/0/ipBlock",
        {"cidr": "10.0.0.0/8"},
        "an address and a pod at once",
    ),
}


@pytest.fixture(scope="module")
def example() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(EXAMPLE.read_text(encoding="utf-8")))


def test_the_intact_set_has_no_problem(example: list[Manifest]) -> None:
    assert set_problems(example, SECRETS) == []


@pytest.mark.parametrize(("place", "path", "value", "said"), BROKEN.values(), ids=BROKEN)
def test_each_break_is_found(example: list[Manifest], place: str, path: str, value: Any, said: str) -> None:
    problems = set_problems(changed(example, place, path, value), SECRETS)
    assert any(said in problem for problem in problems), problems


def test_a_container_twice_is_found(example: list[Manifest]) -> None:
    container = next(one for one in example if label(one) == "StatefulSet/database")["spec"]["template"][
        "spec"
    ]
    broken = changed(
        example, "StatefulSet/database", "spec/template/spec/containers", container["containers"] * 2
    )
    assert any("two containers have one name" in problem for problem in set_problems(broken, SECRETS))


@pytest.mark.parametrize(
    ("version", "answer"),
    [
        ("v1", False),
        ("apps/v1", False),
        ("networking.k8s.io/v1", False),
        ("gateway.networking.k8s.io/v1", True),
    ],
)
def test_custom_kinds_are_known_by_their_group(version: str, answer: bool) -> None:
    assert is_custom({"apiVersion": version, "kind": "Any"}) is answer


@pytest.mark.parametrize(
    ("quantity", "number"),
    [("250m", 0.25), ("64Mi", 64 * 1024**2), ("1e3", 1000), ("1E", 1e18), (2, 2), ("64Mb", None), ("", None)],
)
def test_quantities(quantity: object, number: float | None) -> None:
    assert amount(quantity) == number
