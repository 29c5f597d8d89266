"""What `sightline up` makes of the cameras that it is given."""

from dataclasses import replace

import pytest

from services.cli.setup_seed import SetupSeed, WantedCamera
from services.core.identifiers import id_from_name
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


def _named(*cameras: tuple[str, str]) -> SetupSeed:
    """What `--camera NAME=URL` asks for, once for each."""
    wanted: list[WantedCamera] = []
    for name, url in cameras:
        id = id_from_name(name, {item.camera.id for item in wanted})
        wanted.append(WantedCamera(Camera(CameraId(id), name, url), is_id_made=True))
    return SetupSeed(wanted, "traffic")


async def _addresses(tables: Tables) -> dict[str, tuple[str, str]]:
    return {item.camera.id: (item.camera.name, item.camera.url) for item in await tables.setups.cameras()}


FRONT, BACK = ("前门 1", "rtsp://192.0.2.1/a"), ("后门 1", "rtsp://192.0.2.2/b")


async def test_cameras_whose_names_give_one_id_stay_apart_whichever_is_left_out(tables: Tables) -> None:
    await _named(FRONT, BACK)._apply(tables.setups)
    before = {"1": FRONT, "1-2": BACK}
    assert await _addresses(tables) == before
    for again in (_named(BACK), _named(BACK, FRONT), _named(FRONT)):
        await again._apply(tables.setups)
        assert await _addresses(tables) == before
    side = ("侧门 1", "rtsp://192.0.2.3/c")
    await _named(side, BACK)._apply(tables.setups)
    assert await _addresses(tables) == {**before, "1-3": side}
    assert {item.generation for item in await tables.setups.cameras()} == {1}


async def test_a_camera_of_the_command_line_may_get_another_address_or_another_name(tables: Tables) -> None:
    await _named(FRONT, BACK)._apply(tables.setups)
    moved, renamed = ("后门 1", "rtsp://192.0.2.9/b"), ("大门 1", FRONT[1])
    await _named(moved, renamed)._apply(tables.setups)
    assert await _addresses(tables) == {"1": renamed, "1-2": moved}


async def test_a_camera_that_was_renamed_on_the_page_is_not_made_twice(tables: Tables) -> None:
    gate = ("Gate", "rtsp://192.0.2.1/a")
    await _named(gate)._apply(tables.setups)
    (stored,) = await tables.setups.cameras()
    await tables.setups.change_camera(replace(stored.camera, name="At the front", url="rtsp://192.0.2.5/"))
    await _named(gate)._apply(tables.setups)
    assert await _addresses(tables) == {"gate": gate}


async def test_a_name_that_is_written_otherwise_is_the_same_camera(tables: Tables) -> None:
    await _named(("Gate 1", "rtsp://192.0.2.1/a"))._apply(tables.setups)
    moved = ("gate-1", "rtsp://192.0.2.5/a")
    await _named(moved)._apply(tables.setups)
    assert await _addresses(tables) == {"gate-1": moved}
