"""Pod Security "restricted": what is let in, and each thing that is not."""

from copy import deepcopy
from typing import Any

import pytest

from tests.k8s.checks.pod_security import restricted_violations

GOOD: dict[str, Any] = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "web",
            "image": "web:1",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
    "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "config", "configMap": {"name": "web"}}],
}
POD: dict[str, dict[str, Any]] = {
    "hostNetwork is true": {"hostNetwork": True},
    "hostPID is true": {"hostPID": True},
    "sysctl kernel.msgmax is not a safe one": {
        "securityContext": {
            **GOOD["securityContext"],
            "sysctls": [{"name": "kernel.msgmax", "value": "65536"}],
        }
    },
    "the pod: runAsUser is 0": {"securityContext": {**GOOD["securityContext"], "runAsUser": 0}},
    "the pod: the seccomp profile is Unconfined": {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "Unconfined"}}
    },
    "container web has no seccomp profile": {"securityContext": {"runAsNonRoot": True}},
    "container web: runAsNonRoot is not true": {
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}
    },
    "volume host is of the kind hostPath": {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]},
}
CONTAINER: dict[str, dict[str, Any]] = {
    "container web is privileged": {"privileged": True},
    "container web: allowPrivilegeEscalation is not false": {"allowPrivilegeEscalation": None},
    "container web does not drop ALL capabilities": {"capabilities": {"drop": ["NET_RAW"]}},
    "container web adds the capability SYS_ADMIN": {"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}},
    "container web: runAsNonRoot is false": {"runAsNonRoot": False},
    "container web: procMount is not Default": {"procMount": "Unmasked"},
    "container web: the AppArmor profile is Unconfined": {"appArmorProfile": {"type": "Unconfined"}},
}


def test_a_restricted_pod_is_let_in() -> None:
    assert restricted_violations(GOOD) == []


@pytest.mark.parametrize(("violation", "change"), POD.items(), ids=POD)
def test_what_a_pod_may_not(violation: str, change: dict[str, Any]) -> None:
    assert violation in restricted_violations({**GOOD, **change})


@pytest.mark.parametrize(("violation", "change"), CONTAINER.items(), ids=CONTAINER)
def test_what_a_container_may_not(violation: str, change: dict[str, Any]) -> None:
    pod = deepcopy(GOOD)
    pod["containers"][0]["securityContext"] |= change
    assert violation in restricted_violations(pod)


@pytest.mark.parametrize("kind", ["initContainers", "containers"])
def test_a_second_container_is_judged_too(kind: str) -> None:
    pod = deepcopy(GOOD)
    pod.setdefault(kind, []).append({"name": "other", "image": "other:1", "ports": [{"hostPort": 80}]})
    violations = restricted_violations(pod)
    assert "container other takes port 80 of the host" in violations
    assert "container other does not drop ALL capabilities" in violations
