"""The images, built once for all tests that run containers, and the system that compose makes of them."""

from collections.abc import Iterator

import pytest

from tests.containers.compose_system import ComposeSystem
from tests.containers.docker_engine import docker_engine
from tests.containers.engine import require_engine
from tests.containers.images import build_images, build_whole


@pytest.fixture(scope="session")
def images() -> list[str]:
    """The full names of all images that a running system needs; only what has changed is built."""
    require_engine()
    return build_images()


@pytest.fixture(scope="session")
def whole() -> str:
    """The full name of the image with all of them; only what has changed is built."""
    require_engine()
    return build_whole()


@pytest.fixture(scope="session")
def compose_system(images: list[str]) -> Iterator[ComposeSystem]:
    """A system that docker-compose has started from nothing; at the end it leaves nothing."""
    with docker_engine() as engine:
        engine.load(images)
        system = ComposeSystem(engine)
        system.up()
        yield system
        system.compose("down", "--volumes")
        assert not system.leftovers()
