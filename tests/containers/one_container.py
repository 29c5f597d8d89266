"""Sightline in one container, run by podman as the documentation runs it by Docker."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from tests.containers.engine import environment, run
from tests.containers.images import WHOLE, image
from tests.processes import free_port, wait_until

READY_TIMEOUT_S = 120.0
LOCKED_DOWN = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--security-opt", "no-new-privileges")
PASSWORD_COMMAND = re.compile(r"docker exec CONTAINER (cat \S+)")
"""What the log says to somebody who wants to log in."""


@dataclass(frozen=True)
class OneContainer:
    """A container and what it may be given; see RunningSystem for what a visitor needs of it."""

    name: str
    web_port: int = field(default_factory=free_port)

    def start(self, *options: str, command: Sequence[str] = (), **variables: str) -> None:
        """Make and start it."""
        given = [part for name, text in variables.items() for part in ("--env", f"{name}={text}")]
        place = ["--name", self.name, "--publish", f"127.0.0.1:{self.web_port}:8080"]
        run(["podman", "run", "--detach", *LOCKED_DOWN, *place, *given, *options, image(WHOLE), *command])

    def wait_until_healthy(self) -> None:
        """Wait for what the engine would ask."""
        try:
            wait_until(self.is_healthy, READY_TIMEOUT_S, "the container is healthy")
        except AssertionError:
            print(self.log())
            raise

    def is_healthy(self) -> bool:
        """Ask the image's own health check."""
        command = ["podman", "healthcheck", "run", self.name]
        return subprocess.run(command, env=environment(), capture_output=True, timeout=30).returncode == 0

    def execute(self, *command: str) -> str:
        """Give what a command prints that is run in it."""
        return run(["podman", "exec", self.name, *command])

    def log(self) -> str:
        """Give all that it has said."""
        done = subprocess.run(
            ["podman", "logs", self.name], env=environment(), capture_output=True, text=True, timeout=30
        )
        return done.stdout + done.stderr

    def state(self, what: str) -> str:
        """Give a part of its state, such as ExitCode."""
        return run(["podman", "inspect", "--format", f"{{{{.State.{what}}}}}", self.name]).strip()

    def port(self, port: int) -> int:
        """See RunningSystem."""
        assert port == 8080
        return self.web_port

    def admin_password(self) -> str:
        """See RunningSystem: by the command that its log gives."""
        told = PASSWORD_COMMAND.search(self.log())
        assert told, self.log()
        return self.execute(*told[1].split()).strip()


@contextmanager
def one_container() -> Iterator[OneContainer]:
    """Give one that is not there yet; afterwards neither it nor the volume of its name is."""
    container = OneContainer(f"sightline-one-{uuid4().hex[:8]}")
    try:
        yield container
    finally:
        for command in (("rm", "--force", "--time", "0", "--volumes"), ("volume", "rm", "--force")):
            subprocess.run(
                ["podman", *command, container.name], env=environment(), capture_output=True, timeout=60
            )
