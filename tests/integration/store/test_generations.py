"""A camera that is deleted and made again inherits nothing, in whatever order events come."""

import time
from dataclasses import replace
from itertools import count

import pytest

from services.common.database.documents import date_of
from services.common.database.generation_removal import GenerationRemoval
from services.common.database.generations import Generation
from services.common.database.schema import (
    ANALYSED,
    CAMERAS,
    CROSSINGS,
    GENERATIONS,
    LINES,
    MINUTES,
    REVISIONS,
    STATUSES,
    TRAJECTORIES,
)
from services.core.errors import ConflictError, NotFoundError
from services.core.evidence.lines import revision_of
from services.core.types import CameraSetup, CameraStatus, Crossing, Event, Ownership, StatusChange
from tests.makers import GATE, camera, crossing, line, seconds, trajectory
from tests.tables import Tables

NOW_S = time.time() // 60 * 60.0 - 3600
OWN = (CROSSINGS, MINUTES, ANALYSED, TRAJECTORIES, STATUSES, LINES, REVISIONS)


async def make(tables: Tables, at_s: float = NOW_S) -> Generation:
    """Make the camera with its line, and give its generation."""
    tables.now_s = lambda: at_s
    stored = await tables.setups.add_camera(camera())
    made = await tables.setups.add_line(GATE, line())
    setup = CameraSetup(stored.camera, (made,), revision=revision_of([made]))
    await tables.setups.keep_revisions([setup])
    return (await tables.generations.of_camera(GATE))[-1]


async def delete(tables: Tables, at_s: float = NOW_S) -> None:
    tables.now_s = lambda: at_s
    await tables.setups.delete_camera(GATE)


_numbers = count()


def seen(epoch: int, at_s: float, version: int = 1) -> list[Event]:
    """All that an owner reports of a second in which something crosses."""
    number = next(_numbers)
    one = replace(crossing(number, at_s, epoch=epoch), line_version=version)
    return [one, trajectory(number, at_s, epoch=epoch), *seconds(at_s, 1, epoch)]


async def crossings(tables: Tables, generation: Generation | None = None) -> list[Crossing]:
    records = tables.web.records(60.0)
    found = records.of(generation) if generation else records
    return list(found.crossings(GATE, NOW_S - 7200, NOW_S + 7200))


async def minutes(tables: Tables, generation: Generation | None = None) -> int:
    records = tables.web.records(60.0)
    found = records.of(generation) if generation else records
    counts = list(found.minute_counts(GATE, NOW_S - 7200, NOW_S + 7200))
    return sum(sum((*item.forward.values(), *item.backward.values())) for item in counts)


async def left(tables: Tables) -> dict[str, int]:
    """How many documents of the camera each collection holds."""
    return {name: await tables.link.collection(name).count_documents({"camera": GATE}) for name in OWN}


async def test_a_camera_made_again_in_the_same_second_counts_from_nothing(tables: Tables) -> None:
    first = await make(tables)
    await tables.events.insert_events([Ownership(GATE, 7, NOW_S), *seen(7, NOW_S + 1), *seen(7, NOW_S + 1.2)])
    await delete(tables, NOW_S + 1.5)
    second = await make(tables, NOW_S + 1.6)
    assert (first.number, second.number) == (1, 2)
    assert await crossings(tables) == [] and await minutes(tables) == 0
    epoch = second.first_epoch
    await tables.events.insert_events([Ownership(GATE, epoch, NOW_S + 1.7), *seen(epoch, NOW_S + 1.8, 3)])
    first = await tables.generations.one(GATE, 1)
    for generation, number in ((first, 2), (second, 1), (None, 1)):
        assert len(await crossings(tables, generation)) == number
        assert await minutes(tables, generation) == number, "they are of the same minute and line"
    records = tables.web.records(60.0).of(first)
    assert len(list(records.trajectories(GATE, NOW_S, NOW_S + 60))) == 2
    assert [v.line.version for v in await tables.setups.line_versions(GATE)] == [3]
    assert [v.line.version for v in await tables.setups.line_versions(GATE, 1)] == [1, 2]


async def test_what_arrives_late_belongs_to_the_generation_that_saw_it(tables: Tables) -> None:
    """The store was away: the owner of before is announced, and reports, after the camera was made again."""
    await make(tables)
    await delete(tables, NOW_S + 60)
    second = await make(tables, NOW_S + 61)
    old, new = int(NOW_S * 1000) + 5, second.first_epoch
    assert new > old + 1000
    late = [Ownership(GATE, old, NOW_S), *seen(old, NOW_S + 30)]
    await tables.events.insert_events([Ownership(GATE, new, NOW_S + 62), *seen(new, NOW_S + 63, 3), *late])
    assert [item.epoch for item in await crossings(tables)] == [new]
    assert [item.epoch for item in await crossings(tables, await tables.generations.one(GATE, 1))] == [old]
    assert (await minutes(tables), await minutes(tables, await tables.generations.one(GATE, 1))) == (1, 1)


@pytest.mark.parametrize("back_s", [0.0, 5000.0])
async def test_generations_stay_apart_when_the_clock_is_set_back(tables: Tables, back_s: float) -> None:
    epochs = []
    for turn in range(4):
        generation = await make(tables, NOW_S - turn * back_s)
        epochs.append(max(generation.first_epoch, int(NOW_S * 1000) + turn))
        owned = Ownership(GATE, epochs[-1], NOW_S - turn * back_s)
        await tables.events.insert_events([owned, *seen(epochs[-1], owned.from_s + 1)])
        await delete(tables, NOW_S - turn * back_s)
    known = await tables.generations.of_camera(GATE)
    assert [item.number for item in known] == [1, 2, 3, 4]
    assert [[other.has(epoch) for other in known].index(True) for epoch in epochs] == [0, 1, 2, 3]
    assert epochs == sorted(set(epochs))


