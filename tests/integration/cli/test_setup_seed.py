"""What `sightline up` makes of the cameras that it is given."""

import pytest

from services.cli.setup_seed import SetupSeed, WantedCamera
from services.common.database.repository import Repository
from services.core.types import Camera, CameraId
from tests.conftest_database import database_uri, repository
from tests.makers import line

__all__ = ["database_uri", "repository"]

DOOR = Camera(CameraId("door"), "Door", "demo://masks", "mask")


async def _line_ids(repository: Repository, camera: str) -> list[str]:
    return [found.id for found in await repository.lines(camera)]


@pytest.mark.parametrize(
    ("url", "lines"), [("demo://masks", ["entrance"]), ("demo://traffic?seed=4", ["road", "pavement"])]
)
async def test_a_new_demo_comes_with_the_lines_of_its_scene(
    repository: Repository, url: str, lines: list[str]
) -> None:
    await SetupSeed([WantedCamera(Camera(DOOR.id, "Door", url))], "traffic")._apply(repository)
    assert await _line_ids(repository, "door") == lines


async def test_a_line_that_somebody_deleted_stays_deleted(repository: Repository) -> None:
    seed = SetupSeed([WantedCamera(DOOR)], "traffic")
    await seed._apply(repository)
    await repository.delete_line("door", "entrance")
    await seed._apply(repository)
    assert await _line_ids(repository, "door") == []


async def test_lines_that_are_given_take_their_place(repository: Repository) -> None:
    await SetupSeed([WantedCamera(DOOR, (line(),))], "traffic")._apply(repository)
    assert await _line_ids(repository, "door") == ["main"]


async def test_nothing_wanted_and_nothing_there_gives_the_street(repository: Repository) -> None:
    await SetupSeed([], "traffic")._apply(repository)
    (stored,) = await repository.cameras()
    assert (stored.camera.url, stored.camera.model) == ("demo://traffic", "traffic")
    assert await _line_ids(repository, "demo") == ["road", "pavement"]
