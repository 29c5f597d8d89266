"""A Docker engine of the tests' own, started by hand in a folder: no firewall rule, and gone afterwards."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.containers.engine import environment
from tests.processes import wait_until

START_TIMEOUT_S = 60.0
END_TIMEOUT_S = 60.0
COMMAND_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class DockerEngine:
    """A running engine."""

    socket: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """What `docker` and `docker-compose` need to find it."""
        return os.environ | {"DOCKER_HOST": f"unix://{self.socket}"}

    def docker(self, *arguments: str) -> str:
        """Give what a command prints; fails with what it says."""
        done = subprocess.run(
            ["docker", *arguments],
            env=self.environment,
            text=True,
            capture_output=True,
            timeout=COMMAND_TIMEOUT_S,
        )
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def load(self, images: Sequence[str]) -> None:
        """Take images over from where buildah keeps them; layers that they share come once."""
        command = ["podman", "save", "--multi-image-archive", "--format", "docker-archive", *images]
        with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE) as saving:
            subprocess.run(
                ["docker", "load", "--quiet"], env=self.environment, stdin=saving.stdout, check=True
            )
        assert saving.returncode == 0, f"podman cannot give {images}"


@contextmanager
def docker_engine() -> Iterator[DockerEngine]:
    """Run an engine. The folder's path is short, for those of the sockets in it."""
    folder = Path(tempfile.mkdtemp(prefix="sightline-docker-"))
    configuration = folder / "daemon.json"
    configuration.write_text(json.dumps(_configuration(folder)))
    engine = DockerEngine(folder / "docker.sock")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["dockerd", "--config-file", configuration], stdout=log, stderr=log)
    try:
        wait_until(lambda: _answers(engine, process), START_TIMEOUT_S, "dockerd answers")
        yield engine
    except BaseException:
        print((folder / "log").read_text(errors="replace")[-3000:])
        raise
    finally:
        process.terminate()
        try:
            process.wait(END_TIMEOUT_S)
        finally:
            process.kill()
        _clean(folder)


def _configuration(folder: Path) -> dict[str, object]:
    """No rule is needed: containers reach each other by a bridge, and ports are passed on by a process."""
    return {
        "data-root": str(folder / "root"),
        "exec-root": str(folder / "exec"),
        "pidfile": str(folder / "pid"),
        "deprecated-key-path": str(folder / "key.json"),
        "hosts": [f"unix://{folder}/docker.sock"],
        "cgroup-parent": f"/{folder.name}",
        "bridge": "none",
        "iptables": False,
        "ip-masq": False,
        "ip-forward": False,
    }


def _answers(engine: DockerEngine, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "dockerd ended at once"
    with suppress(AssertionError):
        engine.docker("version")
        return True
    return False


def _clean(folder: Path) -> None:
    for group in (Path("/sys/fs/cgroup") / folder.name, *Path("/sys/fs/cgroup").glob(f"*/{folder.name}")):
        with suppress(FileNotFoundError):
            group.rmdir()
    shutil.rmtree(folder)
