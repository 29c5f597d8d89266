"""Builds all images that a running system needs, as `make images` does, but without an image registry."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.containers.engine import HERE, run
from tests.processes import REPOSITORY

BASE = "docker.io/library/python:3.11-slim-bookworm"

NAMES = ("store", "web", "detector", "ingest", "rtsp")

WHOLE = "sightline"
"""The image with all of them and their database."""

STAND_INS = {"mongo": "docker.io/library/mongo:8.0", "nats": "docker.io/library/nats:2.15.1-alpine"}
"""What stands for the images of others, under their names."""

BUILD_TIMEOUT_S = 1200.0


def version() -> str:
    """The version of the project, which is that of its images."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def image(name: str) -> str:
    """The full name of one of the project's images."""
    return f"localhost/{title(name)}:{version()}"


def title(name: str) -> str:
    """What an image is called, without its version."""
    return WHOLE if name == WHOLE else f"sightline-{name}"


def build_images() -> list[str]:
    """Build what has changed, and give the full names of all that a system of services needs."""
    with _builder(*NAMES) as options:
        for name, tag in STAND_INS.items():
            _build_stand_in(HERE / "standins" / name, tag, options)
    return [*map(image, NAMES), *STAND_INS.values()]


def build_whole() -> str:
    """Build the image of one container where something has changed, and give its full name."""
    with _builder(WHOLE):
        return image(WHOLE)


@contextmanager
def _builder(*names: str) -> Iterator[list[str]]:
    """Build images of the project, and give the options by which further ones are built."""
    run([HERE / "base-image.sh", BASE], BUILD_TIMEOUT_S)
    with TemporaryDirectory(prefix="sightline-network-") as folder:
        options = run([HERE / "network-options.sh", folder]).strip()
        run(
            [REPOSITORY / "scripts/images.sh", *names],
            BUILD_TIMEOUT_S,
            IMAGES_BUILDER="buildah",
            IMAGES_BUILD_OPTIONS=options,
        )
        yield options.split()


def _build_stand_in(folder: Path, tag: str, options: list[str]) -> None:
    """Its context is the repository, of whose files the images of the project leave out most."""
    run(
        [
            *("buildah", "build", "--layers", "--format", "docker", "--ignorefile", "/dev/null"),
            *("--file", folder / "Dockerfile", "--tag", tag, *options, REPOSITORY),
        ],
        BUILD_TIMEOUT_S,
    )
