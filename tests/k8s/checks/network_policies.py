"""NetworkPolicies, worked out as a network that enforces them would.

What answers a connection that was let in is let back; so only the side that opens it is asked about.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from tests.k8s.checks.manifest import Manifest, matches

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""The label that each namespace has by itself."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One end of a connection: a pod, or an address outside of the cluster that no policy selects."""

    address: str
    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


def allows(
    policies: Iterable[Manifest], source: Peer, target: Peer, port: int, protocol: str = "TCP"
) -> bool:
    """Tell whether the source may open a connection to this port of the target."""
    return port in open_ports(policies, source, target, {port}, protocol)


def open_ports(
    policies: Iterable[Manifest], source: Peer, target: Peer, ports: Set[int], protocol: str = "TCP"
) -> set[int]:
    """Give those of the ports at which the source may open a connection to the target."""
    known = list(policies)
    leaving = _let_through(known, "Egress", source, target, ports, protocol)
    return leaving & _let_through(known, "Ingress", target, source, ports, protocol)


def _let_through(
    policies: list[Manifest], direction: str, own: Peer, other: Peer, ports: Set[int], protocol: str
) -> set[int]:
    """Without a policy that selects the pod everything is allowed; with some, what any of them allows."""
    selecting = [policy for policy in policies if direction in _directions(policy) and _selects(policy, own)]
    if not selecting:
        return set(ports)
    rules_key, peers_key = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    fitting = [
        rule.get("ports", [])
        for policy in selecting
        for rule in policy["spec"].get(rules_key) or []
        if _peer_fits(rule.get(peers_key, []), own.namespace, other)
    ]
    return {port for port in ports if any(_port_fits(entries, port, protocol) for entries in fitting)}


def _selects(policy: Manifest, peer: Peer) -> bool:
    return policy["metadata"].get("namespace") == peer.namespace is not None and matches(
        policy["spec"]["podSelector"], peer.labels
    )


def _directions(policy: Manifest) -> list[str]:
    spec = policy["spec"]
    return spec.get("policyTypes") or (["Ingress", "Egress"] if "egress" in spec else ["Ingress"])


def _port_fits(ports: list[Manifest], port: int, protocol: str) -> bool:
    return not ports or any(
        entry.get("protocol", "TCP") == protocol and _in_range(entry, port) for entry in ports
    )


def _in_range(entry: Manifest, port: int) -> bool:
    if "port" not in entry:
        return True
    first = entry["port"]
    assert isinstance(first, int), f"port {first!r}: only the pod that is met knows a port by its name"
    return first <= port <= int(entry.get("endPort", first))


def _peer_fits(entries: list[Manifest], namespace: str | None, other: Peer) -> bool:
    return not entries or any(_entry_fits(entry, namespace, other) for entry in entries)


def _entry_fits(entry: Manifest, namespace: str | None, other: Peer) -> bool:
    if "ipBlock" in entry:
        return _in_block(entry["ipBlock"], other.address)
    if other.namespace is None:
        return False
    if "namespaceSelector" in entry:
        in_namespace = matches(entry["namespaceSelector"], {NAMESPACE_NAME: other.namespace})
    else:
        in_namespace = other.namespace == namespace
    return in_namespace and matches(entry.get("podSelector", {}), other.labels)


def _in_block(block: Manifest, address: str) -> bool:
    wanted = ip_address(address)
    excepted = any(wanted in ip_network(network) for network in block.get("except", []))
    return wanted in ip_network(block["cidr"]) and not excepted
