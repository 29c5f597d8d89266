"""Of which seconds the positions are stored: whatever comes again, late or not at all."""

import asyncio
import random
from dataclasses import replace

import pytest

from services.common.database.documents import date_of, trajectory_document
from services.common.settings.space import SpaceLimits
from services.core.pieces import PieceRecorder, Recorded
from services.core.trajectories import TOLERANCE, at_rest, joined
from services.core.types import (
    AnalysedSecond,
    CameraId,
    LineId,
    Ownership,
    PositionSeconds,
    RepeatedSpan,
    TrackedFrame,
    TrackedObject,
    Trajectory,
    TrajectoryPoint,
)
from services.store.space import MEGABYTE, SpaceGate
from tests.makers import GATE, recent_minute_s, seconds, trajectory
from tests.tables import Tables

FPS = 5


def tracked(number: int, time_s: float, rest_s: float = 0.0) -> TrackedFrame:
    """A car that drives, and one that is parked since `rest_s`."""
    y = 0.1 + 0.002 * number
    cars = [TrackedObject(1, (0.1, y, 0.2, y + 0.1), "car", 0.8)]
    if time_s >= rest_s:
        cars.append(TrackedObject(2, (0.6, 0.5, 0.7, 0.6), "truck", 0.9))
    return TrackedFrame(GATE, number, time_s, tuple(cars))


def recorded(start: float, length_s: int, epoch: int = 1, first: int = 0) -> list[Recorded]:
    """What an owner publishes that is killed then."""
    recorder, published = PieceRecorder(GATE, 16 / 9, epoch, 9), []
    for number in range(first, first + length_s * FPS):
        published += recorder.add(tracked(number, round(start + (number - first) / FPS, 3)))
    return published


def counted(start: float, number: int, epoch: int = 1) -> list[AnalysedSecond]:
    return [replace(event, connection=9) for event in seconds(start, number, epoch)]


async def recountable(tables: Tables, start: float, end: float) -> list[int]:
    """The seconds since the start that can be counted again."""
    minutes = await tables.records.recountable_minutes(GATE, start, end)
    return [
        minute * 60 + n - int(start)
        for minute, bits in sorted(minutes.items())
        for n in range(60)
        if bits >> n & 1
    ]


async def tracks(tables: Tables, start: float, end: float) -> list[Trajectory]:
    return [track async for track in tables.records.trajectories(GATE, start, end)]


async def test_a_killed_owner_leaves_its_positions_and_says_which(tables: Tables) -> None:
    start = recent_minute_s()
    events = recorded(start, 60)
    await tables.events.insert_events([*events, *counted(start, 58)])
    assert await recountable(tables, start, start + 60) == list(range(1, 55))
    parked, moving = sorted(await tracks(tables, start, start + 60), key=lambda track: -track.track)
    assert (moving.points[0].time_s, moving.points[-1].time_s) == (start, pytest.approx(start + 54.8))
    assert moving.points[-1].box[1] - moving.points[0].box[1] == pytest.approx(0.002 * 274, abs=4 * TOLERANCE)
    assert [point.time_s for point in parked.points] == [start, pytest.approx(start + 54.8)]
    documents = [document async for document in tables.export.iterate_all("trajectories")]
    assert len(documents) == 11 + 1, "a track at rest is one document that grows"


