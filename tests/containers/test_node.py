"""The player's node does what a kubelet does, where a faulty pod shows it."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.containers.player.node import Node
from tests.containers.player.podman import podman
from tests.containers.player.running import RunningPod
from tests.k8s.checks.manifest import Manifest
from tests.processes import wait_until

TIMEOUT_S = 30.0
TOUCH = "import pathlib, time; pathlib.Path('/tmp/well').touch(); time.sleep(600)"
EAT = "import time; time.sleep(2); x = b'1' * 2**28; time.sleep(600)"
FILES = {"kind": "ConfigMap", "metadata": {"name": "files"}, "data": {"hello": "hello"}}
WRITE = "open('/written', 'w')"
ASK = "import urllib.request; print(urllib.request.urlopen('http://tidy:8000/hello').read().decode())"


@dataclass
class FewObjects:
    """An API with what it is given."""

    held: list[Manifest] = field(default_factory=list)

    def objects(self) -> list[Manifest]:
        return self.held

    def token_files(self, service_account: str) -> dict[str, bytes]:
        return {name: service_account.encode() for name in ("token", "ca.crt", "namespace")}

    def environment(self) -> dict[str, str]:
        return {}

    def finish_job(self, name: str) -> None:
        self.held = [found for found in self.held if found["metadata"]["name"] != name]


def deployment(name: str, image: str, volume: dict[str, Any], path: str, **container: Any) -> dict[str, Any]:
    """One pod with one volume."""
    security = {"runAsUser": 10001, "readOnlyRootFilesystem": True}
    mounts = [{"name": "volume", "mountPath": path}]
    main = {"name": "main", "image": image, "securityContext": security, "volumeMounts": mounts} | container
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
    }
    pod |= {"containers": [main], "volumes": [{"name": "volume"} | volume]}
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {"kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def faulty_pods(image: str) -> list[Manifest]:
    """One that a probe finds dead, one that wants too much, and one that is well."""
    work = {"emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
    files = {"configMap": {"name": "files"}}
    is_well = {"exec": {"command": ["test", "-e", "/tmp/well"]}, "periodSeconds": 1, "failureThreshold": 1}
    answers = {"httpGet": {"path": "/hello", "port": 8000}, "periodSeconds": 1}
    serve = ["python", "-m", "http.server", "8000", "--directory", "/files"]
    return [
        deployment("sick", image, work, "/tmp", command=["python", "-c", TOUCH], livenessProbe=is_well),
        deployment(
            *("greedy", image, work, "/tmp"),
            command=["python", "-c", EAT],
            resources={"limits": {"memory": "48Mi"}},
        ),
        deployment(
            *("tidy", image, files, "/files"),
            command=serve,
            ports=[{"containerPort": 8000}],
            readinessProbe=answers,
        ),
        {
            "kind": "Service",
            "metadata": {"name": "tidy"},
            "spec": {"selector": {"app": "tidy"}, "ports": [{"port": 8000}]},
        },
    ]


@pytest.fixture(scope="module")
def api(images: list[str]) -> FewObjects:
    return FewObjects(faulty_pods(next(name for name in images if "sightline-store" in name)))


@pytest.fixture(scope="module")
def node(api: FewObjects, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    name = f"sightline-node-{os.getpid()}"
    running = Node(name, tmp_path_factory.mktemp("volumes"), api, {})
    running.start()
    try:
        yield running
    finally:
        running.end()
        left = [podman(kind, "ls", "--format", "{{.Name}}", "--noheading") for kind in ("pod", "network")]
        assert name not in "".join(left)


def inside(pod: RunningPod, program: str) -> str:
    return podman(
        "exec", pod.place.container, "python", "-c", f"try:\n {program}\nexcept OSError as e: print(e)"
    )


def test_a_pod_waits_for_its_configuration(node: Node, api: FewObjects) -> None:
    assert node.apply() == ["Deployment/tidy waits for ConfigMap/files"]
    api.held.append(FILES)
    node.settle(TIMEOUT_S)
    assert node["tidy"].ready
    assert "Read-only file system" in inside(node["tidy"], WRITE)
    assert "hello" in inside(node["sick"], ASK)


def test_a_pod_that_fails_its_liveness_probe_is_started_again(node: Node) -> None:
    sick = node["sick"]
    inside(sick, "import os; os.remove('/tmp/well')")
    wait_until(lambda: sick.runs > 1, TIMEOUT_S, "the liveness probe ends the pod")
    assert inside(sick, "print(open('/tmp/well').read() == '')") == "True\n"


def test_memory_beyond_the_limit_ends_a_container(node: Node) -> None:
    greedy = node["greedy"]
    wait_until(lambda: greedy.runs > 1, TIMEOUT_S, "the container is ended for its memory, and started again")
    assert greedy.usage.memory_peak_bytes < 2**26


def test_a_killed_container_keeps_its_pods_address(node: Node) -> None:
    tidy = node["tidy"]
    tidy.kill()
    wait_until(lambda: tidy.runs == 2 and tidy.ready, TIMEOUT_S, "the container is back")
    assert "hello" in inside(node["sick"], ASK)


def test_a_changed_template_replaces_its_pod_alone(node: Node, api: FewObjects) -> None:
    before = {owner: pod.pod.name for owner, pod in node.pods.items()}
    api.held[0]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 2
    began_s = time.monotonic()
    node.settle(TIMEOUT_S)
    assert time.monotonic() - began_s > 1, "the old pod had its grace period"
    changed = {owner for owner, pod in node.pods.items() if pod.pod.name != before[owner]}
    assert changed == {"Deployment/sick"}
