"""The commands of docs/operations.md for compose, in their order, on a Docker engine."""

import shutil
from pathlib import Path

import pytest

from tests.containers.compose_system import ComposeSystem
from tests.docs.commands import REPOSITORY, operations
from tests.docs.commands_on_path import write_commands
from tests.docs.shell import open_shell

PORTS = (8080, 8070, 8090, 8554, 8555)
DOCKER = """\
[ "$1" = compose ] || exec {docker} "$@"
shift
exec docker-compose "$@"
"""
"""`docker compose` of today is `docker-compose` of Debian 12, which calls `docker` itself."""


@pytest.mark.timeout(600)
def test_commands_of_the_operations_do_what_they_say(compose_system: ComposeSystem, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    found = write_commands(tmp_path / "bin", {"docker": DOCKER.format(docker=shutil.which("docker"))})
    own = {
        "COMPOSE_PROJECT_NAME": compose_system.name,
        "COMPOSE_FILE": str(REPOSITORY / "docker-compose.yml"),
    }
    environment = {**compose_system.environment, **own, "PATH": found["PATH"]}
    ports = {f"127.0.0.1:{port}": f"127.0.0.1:{compose_system.port(port)}" for port in PORTS}
    with open_shell(here, environment, ports) as shell:
        for block in operations("compose"):
            shell.run(block)
    assert compose_system.unwell(), "the last one ends everything"
