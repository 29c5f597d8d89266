"""Asks a probe's question as the kubelet does: at the pod's own address, or by a command in the container."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.containers.player.plans import Probe
from tests.containers.player.podman import PodmanError, podman


@dataclass(frozen=True)
class Place:
    """Where a pod is."""

    container: str
    network_namespace: Path
    address: str


def ask(probe: Probe, place: Place) -> bool:
    """Whether the answer is good."""
    if probe.command:
        try:
            podman("exec", place.container, *probe.command, timeout_s=probe.timeout_s)
        except (PodmanError, subprocess.TimeoutExpired):
            return False
        return True
    url = f"http://{place.address}:{probe.port}{probe.path}"
    command = [
        "curl",
        "--fail",
        "--silent",
        "--output",
        "/dev/null",
        "--max-time",
        f"{probe.timeout_s:g}",
        url,
    ]
    inside = ["nsenter", f"--net={place.network_namespace}", *command]
    return subprocess.run(inside, capture_output=True).returncode == 0
