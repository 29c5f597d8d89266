"""Where the tests keep images and run containers: buildah and podman, as `containers.conf` sets them up."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
PROGRAMS = ("buildah", "podman", "runc", "mmdebstrap")

TIMEOUT_S = 120.0


def environment(**more: str) -> Mapping[str, str]:
    """The variables under which both programs run."""
    return os.environ | {"CONTAINERS_CONF": str(HERE / "containers.conf")} | more


def require_engine() -> None:
    """Skip where containers cannot be run and could not be installed, fail where they could."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if os.geteuid() != 0:
        pytest.skip("not root: base image and containers need it")
    if missing:
        pytest.fail(f"{', '.join(missing)} absent: scripts/install-debian.sh test installs it")


def run(command: Sequence[str | Path], timeout_s: float = TIMEOUT_S, **more: str) -> str:
    """Give what a command prints; fails with what it says."""
    done = subprocess.run(
        command,
        env=environment(**more),
        text=True,
        capture_output=True,
        timeout=timeout_s,
        cwd=HERE.parents[1],
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def locked_down(image: str, *command: str, entry: str | None = None) -> str:
    """Run a command in an image as strictly as the manifests do, without a network; give what it prints."""
    limits = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--security-opt", "no-new-privileges"]
    entry_point = ["--entrypoint", entry] if entry else []
    return run(["podman", "run", "--rm", "--network", "none", *limits, *entry_point, image, *command])
