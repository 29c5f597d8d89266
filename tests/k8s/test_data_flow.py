"""NetworkPolicies let through what the way of the data needs, and nothing else."""

import re
from typing import Any

import pytest

from services.common.http.forwarded import DIRECT
from tests.k8s.changes import changed, without
from tests.k8s.checks.manifest import workloads
from tests.k8s.data_flow import OPEN, flow_problems
from tests.k8s.rendering import ALL_COMPONENTS, DEFAULT, REPOSITORY, WHOLE, rendered

EGRESS, INGRESS = "spec/egress", "spec/ingress"
INGRESS_COMPONENT = "k8s/components/ingress"
BEHIND_INGRESS = (INGRESS_COMPONENT, "k8s/overlays/cloud", ALL_COMPONENTS)
ANYWHERE = {"ports": [{"port": 443}]}
BROKEN: dict[str, tuple[str, str, Any, str]] = {
    "missing flow": (
        "NetworkPolicy/nats",
        f"{INGRESS}/0/ports/0/port",
        4223,
        "web cannot reach nats at 4222",
    ),
    "open database": (
        "NetworkPolicy/mongodb",
        f"{INGRESS}/0/from",
        None,
        "ingest can reach mongodb at 27017",
    ),
    "far database": ("NetworkPolicy/mongodb", f"{INGRESS}/0/from", [], "203.0.113.7 can reach mongodb"),
    "leaving": ("NetworkPolicy/detector", f"{EGRESS}/0", ANYWHERE, "detector can reach 203.0.113.7 at 443"),
    "metadata": (
        "NetworkPolicy/ingest",
        f"{EGRESS}/1/to/0/ipBlock",
        {"cidr": "0.0.0.0/0"},
        "ingest can reach 169.254.169.254 at 80",
    ),
    "by UDP": (
        "NetworkPolicy/detector",
        f"{EGRESS}/0",
        {"ports": [{"port": 4222, "protocol": "UDP"}]},
        "detector can reach 203.0.113.7 at 4222 by UDP",
    ),
    "no names": ("NetworkPolicy/dns", EGRESS, [], "web cannot look names up"),
    "other names": ("NetworkPolicy/dns", f"{EGRESS}/0/to", [], "store can reach 203.0.113.7 at 53"),
    "no default": (
        "NetworkPolicy/default-deny",
        "spec/policyTypes",
        ["Egress"],
        "elsewhere can reach newcomer",
    ),
}


@pytest.mark.parametrize("folder", WHOLE)
def test_the_data_flows_and_nothing_else(folder: str) -> None:
    monitored = folder in ("k8s/components/monitoring", ALL_COMPONENTS)
    behind = folder in BEHIND_INGRESS
    assert list(flow_problems(rendered(folder), monitored=monitored, behind_ingress=behind)) == []


def test_web_believes_the_controller_alone() -> None:
    manifests = rendered(INGRESS_COMPONENT)
    (web,) = (workload for workload in workloads(manifests) if workload.name == "web")
    (container,) = web.pod["containers"]
    told = {item["name"]: item.get("value") for item in container["env"]}
    assert told["SIGHTLINE_TRUSTED_PROXY"] == DIRECT
    broken = changed(manifests, "NetworkPolicy/web", f"{INGRESS}/0/from", None)
    problems = list(flow_problems(broken, behind_ingress=True))
    assert "elsewhere can reach web at 8080" in problems
    broken = changed(manifests, "NetworkPolicy/web", f"{INGRESS}/0/from/0/podSelector", {})
    assert "ingress-nginx can reach web at 8080" in list(flow_problems(broken, behind_ingress=True))


def test_the_open_ports_are_those_of_the_services_table() -> None:
    text = (REPOSITORY / "services/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", text, re.MULTILINE)
    declared = {name: {int(port) for port in re.findall(r"\b\d{4}\b", ports)} for name, ports in rows}
    assert {name: ports for name, ports in declared.items() if ports} == OPEN


@pytest.mark.parametrize(("place", "path", "value", "said"), BROKEN.values(), ids=BROKEN)
def test_each_break_is_found(place: str, path: str, value: Any, said: str) -> None:
    problems = list(flow_problems(changed(rendered(DEFAULT), place, path, value)))
    assert any(said in problem for problem in problems), problems


@pytest.mark.parametrize(
    "name", ["ingest", "detector", "store", "web", "rtsp", "nats", "mongodb", "bootstrap"]
)
def test_no_policy_can_go(name: str) -> None:
    assert list(flow_problems(without(rendered(DEFAULT), f"NetworkPolicy/{name}")))
