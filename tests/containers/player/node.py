"""A node of one machine: brings what the API holds and what runs into agreement."""

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from tests.containers.player import running
from tests.containers.player.fields import Change
from tests.containers.player.folders import Folders, by_label, missing
from tests.containers.player.plans import Pod
from tests.containers.player.podman import podman, remove_pods
from tests.containers.player.running import RunningPod
from tests.containers.player.workloads import translate
from tests.k8s.checks.manifest import Manifest

TICK_S = 0.5


class Api(Protocol):
    """What a node wants of the API server."""

    def objects(self) -> list[Manifest]:
        """Everything in the namespace."""

    def token_files(self, service_account: str) -> Mapping[str, bytes]:
        """`token`, `ca.crt` and `namespace`, as a pod of the account finds them."""

    def environment(self) -> Mapping[str, str]:
        """Where a pod finds the API."""

    def finish_job(self, name: str) -> None:
        """Take note that a Job has ended well."""


class Node:
    """Plays the pods of a namespace until `end`."""

    def __init__(self, name: str, folder: Path, api: Api, published: Mapping[str, Mapping[int, int]]) -> None:
        """`name` marks everything in the engine; `published`: per workload, port to port of loopback."""
        self.name = name
        self._api = api
        self.published = published
        self._folders = Folders(folder)
        self._pods: dict[str, RunningPod] = {}
        self._lock = threading.RLock()
        self._ending = threading.Event()
        self._watch = threading.Thread(target=self._run, name=f"node {name}", daemon=True)
        self.changes: set[Change] = set()
        """What was played otherwise than in a cluster so far."""

    def start(self) -> None:
        """Make the pods' network and begin to look after pods."""
        podman("network", "create", self.name)
        self._watch.start()

    def end(self) -> None:
        """End all pods at once and leave nothing behind."""
        self._ending.set()
        self._watch.join()
        remove_pods(f"node={self.name}")
        self._folders.empty()
        podman("network", "rm", "--force", self.name)

    def __getitem__(self, workload: str) -> RunningPod:
        """The pod of a workload."""
        return next(found for found in self._pods.values() if found.pod.workload == workload)

    @property
    def pods(self) -> dict[str, RunningPod]:
        """All that run or have run to their end, by their owners."""
        return dict(self._pods)

    def settle(self, timeout_s: float) -> None:
        """Apply what the API holds, and wait until every pod is ready and every Job done and deleted."""
        deadline_s = time.monotonic() + timeout_s
        while (waiting := self.apply()) or self._unsettled():
            assert self._watch.is_alive(), "the node's thread has failed"
            assert time.monotonic() < deadline_s, self._report(waiting)
            time.sleep(TICK_S)

    def apply(self) -> list[str]:
        """Start, replace and end pods once; tells which wait for a ConfigMap or Secret."""
        for found in self._pods.values():
            if found.done:
                self._api.finish_job(found.pod.workload)
        objects = self._api.objects()
        translation = translate(objects)
        self.changes |= set(translation.changes)
        wanted = {pod.owner: pod for pod in translation.pods}
        waiting = []
        with self._lock:
            for owner in [owner for owner, found in self._pods.items() if wanted.get(owner) != found.pod]:
                self._pods.pop(owner).stop()
            for pod in (pod for pod in wanted.values() if pod.owner not in self._pods):
                absent = missing(pod, by_label(objects))
                if absent:
                    waiting.append(f"{pod.owner} waits for {', '.join(absent)}")
                else:
                    self._pods[pod.owner] = self._started(pod, objects)
        return waiting

    def _started(self, pod: Pod, objects: list[Manifest]) -> RunningPod:
        token = self._api.token_files(pod.token_of) if pod.token_of else {}
        return running.start(
            pod,
            self.name,
            self._folders.fill(pod, by_label(objects), token),
            self.published.get(pod.workload, {}),
            self._api.environment() if pod.token_of else {},
        )

    def _run(self) -> None:
        while not self._ending.wait(TICK_S):
            with self._lock:
                for found in self._pods.values():
                    found.tick(time.monotonic())

    def _unsettled(self) -> list[RunningPod]:
        return [found for found in self._pods.values() if found.to_its_end or not found.ready]

    def _report(self, waiting: list[str]) -> str:
        logs = [f"--- {found.pod.owner} is not ready\n{found.log()}" for found in self._unsettled()]
        return "\n".join([*waiting, *logs])