async def test_a_database_of_an_older_release_has_one_generation(tables: Tables) -> None:
    await make(tables)
    await tables.link.collection(CAMERAS).update_one(
        {"_id": GATE}, {"$unset": {"generation": "", "first_epoch": ""}}
    )
    await tables.events.insert_events(seen(7, NOW_S + 1))
    await tables.link.collection(ANALYSED).update_many({}, {"$unset": {"epoch": ""}})
    (only,) = await tables.generations.of_camera(GATE)
    assert (only.number, only.first_epoch, only.deleted_s) == (1, 0, None)
    assert await minutes(tables) == 1
    await delete(tables, NOW_S + 10)
    second = await make(tables, NOW_S + 20)
    first = await tables.generations.one(GATE, 1)
    assert (second.number, first.deleted_s, first.name) == (2, NOW_S + 10, "Gate")
    assert (await minutes(tables), await minutes(tables, first)) == (0, 1)
    evidence = list(tables.web.records(9.0).of(first).evidence(GATE, NOW_S, NOW_S + 60))
    assert [item.seconds for item in evidence] == [2]
    assert list(tables.web.records(9.0).evidence(GATE, NOW_S, NOW_S + 60)) == []


async def test_a_camera_that_an_older_release_deleted_is_known_by_what_it_left(tables: Tables) -> None:
    await make(tables)
    await tables.events.insert_events([Ownership(GATE, 7, NOW_S), *seen(7, NOW_S + 1)])
    await delete(tables, NOW_S + 10)
    await tables.link.collection(GENERATIONS).delete_many({})
    (found,) = await tables.generations.of_all()
    assert (found.camera, found.number, found.created_s, found.deleted_s) == (GATE, 1, NOW_S, NOW_S + 10)
    second = await make(tables, NOW_S + 20)
    assert second.number == 2 and await crossings(tables) == []
    assert [item.number for item in await tables.generations.of_camera(GATE)] == [1, 2]


async def test_a_second_camera_of_the_same_id_changes_nothing(tables: Tables) -> None:
    first = await make(tables)
    with pytest.raises(ConflictError, match="already"):
        await tables.setups.add_camera(camera())
    assert await tables.generations.of_camera(GATE) == [first]
    assert await tables.link.collection(GENERATIONS).count_documents({}) == 0
    await tables.setups.change_camera(replace(camera(), name="Other"))
    assert (await tables.setups.camera(GATE)).generation == 1


async def test_an_old_generation_is_removed_and_the_newest_keeps_all(tables: Tables) -> None:
    await make(tables)
    times = [NOW_S - 5 * 86_400, *(NOW_S + n for n in range(8))]
    old = [Ownership(GATE, 7, times[0]), *(event for at_s in times for event in seen(7, at_s))]
    await tables.events.insert_events([*old, StatusChange(GATE, NOW_S, CameraStatus.LIVE)])
    await delete(tables, NOW_S + 30)
    second = await make(tables, NOW_S + 31)
    before = await left(tables)
    new = [Ownership(GATE, second.first_epoch, NOW_S + 32), *seen(second.first_epoch, NOW_S + 33, 3)]
    await tables.events.insert_events([*new, StatusChange(GATE, NOW_S + 32, CameraStatus.LIVE)])
    with pytest.raises(ConflictError, match="delete the camera first"):
        await tables.generations.ask_removal(GATE, 2)
    await tables.generations.ask_removal(GATE, 1)
    with pytest.raises(NotFoundError):
        await tables.generations.one(GATE, 1)
    async for number in tables.removal.remove_asked(2):
        assert number <= 2
        break  # the process ends here
    again = GenerationRemoval(tables.link, tables.schema)
    steps = [number async for number in again.remove_asked(2)]
    assert len(steps) > 5 and max(steps) <= 2
    assert before[CROSSINGS] == 9
    assert await left(tables) == dict.fromkeys(OWN, 1), "what is left is of the newest"
    assert len(await crossings(tables)) == await minutes(tables) == 1
    assert [number async for number in again.remove_asked(2)] == []
    assert await tables.events.insert_events(seen(7, NOW_S + 2)) == 3, "it is removed, whatever comes late"
    assert (await left(tables))[CROSSINGS] == 1


async def test_a_camera_made_again_while_its_past_is_removed_loses_nothing(tables: Tables) -> None:
    await make(tables)
    await tables.events.insert_events([Ownership(GATE, 7, NOW_S), *seen(7, NOW_S + 1), *seen(7, NOW_S + 2)])
    await delete(tables, NOW_S + 30)
    await tables.generations.ask_removal(GATE, 1)
    steps = tables.removal.remove_asked(1)
    await anext(steps)
    second = await make(tables, NOW_S + 40)
    epoch = second.first_epoch
    await tables.events.insert_events([Ownership(GATE, epoch, NOW_S + 41), *seen(epoch, NOW_S + 42, 3)])
    async for _ in steps:
        pass
    assert second.number == 2
    assert len(await crossings(tables)) == await minutes(tables) == 1
    assert [item.number for item in await tables.generations.of_camera(GATE)] == [2]
    assert [item.id for item in await tables.setups.lines(GATE)] == ["main"]
    word = await tables.link.collection(GENERATIONS).find_one({"_id": f"{GATE}/1"})
    assert word is not None and (word["name"], word["time"]) == ("", date_of(NOW_S))
