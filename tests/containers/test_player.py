"""The player of manifests drops nothing unseen: what it does not know fails, what it changes is told."""

import os
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.containers.player import changes
from tests.containers.player.arguments import container_arguments, pod_arguments
from tests.containers.player.fields import Change, Unplayable
from tests.containers.player.folders import Folders, by_label, missing
from tests.containers.player.health import Health
from tests.containers.player.plans import Probe
from tests.containers.player.podman import PodmanError, remove_pods
from tests.containers.player.usage import Reading, Usage, read_usage
from tests.containers.player.workloads import Translation, translate

OBJECTS = yaml.safe_load("""
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web, namespace: sightline}
  spec:
    strategy: {type: Recreate}
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec:
        automountServiceAccountToken: false
        enableServiceLinks: false
        terminationGracePeriodSeconds: 45
        securityContext: {runAsUser: 10001, runAsGroup: 10001, fsGroup: 10002, runAsNonRoot: true}
        containers:
          - name: web
            image: sightline-web:1
            args: [serve, web]
            env:
              - {name: LOG_LEVEL, value: info}
            ports: [{name: http, containerPort: 8080}]
            readinessProbe: {httpGet: {path: /readyz, port: http}}
            resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 1500m, memory: 128Mi}}
            securityContext:
              allowPrivilegeEscalation: false
              readOnlyRootFilesystem: true
              capabilities: {drop: [ALL]}
            volumeMounts:
              - {name: secret, mountPath: /etc/secret}
              - {name: work, mountPath: /tmp}
        volumes:
          - {name: secret, secret: {secretName: login, defaultMode: 0400, items: [{key: a, path: b}]}}
          - {name: work, emptyDir: {}}
- apiVersion: v1
  kind: Service
  metadata: {name: page}
  spec: {selector: {app: web}, ports: [{port: 8080, targetPort: http}]}
""")
LOGIN = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "data": {"a": "aGVsbG8="}}


def template(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """The pod spec of the example's workload."""
    spec: dict[str, Any] = objects[0]["spec"]["template"]["spec"]
    return spec


def changed(change: Callable[[list[dict[str, Any]]], object]) -> Translation:
    """The example, translated after a change."""
    objects = deepcopy(OBJECTS)
    change(objects)
    return translate(objects)


def test_each_field_becomes_the_engines_option() -> None:
    pod = translate(OBJECTS).pods[0]
    folders = {"secret": Path("/f/secret"), "work": Path("/f/work")}
    made = " ".join(pod_arguments(pod, "n-web", "n", {8080: 18080}))
    assert f"--hostname {pod.name}" in made
    assert "--network n:alias=page --publish 127.0.0.1:18080:8080" in made
    ran = " ".join(container_arguments(pod, "n-web", "n-web-web", folders, {}))
    for option in (
        "--restart always --stop-timeout 45",
        "--user 10001:10001 --group-add 10002 --read-only --read-only-tmpfs=false",
        "--security-opt no-new-privileges --cap-drop ALL",
        "--cpu-shares 102 --cpus 1.5 --memory 134217728 --memory-swap 134217728",
        "--env LOG_LEVEL=info",
        "--volume /f/secret:/etc/secret:ro --volume /f/work:/tmp sightline-web:1 serve web",
    ):
        assert option in ran


UNKNOWN: dict[str, Callable[[list[dict[str, Any]]], object]] = {
    "a pod's field": lambda objects: template(objects).update(hostAliases=[{"ip": "10.0.0.1"}]),
    "an init container": lambda objects: template(objects).update(initContainers=[{"name": "wait"}]),
    "a container's field": lambda objects: template(objects)["containers"][0].update(
        lifecycle={"preStop": {}}
    ),
    "a second container": lambda objects: template(objects)["containers"].append(
        {"name": "two", "image": "two:1"}
    ),
    "a probe's field": lambda objects: template(objects)["containers"][0]["readinessProbe"].update(
        terminationGracePeriodSeconds=1
    ),
    "a volume's kind": lambda objects: template(objects)["volumes"].append(
        {"name": "disk", "hostPath": {"path": "/"}}
    ),
    "a value by a variable": lambda objects: template(objects)["containers"][0].update(args=["$(LOG_LEVEL)"]),
    "a secret in the environment": lambda objects: template(objects)["containers"][0]["env"].append(
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "a"}}}
    ),
    "a workload's field": lambda objects: objects[0]["spec"].update(paused=True),
    "two replicas": lambda objects: objects[0]["spec"].update(replicas=2),
    "a kind": lambda objects: objects.append({"kind": "CronJob", "metadata": {"name": "tidy"}}),
    "a port that leads elsewhere": lambda objects: objects[1]["spec"].update(
        ports=[{"port": 80, "targetPort": "http"}]
    ),
    "a Service without a pod": lambda objects: objects[1]["spec"].update(selector={"app": "nobody"}),
    "a selector that does not fit": lambda objects: objects[0]["spec"]["selector"].update(
        matchLabels={"app": "other"}
    ),
}


