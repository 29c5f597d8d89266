"""Who may open a connection to whom: the way of the data, compared with what the policies let through."""

from collections.abc import Iterator

from tests.k8s.checks.manifest import Manifest, of_kind, workloads
from tests.k8s.checks.network_policies import Peer, allows, open_ports

NAMESPACE = "sightline"
NAME = "app.kubernetes.io/name"

FLOWS = {
    "ingest": {"nats": {4222}},
    "detector": {"nats": {4222}, "ingest": {8553}},
    "store": {"nats": {4222}, "mongodb": {27017}},
    "web": {"nats": {4222}, "mongodb": {27017}, "ingest": {8553}},
    "rtsp": {"nats": {4222}, "ingest": {8553}},
}
OPEN = {"ingest": {8554}, "detector": {8070, 8090}, "web": {8080}, "rtsp": {8555}}
"""What people and programs reach from anywhere."""

FIGURES = {name: {9090} for name in ("ingest", "detector", "store", "rtsp")}
"""What Prometheus reaches where it is asked for; the figures of web are on its open port."""

API_SERVER = {443, 6443}
PORTS = {22, 53, 80, 443, 554, 4222, 6443, 8070, 8080, 8090, 8222, 8553, 8554, 8555, 9090, 27017}
"""Those of the system, and some that would be a surprise."""

UDP_PORTS = PORTS - {53}

CAMERA = Peer("203.0.113.7")
CAMERA_IPV6 = Peer("2001:db8::7")
METADATA = [Peer("169.254.169.254"), Peer("fd00:ec2::254"), Peer("fe80::1")]
"""Where clouds and machines answer with secrets of their own."""

STRANGER = Peer("10.1.0.1", "elsewhere", {NAME: "web"})
NEWCOMER = Peer("10.0.0.250", NAMESPACE, {NAME: "newcomer"})
"""A pod for which nobody has written a policy."""

CLUSTER_DNS = Peer("10.2.0.1", "kube-system", {"k8s-app": "kube-dns"})
MONITORING = Peer("10.3.0.1", "monitoring", {NAME: "prometheus"})
CONTROLLER = Peer(
    "10.4.0.1", "ingress-nginx", {NAME: "ingress-nginx", "app.kubernetes.io/component": "controller"}
)
NOT_CONTROLLERS = [
    Peer("10.4.0.2", "ingress-nginx", {NAME: "ingress-nginx", "app.kubernetes.io/component": "other"}),
    Peer("10.4.0.3", "elsewhere", CONTROLLER.labels),
]
"""Pods that have something of the controller."""


def flow_problems(
    manifests: list[Manifest], *, monitored: bool = False, behind_ingress: bool = False
) -> Iterator[str]:
    """Say who can reach whom and should not, or cannot and should.

    `behind_ingress`: people and programs reach web by the ingress controller alone.
    """
    policies = of_kind(manifests, "NetworkPolicy")
    pods = {
        workload.name: Peer(f"10.0.0.{number}", NAMESPACE, workload.labels)
        for number, workload in enumerate(workloads(manifests), 1)
    }
    opened = OPEN | {"web": set()} if behind_ingress else OPEN
    for source, target, wanted in _expected(pods, monitored, opened):
        found = open_ports(policies, source, target, PORTS)
        for port in sorted(found ^ wanted):
            verb = "can" if port in found else "cannot"
            yield f"{_title(source)} {verb} reach {_title(target)} at {port}"
        if source.namespace == NAMESPACE and not _is_dialled(source, target):
            for port in open_ports(policies, source, target, UDP_PORTS, "UDP"):
                yield f"{_title(source)} can reach {_title(target)} at {port} by UDP"
    for source in [*pods.values(), NEWCOMER]:
        if not allows(policies, source, CLUSTER_DNS, 53, "UDP"):
            yield f"{_title(source)} cannot look names up"


def _expected(
    pods: dict[str, Peer], monitored: bool, opened: dict[str, set[int]]
) -> Iterator[tuple[Peer, Peer, set[int]]]:
    for name, pod in pods.items():
        cameras = PORTS if name == "ingest" else set()
        api_server = API_SERVER if name == "bootstrap" else set()
        database = {27017} if name in ("store", "web") and "mongodb" not in pods else set()
        for other, target in pods.items():
            # A camera may have any address, so that ingest can ask all of them for what is open to everybody.
            yield pod, target, FLOWS.get(name, {}).get(other, set()) | (cameras & opened.get(other, set()))
        yield pod, CAMERA, cameras | api_server | database
        yield pod, CAMERA_IPV6, cameras | api_server | database
        yield pod, CLUSTER_DNS, cameras | api_server | database | {53}
        yield pod, NEWCOMER, set()
        for address in METADATA:
            yield pod, address, api_server
        for source in (CAMERA, STRANGER, *NOT_CONTROLLERS):
            yield source, pod, opened.get(name, set())
        yield CONTROLLER, pod, OPEN.get(name, set())
        figures = FIGURES.get(name, OPEN.get(name, set())) if monitored else set()
        yield MONITORING, pod, opened.get(name, set()) | figures
    yield NEWCOMER, CAMERA, set()
    yield STRANGER, NEWCOMER, set()


def _is_dialled(source: Peer, target: Peer) -> bool:
    """Return whether ingest dials a camera there, by UDP too; a camera may have any address."""
    return source.labels[NAME] == "ingest" and target in (CAMERA, CAMERA_IPV6, CLUSTER_DNS)


def _title(peer: Peer) -> str:
    return peer.labels[NAME] if peer.namespace == NAMESPACE else peer.namespace or peer.address
