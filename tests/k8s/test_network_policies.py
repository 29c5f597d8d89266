"""The evaluator of NetworkPolicies, before it judges ours."""

from typing import Any

import pytest

from tests.k8s.checks.network_policies import Peer, allows

WEB = Peer("10.0.0.1", "ours", {"app": "web"})
DATABASE = Peer("10.0.0.2", "ours", {"app": "database"})
STRANGER = Peer("10.0.0.3", "theirs", {"app": "web"})
OUTSIDE = Peer("203.0.113.7")


def _policy(selector: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "ours"}, "spec": {"podSelector": selector, **spec}}


def _pods(app: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": {"app": app}}}


DENY = _policy({}, policyTypes=["Ingress", "Egress"])
FROM_WEB = _policy(
    {"matchLabels": {"app": "database"}}, ingress=[{"from": [_pods("web")], "ports": [{"port": 27017}]}]
)
TO_DATABASE = _policy(
    {"matchLabels": {"app": "web"}},
    policyTypes=["Egress"],
    egress=[{"to": [_pods("database")], "ports": [{"port": 27000, "endPort": 27999}]}],
)
WORLD = _policy(
    {"matchLabels": {"app": "web"}},
    policyTypes=["Ingress", "Egress"],
    ingress=[{"ports": [{"port": 80}]}],
    egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["203.0.113.0/24"]}}]}],
)


@pytest.mark.parametrize(
    ("policies", "source", "target", "port", "protocol", "answer"),
    [
        ([], WEB, DATABASE, 27017, "TCP", True),
        ([DENY], WEB, DATABASE, 27017, "TCP", False),
        ([DENY], STRANGER, WEB, 80, "TCP", False),
        ([DENY, FROM_WEB], WEB, DATABASE, 27017, "TCP", False),
        ([DENY, TO_DATABASE], WEB, DATABASE, 27017, "TCP", False),
        ([DENY, FROM_WEB, TO_DATABASE], WEB, DATABASE, 27017, "TCP", True),
        ([DENY, FROM_WEB, TO_DATABASE], WEB, DATABASE, 27018, "TCP", False),
        ([DENY, FROM_WEB, TO_DATABASE], WEB, DATABASE, 27017, "UDP", False),
        ([DENY, FROM_WEB, TO_DATABASE], DATABASE, WEB, 27017, "TCP", False),
        ([FROM_WEB], STRANGER, DATABASE, 27017, "TCP", False),
        ([FROM_WEB], OUTSIDE, DATABASE, 27017, "TCP", False),
        ([DENY, WORLD], OUTSIDE, WEB, 80, "TCP", True),
        ([DENY, WORLD], OUTSIDE, WEB, 81, "TCP", False),
        ([DENY, WORLD], STRANGER, WEB, 80, "TCP", True),
        ([DENY, WORLD], WEB, OUTSIDE, 443, "TCP", False),
        ([DENY, WORLD], WEB, Peer("198.51.100.1"), 443, "TCP", True),
        ([DENY, WORLD], WEB, DATABASE, 27017, "TCP", False),
    ],
)
def test_who_is_let_through(
    policies: list[dict[str, Any]], source: Peer, target: Peer, port: int, protocol: str, answer: bool
) -> None:
    assert allows(policies, source, target, port, protocol) is answer


def test_a_namespace_and_a_pod_of_one_entry_both_have_to_fit() -> None:
    other = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "theirs"}}}
    policy = _policy({}, ingress=[{"from": [{**other, **_pods("web")}]}])
    assert allows([policy], STRANGER, DATABASE, 1)
    assert not allows([policy], WEB, DATABASE, 1)
    assert not allows([policy], Peer("10.0.0.4", "theirs", {"app": "other"}), DATABASE, 1)


def test_egress_is_restricted_by_a_policy_that_lists_it() -> None:
    assert not allows([_policy({}, egress=[])], WEB, OUTSIDE, 443)
    assert allows([_policy({}, ingress=[])], WEB, OUTSIDE, 443)
