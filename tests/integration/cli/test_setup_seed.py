"""What `sightline up` makes of the cameras that it is given."""

import pytest

from services.cli.setup_seed import SetupSeed, WantedCamera
from services.core.types import Camera, CameraId
from tests.conftest_database import database_uri, tables
from tests.makers import line
from tests.tables import Tables

__all__ = ["database_uri", "tables"]

DOOR = Camera(CameraId("door"), "Door", "demo://masks", "mask")


async def _line_ids(tables: Tables, camera: str) -> list[str]:
    return [found.id for found in await tables.setups.lines(camera)]


@pytest.mark.parametrize(
    ("url", "lines"), [("demo://masks", ["entrance"]), ("demo://traffic?seed=4", ["road", "pavement"])]
)
async def test_a_new_demo_comes_with_the_lines_of_its_scene(
    tables: Tables, url: str, lines: list[str]
) -> None:
    await SetupSeed([WantedCamera(Camera(DOOR.id, "Door", url))], "traffic")._apply(tables.setups)
    assert await _line_ids(tables, "door") == lines


async def test_a_line_that_somebody_deleted_stays_deleted(tables: Tables) -> None:
    seed = SetupSeed([WantedCamera(DOOR)], "traffic")
    await seed._apply(tables.setups)
    await tables.setups.delete_line("door", "entrance")
    await seed._apply(tables.setups)
    assert await _line_ids(tables, "door") == []


async def test_lines_that_are_given_take_their_place(tables: Tables) -> None:
    await SetupSeed([WantedCamera(DOOR, (line(),))], "traffic")._apply(tables.setups)
    assert await _line_ids(tables, "door") == ["main"]


async def test_nothing_wanted_and_nothing_there_gives_the_street(tables: Tables) -> None:
    await SetupSeed([], "traffic")._apply(tables.setups)
    (stored,) = await tables.setups.cameras()
    assert (stored.camera.url, stored.camera.model) == ("demo://traffic", "traffic")
    assert await _line_ids(tables, "demo") == ["road", "pavement"]
