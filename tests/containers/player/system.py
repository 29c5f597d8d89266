"""The played manifests as the acceptance test sees them."""

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.containers.player.node import Node
from tests.containers.player.podman import podman
from tests.containers.player.stand_in import StandIn
from tests.containers.running_system import CAMERA_FOLDER, CAMERA_HOST
from tests.processes import free_port

PORTS = {"web": (8080,), "detector": (8070, 8090), "ingest": (8554,), "rtsp": (8555,)}
"""What users reach, by the workload that answers."""


def free_ports() -> dict[str, dict[int, int]]:
    """A port of loopback for each that users reach, as `kubectl port-forward` would give it."""
    return {workload: {port: free_port() for port in ports} for workload, ports in PORTS.items()}


@dataclass(frozen=True)
class PlayedSystem:
    """All pods of the manifests on a node."""

    node: Node
    api: StandIn

    def port(self, port: int) -> int:
        """Give the port of 127.0.0.1 that leads to one of the system."""
        return next(ports[port] for ports in self.node.published.values() if port in ports)

    def admin_password(self) -> str:
        """Give the first account's password, as `kubectl get secret` tells it."""
        return base64.b64decode(self.api.secret("admin")["password"]).decode()

    def process_id(self, service: str) -> int:
        """Give the first process of a service's container, 0 while none runs."""
        return self.node[service].process_id

    @contextmanager
    def camera(self, folder: Path, command: Sequence[str]) -> Iterator[None]:
        """Run a camera on the pods' network."""
        name = f"{self.node.name}-{CAMERA_HOST}"
        entry = json.dumps(list(command))
        image = self.node["ingest"].pod.container.image
        podman(
            *("run", "--detach", "--name", name, "--network", f"{self.node.name}:alias={CAMERA_HOST}"),
            *("--pull", "never", "--no-healthcheck", "--volume", f"{folder}:{CAMERA_FOLDER}:ro"),
            *("--entrypoint", entry, image),
        )
        try:
            yield
        finally:
            podman("rm", "--force", "--time", "0", name)
