"""The parts of the database against a real server."""

import asyncio
import random
import time
from dataclasses import replace

import pytest

from services.common.access.accounts import AuditEntry, UserRole
from services.common.database import setups as database_setups
from services.common.database.documents import date_of
from services.common.database.reading import CrossingCursor
from services.core.errors import (
    BadInputError,
    ConflictError,
    DatabaseUnavailableError,
    HalfRestoredError,
    NotFoundError,
)
from services.core.types import CameraId, CameraStatus, Line, LineId, Ownership, StatusChange
from tests.database_server import free_port
from tests.makers import GATE, camera, crossing, line, recent_minute_s, seconds, trajectory
from tests.tables import Tables


async def test_cameras_are_kept_in_the_order_of_their_making(tables: Tables) -> None:
    for id in ("zoo", "gate", "alley"):
        await tables.setups.add_camera(camera(id))
    with pytest.raises(ConflictError):
        await tables.setups.add_camera(camera("gate"))
    assert [stored.camera.id for stored in await tables.setups.cameras()] == ["zoo", "gate", "alley"]
    await tables.setups.delete_camera("zoo")
    with pytest.raises(NotFoundError):
        await tables.setups.camera("zoo")
    assert (await tables.setups.camera("gate")).camera == camera("gate")


async def test_a_restore_that_begins_during_a_write_stops_it_before_the_evidence(
    tables: Tables, database_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else evidence would stand in the restored database whose crossings were deleted."""
    begin_s = recent_minute_s()
    events = [crossing(1, begin_s + 1), trajectory(1, begin_s + 2), *seconds(begin_s, 5)]
    restoring = Tables(database_uri, tables.name)
    recompute = tables.minutes.recompute_minutes

    async def and_a_restore_begins(touched: object) -> None:
        await recompute(touched)
        monkeypatch.undo()
        await restoring.restore.begin_restore()
        await restoring.restore.clear()

    monkeypatch.setattr(tables.minutes, "recompute_minutes", and_a_restore_begins)
    with pytest.raises(HalfRestoredError):
        await tables.events.insert_events(events)
    assert not await tables.records.analysed_minutes(GATE, begin_s - 60, begin_s + 120)
    await restoring.restore.end_restore()
    await restoring.close()
    assert await tables.events.insert_events(events) == 0
    assert [item async for item in tables.records.crossings(GATE, begin_s, begin_s + 60)]
    assert await tables.records.analysed_minutes(GATE, begin_s - 60, begin_s + 120)


async def test_a_login_beside_a_restore_writes_nothing(tables: Tables, database_uri: str) -> None:
    user = await tables.accounts.add_user("anna", UserRole.VIEWER, "hash")
    restoring = Tables(database_uri, tables.name)
    await restoring.restore.begin_restore()
    try:
        with pytest.raises(HalfRestoredError):
            await tables.accounts.remember_network(user, "192.0.2.1")
        known = await tables.accounts.user("anna")
        assert known is not None and known.networks == ()
    finally:
        await restoring.restore.end_restore()
        await restoring.close()
    await tables.accounts.remember_network(user, "192.0.2.1")
    known = await tables.accounts.user("anna")
    assert known is not None and known.networks == ("192.0.2.1",)


async def test_what_the_store_left_half_done_is_finished_by_the_store_alone(
    tables: Tables, database_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever else writes first after the end of a store leaves the note of it as it is."""
    start = recent_minute_s()

    async def ended(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tables.minutes, "recompute_minutes", ended)
        with pytest.raises(KeyboardInterrupt):
            await tables.events.insert_events([crossing(1, start + 1)])
    next_process = Tables(database_uri, tables.name)
    await next_process.web.setups.add_camera(camera())
    await next_process.web.audit.add_audit(AuditEntry("login", user="anna"))
    assert await next_process.records.minute_counts(GATE, start, start + 60) == []
    await next_process.events.insert_events([crossing(2, start + 61)])
    counts = await next_process.records.minute_counts(GATE, start, start + 120)
    assert [count.forward for count in counts] == [{"car": 1}, {"car": 1}], "before its first write"
    await next_process.close()


async def test_a_changed_line_is_a_new_version_and_a_deleted_one_goes_on_when_made_again(
    tables: Tables,
) -> None:
    await tables.setups.add_camera(camera())
    await tables.setups.add_line("gate", line())
    await tables.setups.add_line("gate", line("side"))
    with pytest.raises(ConflictError):
        await tables.setups.add_line("gate", line())
    assert (await tables.setups.change_line("gate", line(y=0.5))).version == 2
    assert (await tables.setups.change_line("gate", line(y=0.5))).version == 2
    assert [(found.id, found.version) for found in await tables.setups.lines("gate")] == [
        ("main", 2),
        ("side", 1),
    ]
    await tables.setups.delete_line("gate", "main")
    assert [found.id for found in await tables.setups.lines("gate")] == ["side"]
    with pytest.raises(NotFoundError):
        await tables.setups.delete_line("gate", "main")
    assert (await tables.setups.add_line("gate", line())).version == 4
    points = {v.line.version: v.line.points[0][1] for v in await tables.setups.line_versions("gate")}
    assert points[1] == 0.7
    assert points[2] == 0.5


async def test_there_are_only_so_many_cameras_and_lines(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_setups, "MOST_CAMERAS", 2)
    monkeypatch.setattr(database_setups, "MOST_LINES", 2)
    for name in ("gate", "yard"):
        await tables.setups.add_camera(camera(name))
    with pytest.raises(ConflictError, match="there are 2 cameras already: remove some first"):
        await tables.setups.add_camera(camera("hall"))
    for name in ("main", "side"):
        await tables.setups.add_line("gate", line(name))
    with pytest.raises(ConflictError, match="camera 'gate' has 2 lines already"):
        await tables.setups.add_line("gate", line("third"))
    await tables.setups.change_line("gate", line("side", 0.3))
    await tables.setups.delete_line("gate", "main")
    await tables.setups.add_line("gate", line("third"))
    await tables.setups.add_line("yard", line("main"))
    found = await tables.setups.lines_of_all()
    assert {camera: [item.id for item in lines] for camera, lines in found.items()} == {
        "gate": ["side", "third"],
        "yard": ["main"],
    }
    assert await tables.setups.lines("gate") == found["gate"]


async def test_reads_that_go_on_for_too_long_are_given_up(tables: Tables) -> None:
    start = recent_minute_s()
    await tables.events.insert_events([crossing(n, start + n) for n in range(3)])
    assert len(list(tables.records.for_thread(60).crossings("gate", start, start + 60))) == 3
    with pytest.raises(BadInputError, match="longer than 0 s: ask for a shorter span, or for one line"):
        list(tables.records.for_thread(0).crossings("gate", start, start + 60))


async def test_a_camera_that_is_made_again_has_no_lines_and_goes_on_in_epochs(tables: Tables) -> None:
    await tables.setups.add_camera(camera())
    await tables.setups.add_line("gate", Line(LineId("l"), "L", ((0.1, 0.1), (0.2, 0.2))))
    assert await tables.ownerships.highest_epoch(GATE) == 0
    for epoch in (3, 7, 5):
        await tables.events.insert_events([Ownership(GATE, epoch, recent_minute_s() + epoch)])
    await tables.setups.delete_camera("gate")
    await tables.setups.add_camera(camera())
    assert await tables.setups.lines("gate") == []
    assert await tables.ownerships.highest_epoch(GATE) == 7
    assert await tables.ownerships.highest_epochs() == {GATE: 7}


async def test_events_written_again_change_nothing(tables: Tables) -> None:
    start = recent_minute_s()
    crossings = [crossing(n, start + n * 1.7, class_name="bus" if n % 5 == 0 else "car") for n in range(100)]
    events = [
        *crossings,
        trajectory(1, start),
        *seconds(start, 90),
        StatusChange(GATE, start, CameraStatus.LIVE, ""),
    ]
    await tables.events.insert_events(events)
    before = await tables.records.minute_counts("gate", start, start + 600)
    random.Random(1).shuffle(events)
    for _ in range(2):
        await tables.events.insert_events(events)
    assert await tables.records.minute_counts("gate", start, start + 600) == before
    found = [item async for item in tables.records.crossings("gate", start, start + 600)]
    assert [item.id for item in found] == [item.id for item in reversed(crossings)]
    assert sum(sum(minute.forward.values()) for minute in before) == 100
    assert before[0].forward == {"bus": 8, "car": 28}


async def test_a_late_crossing_corrects_its_minute(tables: Tables) -> None:
    start = recent_minute_s()
    await tables.events.insert_events([crossing(1, start + 59.9994)])
    await tables.events.insert_events(
        [crossing(2, start + 59.9996), crossing(3, start + 3, direction="backward")]
    )
    first, second = await tables.records.minute_counts("gate", start, start + 120, "main")
    assert (first.forward, first.backward) == ({"car": 1}, {"car": 1})
    assert second.forward == {"car": 1}


async def test_minutes_are_healed_after_an_end_between_crossings_and_minutes(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = recent_minute_s()

    async def ended(touched: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tables.minutes, "recompute_minutes", ended)
        with pytest.raises(KeyboardInterrupt):
            await tables.events.insert_events([crossing(1, start)])
    assert await tables.records.minute_counts("gate", start, start + 60) == []
    await tables.prepare()
    assert [m.forward for m in await tables.records.minute_counts("gate", start, start + 60)] == [{"car": 1}]


async def test_crossings_are_paged_over_equal_times(tables: Tables) -> None:
    start = recent_minute_s()
    await tables.events.insert_events([crossing(n, start + n // 10) for n in range(50)])
    everything = [
        item.id async for item in tables.records.crossings("gate", start - 86_400 * 300, start + 100)
    ]
    assert len(everything) == len(set(everything)) == 50
    paged: list[str] = []
    place = None
    while True:
        page = []
        async for item in tables.records.crossings("gate", start, start + 100, after=place):
            page.append(item)
            if len(page) == 7:
                break
        if not page:
            break
        paged += [item.id for item in page]
        place = CrossingCursor(page[-1].time_s, page[-1].id)
    assert paged == everything


async def test_trajectories_come_back_within_half_a_step(tables: Tables) -> None:
    start = recent_minute_s()
    original = trajectory(1, start)
    await tables.events.insert_events([original, trajectory(2, start - 500)])
    (found,) = [item async for item in tables.records.trajectories("gate", start, start + 10)]
    assert found.id == original.id
    for got, given in zip(found.points, original.points, strict=True):
        assert got.time_s == pytest.approx(given.time_s, abs=0.0006)
        assert got.box == pytest.approx(given.box, abs=0.00006)


async def test_mask_states_are_kept_and_counted_by_minute(tables: Tables) -> None:
    start = recent_minute_s()
    states = ["mask", "mask", "no_mask", "mask_incorrect"]
    whole = replace(trajectory(1, start), class_name="mask")
    events = [crossing(n, start + n, class_name=name) for n, name in enumerate(states)]
    await tables.events.insert_events([*events, whole])
    stored = [found async for found in tables.records.crossings("gate", start, start + 60)]
    assert [found.mask for found in stored] == [*reversed(states)]
    (kept,) = [found async for found in tables.records.trajectories("gate", start, start + 60)]
    assert kept.class_name == "mask"
    (minute,) = await tables.records.minute_counts("gate", start, start + 60)
    assert minute.forward == {"mask": 2, "no_mask": 1, "mask_incorrect": 1}


async def test_classes_of_any_name_are_kept_and_counted_by_minute(tables: Tables) -> None:
    start = recent_minute_s()
    names = ["St. Bernard", "$cost", "Gabelstapler für Paletten", "=1+1", "a.b.c", "Helm"]
    events = [crossing(n, start + n, class_name=name) for n, name in enumerate(names)]
    await tables.events.insert_events(events)
    (minute,) = await tables.records.minute_counts("gate", start, start + 60)
    assert minute.forward == dict.fromkeys(names, 1)


async def test_analysed_seconds_and_statuses(tables: Tables) -> None:
    start = recent_minute_s()
    await tables.events.insert_events(seconds(start + 58, 4))
    await tables.events.insert_events(seconds(start + 60, 4))
    minutes = await tables.records.analysed_minutes("gate", start + 30, start + 120)
    assert minutes == {int(start // 60): 0b11 << 58, int(start // 60) + 1: 0b1111}
    old = StatusChange(GATE, start - 5000, CameraStatus.LIVE, "")
    new = StatusChange(GATE, start + 1, CameraStatus.DEGRADED, "connection refused")
    await tables.events.insert_events([old, new, new])
    assert await tables.records.statuses("gate", start, start + 60) == [old, new]


@pytest.mark.parametrize("collection", ["crossings", "minutes", "analysed", "trajectories", "statuses"])
async def test_queries_use_an_index(tables: Tables, collection: str) -> None:
    start = recent_minute_s()
    await tables.events.insert_events(
        [
            crossing(1, start),
            trajectory(1, start),
            *seconds(start, 2),
            StatusChange(GATE, start, CameraStatus.LIVE),
        ]
    )
    span = {"camera": "gate", "time": {"$gte": date_of(start), "$lt": date_of(start + 60)}}
    plan = await tables.link.collection(collection).find(span).sort([("time", -1)]).explain()
    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])


async def test_a_newer_schema_is_refused(tables: Tables, database_uri: str) -> None:
    await tables.link.collection("meta").update_one({"_id": "schema"}, {"$set": {"version": 99}})
    older = Tables(database_uri, tables.name)
    with pytest.raises(BadInputError, match="newer version"):
        await older.prepare()
    await older.close()


async def test_writers_that_begin_together_do_not_lock_up(database_uri: str) -> None:
    """The embedded server locks up when indexes are made beside writes: writers wait for them."""
    for attempt in range(3):
        fresh = Tables(database_uri, f"together_{attempt}_{time.monotonic_ns()}")
        writers = [fresh.setups.add_camera(replace(camera(), id=CameraId(f"c{n}"))) for n in range(4)]
        await asyncio.wait_for(asyncio.gather(fresh.prepare(), *writers), 20)
        await fresh.close()


async def test_everything_moves_to_another_store_and_twice_changes_nothing(
    tables: Tables, database_uri: str
) -> None:
    start = recent_minute_s()
    await tables.setups.add_camera(camera())
    await tables.setups.add_line("gate", line())
    await tables.events.insert_events([Ownership(GATE, 1, start - 5), Ownership(GATE, 2, start + 600)])
    await tables.events.insert_events(
        [*(crossing(n, start + n) for n in range(90)), trajectory(1, start), *seconds(start, 90)]
    )
    exported = [item async for item in tables.export.export_documents()]
    other = Tables(database_uri, tables.name + "_copy")
    await other.prepare()

    async def documents():
        for item in exported:
            yield item

    for _ in range(2):
        await other.restore.import_documents(documents())
    again = [item async for item in other.export.export_documents()]
    assert sorted(map(str, again[1:])) == sorted(map(str, exported[1:]))
    assert await other.ownerships.highest_epoch(GATE) == 2
    assert await other.events.insert_events([crossing(100, start + 600)]) == 1
    await other.drop()
    await other.close()


async def test_a_database_that_is_away_is_told_without_its_password() -> None:
    tables = Tables(f"mongodb://user:s3cret@127.0.0.1:{free_port()}/")
    with pytest.raises(DatabaseUnavailableError, match="does not answer") as caught:
        await tables.setups.cameras()
    assert "s3cret" not in str(caught.value)
    await tables.close()


def test_an_address_that_is_none_is_refused_without_its_password() -> None:
    for uri in ("mongodb://user:s3cret@:0/", "http://user:s3cret@host", "mongodb://user:s3/cret@host:port/"):
        with pytest.raises(BadInputError) as caught:
            Tables(uri)
        assert "cret" not in str(caught.value)
