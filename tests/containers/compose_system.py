"""The system as docker-compose.yml describes it, unchanged, in a Docker engine."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.containers.docker_engine import DockerEngine
from tests.containers.images import image
from tests.containers.running_system import CAMERA_FOLDER, CAMERA_HOST
from tests.processes import REPOSITORY, free_port, wait_until

PORTS = {8080: "WEB", 8070: "JSON", 8090: "MJPEG", 8554: "RELAY", 8555: "ANNOTATED"}

SERVICES = ("mongodb", "nats", "ingest", "detector", "store", "web", "rtsp")

REGISTRY = "localhost/"
"""How images are called that were built here."""

READY_TIMEOUT_S = 120.0
COMMAND_TIMEOUT_S = 240


@dataclass(frozen=True)
class ComposeSystem:
    """A project of docker-compose, which differs from a user's by its name and by where its ports lie."""

    engine: DockerEngine
    name: str = "sightline-test"
    ports: Mapping[int, int] = field(default_factory=lambda: {port: free_port() for port in PORTS})

    @property
    def environment(self) -> Mapping[str, str]:
        """What docker-compose has to be told beside the project's name."""
        moved = {f"SIGHTLINE_{name}_PORT": str(self.ports[port]) for port, name in PORTS.items()}
        here = {"SIGHTLINE_BIND": "127.0.0.1", "SIGHTLINE_REGISTRY": REGISTRY}
        return {**self.engine.environment, **here, **moved}

    def compose(self, *arguments: str) -> str:
        """Give what a command prints; fails with what it says."""
        done = subprocess.run(
            ["docker-compose", "--project-name", self.name, *arguments],
            env=self.environment,
            cwd=REPOSITORY,
            text=True,
            capture_output=True,
            timeout=COMMAND_TIMEOUT_S,
        )
        assert done.returncode == 0, f"docker-compose {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def up(self) -> None:
        """Start what does not run, and wait until everything is well."""
        self.compose("up", "--detach", "--no-build")
        try:
            wait_until(lambda: not self.unwell(), READY_TIMEOUT_S, "all containers are healthy")
        except AssertionError:
            print(self.unwell(), self.compose("logs", "--tail", "10"))
            raise

    def unwell(self) -> dict[str, str]:
        """Give each service that is not healthy, with its status."""
        columns = '{{.Label "com.docker.compose.service"}}|{{.Status}}'
        lines = self.engine.docker("ps", "--all", *self._own, "--format", columns).splitlines()
        status = dict(line.split("|") for line in lines)
        return {
            service: status.get(service, "absent")
            for service in SERVICES
            if "(healthy)" not in status.get(service, "")
        }

    def leftovers(self) -> list[str]:
        """Give the containers, networks and volumes of this project that the engine still has."""
        kinds = (["ps", "--all"], ["network", "ls"], ["volume", "ls"])
        return [
            line for kind in kinds for line in self.engine.docker(*kind, "--quiet", *self._own).splitlines()
        ]

    def port(self, port: int) -> int:
        """See RunningSystem."""
        return self.ports[port]

    def admin_password(self) -> str:
        """See RunningSystem."""
        return self.compose("exec", "-T", "web", "cat", "/etc/sightline/secrets/admin/password").strip()

    def process_id(self, service: str) -> int:
        """See RunningSystem."""
        label = f"label=com.docker.compose.service={service}"
        container = self.engine.docker("ps", "--all", "--quiet", *self._own, "--filter", label)
        return int(self.engine.docker("inspect", "--format", "{{.State.Pid}}", container))

    @property
    def _own(self) -> list[str]:
        return ["--filter", f"label=com.docker.compose.project={self.name}"]

    @contextmanager
    def camera(self, folder: Path, command: Sequence[str]) -> Iterator[None]:
        """See RunningSystem."""
        place = ["--network", f"{self.name}_default", "--network-alias", CAMERA_HOST]
        mount = ["--volume", f"{folder}:{CAMERA_FOLDER}:ro", "--entrypoint", command[0]]
        container = self.engine.docker(
            "run", "--detach", "--rm", *place, *mount, image("ingest"), *command[1:]
        )
        try:
            yield
        finally:
            self.engine.docker("rm", "--force", container)