@pytest.mark.parametrize("change", UNKNOWN.values(), ids=UNKNOWN)
def test_what_cannot_be_played_fails(change: Callable[[list[dict[str, Any]]], object]) -> None:
    with pytest.raises(Unplayable):
        changed(change)


def test_what_is_left_out_is_told() -> None:
    assert Change("Deployment/web", "spec.strategy") in translate(OBJECTS).changes
    sized = changed(lambda objects: template(objects)["volumes"][1].update(emptyDir={"sizeLimit": "1Mi"}))
    assert set(sized.changes) - set(translate(OBJECTS).changes) == {
        Change("Deployment/web", "spec.template.spec.volumes.work.emptyDir.sizeLimit")
    }


def test_only_listed_changes_pass(tmp_path: Path) -> None:
    file = tmp_path / "allowed.txt"
    file.write_text(
        "# the list\n\nDeployment/*  spec.strategy  # one pod\nJob/*  *  # no jobs\nService/*  *\n"
    )
    allowed = changes.read_allowed(file)
    found = [Change("Deployment/web", "spec.strategy"), Change("Deployment/web", "spec.replicas")]
    assert changes.problems(found, allowed) == [
        "not on the list: Deployment/web spec.replicas (left out)",
        "on the list for nothing: Job/* *",
        "on the list for nothing: Service/* *",
        "on the list without a reason: Service/* *",
    ]
    told = changes.table(found, allowed)
    assert "spec.replicas\n    left out: NOT LISTED" in told
    assert "one pod" in told


def test_a_changed_template_is_another_pod() -> None:
    before = translate(OBJECTS).pods[0]
    assert changed(lambda objects: objects[0]["spec"].update(revisionHistoryLimit=1)).pods[0] == before
    assert (
        changed(lambda objects: template(objects).update(restartPolicy="Always")).pods[0].name != before.name
    )


def test_files_of_a_secret_belong_to_the_pods_group(tmp_path: Path) -> None:
    if tmp_path.stat().st_uid:
        pytest.skip("files of another group need root")
    pod = translate(OBJECTS).pods[0]
    assert missing(pod, by_label(OBJECTS)) == ["Secret/login"]
    folders = Folders(tmp_path).fill(pod, by_label([*OBJECTS, LOGIN]), {})
    file = folders["secret"] / "b"
    assert file.read_text() == "hello"
    assert (file.stat().st_mode & 0o777, file.stat().st_gid) == (0o440, 10002)
    assert folders["work"].stat().st_mode & 0o2020


