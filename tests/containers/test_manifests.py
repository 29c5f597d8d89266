"""`kubectl apply -k k8s/` with its pods run for real: up from nothing, counting, rolled by a changed file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.certificates import make_certificates
from tests.containers.acceptance import accept
from tests.containers.player import changes
from tests.containers.player.node import Node
from tests.containers.player.report import usage_table
from tests.containers.player.stand_in import StandIn
from tests.containers.player.system import PlayedSystem, free_ports
from tests.k8s.api_server.server import api_server
from tests.k8s.kubectl import Kubectl
from tests.k8s.rendering import copy_of_inputs
from tests.processes import REPOSITORY

NAMESPACE = "sightline"
READY_TIMEOUT_S = 120.0
VICTIMS = ("detector", "ingest")

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Cluster:
    """A cluster's API and its one node."""

    api: StandIn
    kubectl: Kubectl
    node: Node

    def apply(self, folder: Path) -> dict[str, str]:
        """`kubectl apply -k`, then wait until all is ready; gives what kubectl says of each object."""
        said = self.kubectl("apply", "-k", folder)
        self.node.settle(READY_TIMEOUT_S)
        return dict(line.rsplit(maxsplit=1) for line in said.splitlines())

    @property
    def processes(self) -> dict[str, int]:
        """The first process of each pod."""
        return {owner: pod.process_id for owner, pod in self.node.pods.items()}


@pytest.fixture(scope="module")
def cluster(images: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    volumes = tmp_path_factory.mktemp("volumes")
    certificates = make_certificates(folder)
    with api_server(certificates=certificates) as server, api_server(api=server.api) as plain:
        api = StandIn(server, NAMESPACE)
        node = Node(f"sightline-{server.port}", volumes, api, free_ports())
        node.start()
        try:
            # Over TLS kubectl would ask who it is.
            running = Cluster(api, Kubectl(plain.url, folder), node)
            said = running.apply(REPOSITORY / "k8s")
            assert set(said.values()) == {"created"}
            yield running
        finally:
            node.end()


def test_what_is_played_otherwise_is_on_the_list(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    allowed = changes.read_allowed()
    with capsys.disabled():
        print(f"\nPlayed otherwise than in a cluster:\n{changes.table(cluster.node.changes, allowed)}")
    assert changes.problems(cluster.node.changes, allowed) == []


def test_it_counts_right_while_containers_are_killed(cluster: Cluster, tmp_path: Path) -> None:
    accept(PlayedSystem(cluster.node, cluster.api), tmp_path, VICTIMS)
    assert {pod.pod.workload for pod in cluster.node.pods.values() if pod.runs > 1} == set(VICTIMS)


def test_a_second_apply_restarts_nothing(cluster: Cluster) -> None:
    before, secret = cluster.processes, cluster.api.secret("mongodb-store")
    said = cluster.apply(REPOSITORY / "k8s")
    # The finished Job is gone by then, so that it is made again; it leaves the Secrets as they are.
    assert {name for name, answer in said.items() if answer != "unchanged"} == {"job.batch/bootstrap"}
    assert cluster.processes == before
    assert cluster.api.secret("mongodb-store") == secret


def test_a_changed_file_rolls_its_pod_alone(cluster: Cluster, tmp_path: Path) -> None:
    before = cluster.processes
    copy = copy_of_inputs(tmp_path)
    with (copy / "configmaps" / "rtsp.yaml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    cluster.apply(copy / "k8s")
    after = cluster.processes
    assert {owner for owner in before if after[owner] != before[owner]} == {"Deployment/rtsp"}


def test_pods_keep_to_what_they_ask_for(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    pods = list(cluster.node.pods.values())
    with capsys.disabled():
        print(f"\n{usage_table(pods)}")
    for found in pods:
        limit = found.pod.container.resources.memory_limit_bytes
        assert limit and found.usage.memory_peak_bytes < limit, found.pod.owner
        assert not found.usage.killed, f"{found.pod.owner} wanted more memory than its limit"
