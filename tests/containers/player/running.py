"""One pod that runs: its start, its health, its end."""

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.containers.player.arguments import container_arguments, pod_arguments
from tests.containers.player.health import Health
from tests.containers.player.plans import Pod
from tests.containers.player.podman import inspect, log, podman
from tests.containers.player.probes import Place, ask
from tests.containers.player.usage import Usage, read_usage


@dataclass
class RunningPod:
    """A pod in the engine."""

    pod: Pod
    prefix: str
    """Of the names in the engine, which it shares with others."""
    place: Place
    process_id: int = 0
    """Of the container's first process, as this machine numbers it; 0 while none runs."""
    exit_code: int | None = None
    runs: int = 0
    """How often its container was started."""
    usage: Usage = field(default_factory=Usage)
    health: Health = field(default_factory=lambda: Health((), 0))

    @property
    def ready(self) -> bool:
        """Whether a Service would lead to it."""
        return self.process_id > 0 and self.health.ready

    @property
    def to_its_end(self) -> bool:
        """Whether it has one thing to do, as a Job's pod has."""
        return self.pod.restart_policy != "Always"

    @property
    def done(self) -> bool:
        """Whether it has done that."""
        return self.to_its_end and self.exit_code == 0

    def tick(self, now_s: float) -> None:
        """Look after it once: see whether it runs, ask what is due, end it when it has to be."""
        if not _alive(self.process_id):
            self._look(now_s)
        if not self.process_id:
            return
        for schedule in self.health.due(now_s):
            schedule.record(ask(schedule.probe, self.place), now_s)
        if reading := read_usage(self.process_id):
            self.usage.add(reading)
        if self.health.must_end:
            self._end_container()

    def kill(self) -> None:
        """End the container's first process as a power cut would; the restart policy does the rest."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Delete the pod as a cluster does: the signal first, then the grace period."""
        podman("pod", "stop", _name(self.prefix, self.pod), timeout_s=self.pod.grace_s + 30)
        podman("pod", "rm", _name(self.prefix, self.pod))

    def log(self) -> str:
        """What it printed last."""
        return log(self.place.container)

    def _look(self, now_s: float) -> None:
        state = inspect(self.place.container)["State"]
        self.process_id = state["Pid"] if state["Running"] else 0
        self.exit_code = state["ExitCode"] if state["Status"] == "exited" else None
        if self.process_id:
            self.runs += 1
            self.health = Health(self.pod.container.probes, now_s)

    def _end_container(self) -> None:
        """`podman kill` and `podman stop` would be taken as the user's wish and start nothing again."""
        self._signal(signal.SIGTERM)
        deadline_s = time.monotonic() + self.pod.grace_s
        while _alive(self.process_id) and time.monotonic() < deadline_s:
            time.sleep(0.1)
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.process_id, number)


def start(
    pod: Pod,
    prefix: str,
    folders: Mapping[str, Path],
    published: Mapping[int, int],
    environment: Mapping[str, str],
) -> RunningPod:
    """Make the pod and its container and start both."""
    name = _name(prefix, pod)
    container = f"{name}-{pod.container.name}"
    podman(*pod_arguments(pod, name, prefix, published))
    podman(*container_arguments(pod, name, container, folders, environment))
    podman("pod", "start", name)
    infra = podman("pod", "inspect", "--format", "{{.InfraContainerID}}", name).strip()
    settings = inspect(infra)["NetworkSettings"]
    networks = settings.get("Networks") or {}
    address = networks[prefix]["IPAddress"] if prefix in networks else "127.0.0.1"
    running = RunningPod(
        pod, prefix, Place(container, Path(settings["SandboxKey"] or "/proc/1/ns/net"), address)
    )
    running.tick(time.monotonic())
    return running


def _name(prefix: str, pod: Pod) -> str:
    return f"{prefix}-{pod.name}"


def _alive(process_id: int) -> bool:
    return process_id > 0 and Path(f"/proc/{process_id}").exists()