def test_health_counts_as_the_kubelet() -> None:
    health = Health((Probe("startup"), Probe("readiness"), Probe("liveness")), began_s=0)

    def answer(kind: str, good: bool, now_s: float) -> None:
        schedule = next(due for due in health.due(now_s) if due.probe.kind == kind)
        schedule.record(good, now_s)

    assert [schedule.probe.kind for schedule in health.due(0)] == ["startup"]
    answer("startup", True, 0)
    assert health.started and not health.ready
    answer("readiness", True, 1)
    assert health.ready
    assert not [schedule for schedule in health.due(10.9) if schedule.probe.kind == "readiness"]
    for number in range(3):
        assert not health.must_end
        answer("liveness", False, 20 + 10 * number)
    assert health.must_end


VERSION_1 = {
    "memory/{}/memory.stat": "total_inactive_file 10",
    "memory/{}/memory.usage_in_bytes": "50",
    "memory/{}/memory.oom_control": "oom_kill 1",
    "cpu/{}/cpu.stat": "nr_periods 8\nnr_throttled 2",
    "cpuacct/{}/cpuacct.usage": "3000000000",
}
VERSION_2 = {
    "{}/memory.stat": "inactive_file 10",
    "{}/memory.current": "50",
    "{}/memory.events": "oom_kill 1",
    "{}/cpu.stat": "usage_usec 3000000\nnr_periods 8\nnr_throttled 2",
}


@pytest.mark.parametrize(
    ("files", "lines"),
    [(VERSION_1, "3:memory:{0}\n2:cpu,cpuacct:{0}\n1:name=systemd:{0}\n"), (VERSION_2, "0::{0}\n")],
)
def test_usage_is_a_container_s_own(files: dict[str, str], lines: str, tmp_path: Path) -> None:
    cgroups, processes = tmp_path / "cgroups", tmp_path / "processes"
    for folder in ("", "pod/one", "tests"):
        for name, text in files.items():
            file = cgroups / name.format(folder)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    for process, path in (("self", "/tests"), ("1", "/pod/one"), ("2", "/"), ("3", "/tests"), ("4", "/gone")):
        (processes / process).mkdir(parents=True)
        (processes / process / "cgroup").write_text(lines.format(path))
    reading = read_usage(1, processes, cgroups)
    assert reading is not None
    assert (reading.memory_bytes, reading.cpu_s, reading.throttled, reading.killed) == (40, 3.0, 0.25, 1)
    assert [read_usage(pid, processes, cgroups) for pid in (2, 3, 4, 5)] == [None] * 4


def test_usage_goes_over_a_restart() -> None:
    usage = Usage()
    for time_s, cpu_s, memory_bytes in ((0, 5, 10), (1, 6, 30), (2, 0, 5), (4, 1, 7)):
        usage.add(Reading(time_s, memory_bytes, cpu_s, 0, 0))
    assert (usage.cores_peak, usage.cores, usage.memory_peak_bytes) == (1.0, 0.5, 30)


FAILING_PODMAN = """#!/bin/sh
cd "$(dirname "$0")"
case "$2" in
  ps) cat pods ;;
  rm) echo try >> tries; [ "$(wc -l < tries)" -gt "$(cat failures)" ] && : > pods && exit
      echo "container state improper: stopped" >&2; exit 1 ;;
esac
"""
"""Fails to remove pods as often as the file `failures` says."""


def podman_that_fails(times: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a stand-in for the engine's command first; gives the file with a line for each try."""
    program = folder / "podman"
    program.write_text(FAILING_PODMAN)
    program.chmod(0o755)
    (folder / "pods").write_text("one\ntwo\n")
    (folder / "failures").write_text(str(times))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder / "tries"


def test_pods_are_removed_though_a_container_restarts_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = podman_that_fails(1, tmp_path, monkeypatch)
    remove_pods("node=any")
    assert tries.read_text() == "try\n" * 2


def test_pods_that_cannot_be_removed_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    podman_that_fails(99, tmp_path, monkeypatch)
    with pytest.raises(PodmanError, match="container state improper"):
        remove_pods("node=any", timeout_s=0.1)