async def test_both_facts_have_to_be_of_one_owner(tables: Tables) -> None:
    start = recent_minute_s()
    await tables.events.insert_events(counted(start, 10))
    assert await recountable(tables, start, start + 60) == []
    await tables.events.insert_events([PositionSeconds(GATE, (int(start), int(start) + 1), 2, 9)])
    assert await recountable(tables, start, start + 60) == []
    await tables.events.insert_events([PositionSeconds(GATE, (int(start) + 1, int(start) + 70), 1, 9)])
    assert await recountable(tables, start, start + 120) == [1]
    assert (await tables.records.analysed_minutes(GATE, start, start + 120))[start // 60 + 1] == 0


async def test_seconds_count_under_whatever_revision_of_the_setup(tables: Tables) -> None:
    """Positions are the same whatever lines were counted: a change of these takes nothing."""
    start = recent_minute_s()
    evidence = [
        replace(
            event, revision="before" if number < 20 else "after", lacking=(LineId("main"),) * (number == 20)
        )
        for number, event in enumerate(counted(start, 55))
    ]
    await tables.events.insert_events([*recorded(start, 60), *evidence])
    assert await recountable(tables, start, start + 60) == list(range(1, 55))
    found = {event.revision: event for event in tables.records.for_thread().evidence(GATE, start, start + 60)}
    assert {revision: event.seconds.bit_count() for revision, event in found.items()} == {
        "": 0,
        "before": 20,
        "after": 35,
    }
    assert found["after"].lacking == {"main": 1 << 20}


@pytest.mark.parametrize("seed", range(3))
async def test_order_and_repetition_change_nothing(tables: Tables, seed: int) -> None:
    chance, start = random.Random(seed), recent_minute_s()
    events = [*recorded(start, 60), *counted(start, 55)]
    expected = {e.piece_id: trajectory_document(e) for e in events if isinstance(e, Trajectory)}
    arriving = events + chance.sample(events, len(events) // 2)
    chance.shuffle(arriving)
    while arriving:
        await tables.events.insert_events(arriving[:7])
        del arriving[:7]
    documents = {d["_id"]: d async for d in tables.export.iterate_all("trajectories")}
    assert documents == expected, "of a rest the longest"
    assert await recountable(tables, start, start + 60) == list(range(1, 55))


@pytest.mark.parametrize("order", ["owner first", "pieces first"])
async def test_a_newer_owner_cuts_pieces_at_the_very_edge_and_takes_the_word(
    tables: Tables, order: str
) -> None:
    start = recent_minute_s()
    old, new = [*recorded(start, 60), *counted(start, 55)], [Ownership(GATE, 5, start + 32.5, 9)]
    for batch in [new, old] if order == "owner first" else [old, new]:
        await tables.events.insert_events(batch)
    await tables.events.insert_events(old)
    assert await recountable(tables, start, start + 60) == list(range(1, 32))
    for track in await tracks(tables, start, start + 60):
        assert track.points[-1].time_s == pytest.approx(start + 32.499)
    await tables.events.insert_events(
        [*recorded(start + 33, 20, epoch=5, first=500), *counted(start + 33, 15, 5)]
    )
    assert await recountable(tables, start, start + 60) == [*range(1, 32), *range(34, 48)]


async def test_a_time_that_comes_twice_has_no_positions(tables: Tables) -> None:
    start = recent_minute_s()
    await tables.events.insert_events([*recorded(start, 60), *counted(start, 55)])
    await tables.events.insert_events([RepeatedSpan(GATE, start + 10, start + 20, 1, start + 10, "set back")])
    assert await recountable(tables, start, start + 60) == [*range(1, 10), *range(20, 55)]


async def test_tracks_of_earlier_versions_are_read_as_whole_and_say_nothing_of_positions(
    tables: Tables,
) -> None:
    start = recent_minute_s()
    whole = trajectory(1, start, points=100)
    old = trajectory_document(whole)
    del old["piece"]
    await tables.link.collection("trajectories").insert_one(old | {"mask": None})
    await tables.link.collection("analysed").insert_one(
        {"_id": f"gate/{start // 60:.0f}", "camera": "gate", "time": date_of(start), "seconds": [0, 1, 2]}
    )
    (found,) = await tracks(tables, start + 5, start + 6)
    assert (found.id, found.piece, len(found.points)) == (whole.id, 0, 100)
    assert await recountable(tables, start, start + 60) == []
    assert await tables.records.analysed_minutes(GATE, start, start + 60) == {start // 60: 0b111}


async def test_what_retention_deletes_is_not_said_to_be_stored(tables: Tables) -> None:
    start = recent_minute_s()
    await tables.events.insert_events([*recorded(start, 60), *counted(start, 55)])
    number = sum([n async for n in tables.retention.delete_before("trajectories", start + 20.5, 500)])
    assert number == 4, "four pieces of the driving car; the rest goes on"
    assert await recountable(tables, start, start + 60) == list(range(21, 55))


async def test_a_restore_brings_positions_and_not_those_that_were_deleted(
    tables: Tables, database_uri: str
) -> None:
    start = recent_minute_s()
    await tables.events.insert_events([*recorded(start, 60), *counted(start, 55)])
    [n async for n in tables.retention.delete_before("trajectories", start + 20.5, 500)]
    exported = [item async for item in tables.export.export_documents()]
    other = Tables(database_uri, tables.name + "_copy")

    async def documents():
        for item in exported:
            yield item

    try:
        await other.restore.import_documents(documents())
        assert await recountable(other, start, start + 60) == list(range(21, 55))
        both = [await tracks(where, start, start + 60) for where in (tables, other)]
        assert both[0] == both[1] != []
    finally:
        await other.drop()
        await other.close()


async def test_pieces_go_first_where_the_disk_is_nearly_full_and_their_word_with_them(
    tables: Tables,
) -> None:
    """Also when there is room again before the word comes, and in another store."""
    start = recent_minute_s()
    events = [*recorded(start, 60), *counted(start, 55)]
    limits = SpaceLimits(trajectories_free_mb=500, statuses_free_mb=300, counts_free_mb=150)
    for number, event in enumerate(events):
        free_mb = 400 if 12 <= number < 20 else 1000
        gate = SpaceGate(limits, lambda free_mb=free_mb: free_mb * MEGABYTE)
        gate.look()
        kept, _ = gate.admit([event])
        await tables.events.insert_events(kept)
    assert (await tables.records.analysed_minutes(GATE, start, start + 60))[start // 60].bit_count() == 55
    found = await recountable(tables, start, start + 60)
    lost = {
        second - int(start)
        for event in events[12:20]
        if isinstance(event, PositionSeconds)
        for second in event.seconds
    }
    assert lost
    assert set(range(1, 55)) - set(found) >= lost
    first_refused = events[12]
    assert isinstance(first_refused, Trajectory)
    assert int(first_refused.points[-1].time_s - start) not in found


async def test_positions_that_are_dated_ahead_wait_aside_and_come_back(tables: Tables) -> None:
    start = recent_minute_s()
    await tables.events.insert_events([*recorded(start, 60), *counted(start, 55)])
    while await tables.aside.take_aside(start - 1):
        pass
    assert (
        await recountable(tables, start, start + 60),
        await tracks(tables, start, start + 60),
    ) == (
        [],
        [],
    )
    while await tables.aside.bring_back(start + 100):
        pass
    assert await recountable(tables, start, start + 60) == list(range(1, 55))
    assert len(await tracks(tables, start, start + 60)) == 2


async def test_a_span_is_read_track_by_track(tables: Tables) -> None:
    """A camera of some hours: what the database gives is joined as it comes."""
    start = recent_minute_s(300)
    pieces = [
        Trajectory(
            f"gate/1.9.0/{track}",
            GATE,
            track,
            1,
            "car",
            0.9,
            tuple(
                TrajectoryPoint(start + track * 60 + n * 5 + i, (0.1, 0.1 + i / 10, 0.2, 0.3))
                for i in range(4)
            ),
            n + 1,
        )
        for track in range(120)
        for n in range(3)
    ]
    assert not any(map(at_rest, pieces))
    await tables.events.insert_events(pieces)
    found = await tracks(tables, start, start + 7200)
    assert [track.track for track in found] == list(range(120))
    assert {len(track.points) for track in found} == {12}
    ordered = sorted(pieces, key=lambda piece: piece.points[-1].time_s)
    assert [track.id for track in found] == [track.id for track in joined(ordered)]
    reading = await asyncio.to_thread(
        lambda: next(tables.records.for_thread().trajectories(CameraId("gate"), 0, start + 60))
    )
    assert reading.track == 0
