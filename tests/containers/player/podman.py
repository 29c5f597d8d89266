"""The container engine's command."""

import json
import subprocess
import time
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any

from tests.containers.engine import environment


class PodmanError(Exception):
    """The command failed; the text is what it said."""


@cache
def _folder() -> TemporaryDirectory[str]:
    """Where the processes that watch containers leave a file `oom` when memory is spent; gone at the end."""
    return TemporaryDirectory(prefix="sightline-podman-")


def podman(*arguments: str, timeout_s: float = 120) -> str:
    """Run it and give what it prints. Paths are to be full ones."""
    done = subprocess.run(
        ["podman", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env=environment(),
        cwd=_folder().name,
    )
    if done.returncode:
        raise PodmanError(f"podman {' '.join(arguments)}\n{done.stderr[-2000:]}")
    return done.stdout


def remove_pods(label: str, timeout_s: float = 60) -> None:
    """End all pods with a label at once and remove them.

    Podman 4 fails when a container ends, or is started again by its restart policy, between its look
    and its signal ("container state improper"): what is left is removed by another try. Raises the last
    PodmanError when that lasts longer than the timeout.
    """
    deadline_s = time.monotonic() + timeout_s
    while left := podman("pod", "ps", "--quiet", "--filter", f"label={label}").split():
        try:
            podman("pod", "rm", "--force", "--time", "0", *left)
        except PodmanError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.5)


def inspect(name: str) -> dict[str, Any]:
    """Everything that the engine knows of a container."""
    found: list[dict[str, Any]] = json.loads(podman("container", "inspect", name))
    return found[0]


def log(name: str, lines: int = 40) -> str:
    """The last lines that a container printed, both streams together."""
    done = subprocess.run(
        ["podman", "logs", "--tail", str(lines), name],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    )
    return done.stdout
