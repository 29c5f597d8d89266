"""Who deletes records and when: the store alone, after telling of it, and by a clock that it believes."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest
from pymongo.errors import OperationFailure

from services.common.bus.local import LocalBus
from services.common.database import schema as database_schema
from services.common.database.documents import date_of
from services.common.database.retention_notices import NOTICE_S, meta_document
from services.common.database.schema import NEVER_S, RECORDS, Retention
from services.common.metrics import metrics_text
from services.core.errors import ConflictError, DatabaseUnavailableError, HalfRestoredError
from services.core.types import AccessAction, AccessNote, CameraId, CameraStatus, Ownership, StatusChange
from services.store.clock import StoreClock
from services.store.keeper import RetentionKeeper
from services.store.placement import Placement
from services.store.service import StoreService
from tests.clocks import SettableClock
from tests.makers import GATE, camera, crossing, seconds, trajectory
from tests.tables import Tables

NOW_S = time.time() // 60 * 60.0
DAY_S, YEAR_S = 86_400.0, 365 * 86_400.0


async def _no_pause(wait_s: float) -> None:
    """Go on at once."""


class Store:
    """The store's parts over one database, looked at by hand."""

    def __init__(self, tables: Tables, clock: SettableClock, retention: Retention | None = None):
        self.tables, self.host = tables, clock
        self.clock = StoreClock(clock)
        self.placement = Placement(tables.store, self.clock)
        self.keeper = RetentionKeeper(
            tables.store, retention or Retention(), self.clock, self.placement, sleep=_no_pause
        )

    async def begin(self) -> "Store":
        await self.placement.prepare()
        await self.keeper.look()
        return self

    async def look_for(self, seconds: float, every_s: float = 60) -> None:
        """Let the store run for a time."""
        for _ in range(round(seconds / every_s)):
            self.host.run(every_s)
            await self.keeper.look()

    async def have_waited(self, seconds: float) -> None:
        """Let the shorter retention have been told for this long."""
        pending = (await self.tables.notices.retention_state()).pending
        assert pending is not None
        await self.tables.retention.await_retention(replace(pending, waited_s=seconds))
        self.keeper._waited = pending.id, seconds


async def _ages(tables: Tables, collection: str = "trajectories") -> list[int]:
    """Give the ages of what is there, in whole days."""
    found = [document["time"] async for document in tables.export.iterate_all(collection)]
    return sorted(round((date_of(NOW_S) - date).total_seconds() / DAY_S) for date in found)


async def _expiring(tables: Tables, collection: str) -> Mapping[str, int]:
    index = await tables.link.collection(collection).index_information()
    spans = {name: item["expireAfterSeconds"] for name, item in index.items() if "expireAfterSeconds" in item}
    return {name: span_s for name, span_s in spans.items() if span_s < NEVER_S}


async def _fill(tables: Tables, *days: int) -> None:
    await tables.events.insert_events([trajectory(n, NOW_S - day * DAY_S) for n, day in enumerate(days)])


async def test_no_index_deletes_records_whoever_writes_first(database_uri: str) -> None:
    """The page, set-password and restore begin with an empty database too."""
    fresh = Tables(database_uri, f"first_{time.monotonic_ns()}")
    await fresh.setups.add_camera(camera())
    for collection in (*RECORDS, "set_aside"):
        assert await _expiring(fresh, collection) == {}
    assert set(await _expiring(fresh, "sessions")) == {"time_1"}
    assert (await fresh.notices.retention_state()).kept_s == {}
    await fresh.drop()
    await fresh.close()


async def test_indexes_of_older_versions_delete_no_more_and_their_span_is_the_retention_so_far(
    database_uri: str,
) -> None:
    older = Tables(database_uri, f"older_{time.monotonic_ns()}")
    for collection in RECORDS:
        await older.link.collection(collection).create_index([("time", 1)], expireAfterSeconds=864_000)
    await older.link.collection("sessions").create_index([("time", 1)], expireAfterSeconds=5)
    await older.web.accounts.delete_session("0" * 64)
    assert (await older.notices.retention_state()).kept_s == {}, "the store alone notes what was kept"
    await older.prepare()
    for collection in RECORDS:
        assert await _expiring(older, collection) == {}
        assert "time_1" in await older.link.collection(collection).index_information()
    assert await _expiring(older, "sessions") == {"time_1": 7 * 86_400}
    assert (await older.notices.retention_state()).kept_s == dict.fromkeys(RECORDS, 864_000)
    await _fill(older, 1, 20, 300)
    store = await Store(older, SettableClock(NOW_S), Retention(trajectories_days=365)).begin()
    assert await _ages(older) == [1, 20, 300], "a longer retention holds at once"
    index = {"name": "time_1", "expireAfterSeconds": 60}
    await older.link.command({"collMod": "trajectories", "index": index})
    await store.keeper.look()
    assert await _expiring(older, "trajectories") == {}, "a service of an older version made it again"
    await older.drop()
    await older.close()


async def test_where_an_index_cannot_be_changed_in_place_it_is_made_anew(
    database_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MongoDB takes no span that is long enough, and its account lacks the right."""

    async def refused(*arguments: object) -> bool:
        return False

    monkeypatch.setattr(database_schema, "_has_span", refused)
    older = Tables(database_uri, f"older_{time.monotonic_ns()}")
    await older.link.collection("crossings").create_index([("time", 1)], expireAfterSeconds=864_000)
    await older.link.collection("sessions").create_index([("time", 1)], expireAfterSeconds=5)
    await _fill(older, 1)
    for _ in range(2):
        await older.prepare()
        index = await older.link.collection("crossings").index_information()
        assert "expireAfterSeconds" not in index["time_1"]
        assert await _expiring(older, "sessions") == {"time_1": 7 * 86_400}
    assert (await older.notices.retention_state()).kept_s == {"crossings": 864_000}
    await older.drop()
    await older.close()


async def test_a_shorter_retention_is_told_for_a_day_before_it_deletes(
    tables: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    await Store(tables, SettableClock(NOW_S), Retention(trajectories_days=400)).begin()
    await _fill(tables, 1, 20, 300, 350)
    await tables.events.insert_events([crossing(1, NOW_S - 300 * DAY_S)])
    host = SettableClock(NOW_S)
    shorter = Retention(trajectories_days=10, crossings_days=200)
    with caplog.at_level(logging.WARNING):
        store = await Store(tables, host, shorter).begin()
    (line,) = [record.getMessage() for record in caplog.records]
    assert "1 crossings older than 200 days, 3 trajectories older than 10 days" in line
    state = await tables.notices.retention_state()
    assert state.pending is not None
    assert state.pending.records == {"crossings": 1, "trajectories": 3}
    await store.have_waited(NOTICE_S - 200)
    await store.look_for(180)
    assert await _ages(tables) == [1, 20, 300, 350]
    await store.look_for(60)
    assert await _ages(tables) == [1]
    assert await _ages(tables, "crossings") == []
    assert (await tables.notices.retention_state()).pending is None
    assert store.keeper.deleted == {"crossings": 1, "trajectories": 3}


async def test_waiting_goes_on_over_restarts_and_no_step_of_the_clock_shortens_it(
    tables: Tables,
) -> None:
    host = SettableClock(NOW_S)
    await Store(tables, host, Retention(trajectories_days=400)).begin()
    await _fill(tables, 1, 300)
    for _ in range(3):
        store = await Store(tables, host, Retention(trajectories_days=10)).begin()
        await store.look_for(300)
    asked = (await tables.notices.retention_state()).pending
    assert asked is not None
    assert asked.asked_s == pytest.approx(NOW_S, abs=1)
    assert asked.waited_s == pytest.approx(900)
    host.step(30 * DAY_S)
    await store.look_for(60)
    store = await Store(tables, host, Retention(trajectories_days=10)).begin()
    await store.look_for(60)
    assert await _ages(tables) == [1, 300]
    host.step(-30 * DAY_S)
    await store.have_waited(NOTICE_S - 30)
    await store.look_for(60)
    assert await _ages(tables) == [1]


async def test_a_confirmed_retention_is_applied_at_once(tables: Tables) -> None:
    host = SettableClock(NOW_S)
    await Store(tables, host, Retention(trajectories_days=400)).begin()
    await _fill(tables, 1, 300)
    store = await Store(tables, host, Retention(trajectories_days=10)).begin()
    pending = (await tables.notices.retention_state()).pending
    assert pending is not None
    with pytest.raises(ConflictError):
        await tables.notices.confirm_retention("another")
    await tables.notices.confirm_retention(pending.id)
    await store.look_for(60)
    assert await _ages(tables) == [1]


async def test_a_retention_that_is_taken_back_deletes_nothing(tables: Tables) -> None:
    host = SettableClock(NOW_S)
    await Store(tables, host, Retention(trajectories_days=400)).begin()
    await _fill(tables, 1, 300)
    await Store(tables, host, Retention(trajectories_days=10)).begin()
    store = await Store(tables, host, Retention(trajectories_days=500)).begin()
    state = await tables.notices.retention_state()
    assert (state.pending, state.kept_s["trajectories"]) == (None, 500 * DAY_S)
    await store.look_for(60)
    assert await _ages(tables) == [1, 300]


async def test_records_that_nobody_decided_about_are_told_of_first(tables: Tables) -> None:
    """A restored backup may hold more than the settings keep."""
    await _fill(tables, 1, 300)
    store = await Store(tables, SettableClock(NOW_S)).begin()
    await store.look_for(300)
    assert await _ages(tables) == [1, 300]
    pending = (await tables.notices.retention_state()).pending
    assert pending is not None
    assert pending.records == {"trajectories": 1}


async def test_old_records_go_in_batches_and_the_minutes_of_what_stays_are_right(
    tables: Tables,
) -> None:
    old = NOW_S - 500 * DAY_S
    store = await Store(tables, SettableClock(NOW_S)).begin()
    await tables.events.insert_events([crossing(n, old + n * 7.0) for n in range(1800)])
    await tables.events.insert_events([crossing(n, NOW_S - 6000 + n) for n in range(5000, 5010)])
    batches = [n async for n in tables.retention.delete_before("crossings", NOW_S - 450 * DAY_S, 200)]
    assert sum(batches) == 1800
    assert len(batches) > 5
    assert max(batches) <= 400
    await store.look_for(60)
    assert len(await _ages(tables, "crossings")) == 10
    assert sum(m.forward["car"] for m in await tables.records.minute_counts("gate", 0, NOW_S)) == 10


async def test_a_step_far_ahead_deletes_nothing_and_what_it_dates_is_set_aside(
    tables: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    host = SettableClock(NOW_S)
    store = await Store(tables, host).begin()
    await store.placement.insert_events([crossing(1, NOW_S - 1), *seconds(NOW_S - 60, 3)])
    host.step(10 * YEAR_S)
    with caplog.at_level(logging.WARNING):
        await store.placement.insert_events([crossing(2, host.wall_s), *seconds(host.wall_s, 3)])
        await store.look_for(300)
    assert any("nothing is deleted until" in record.getMessage() for record in caplog.records)
    assert any("more than 60 s ahead" in record.getMessage() for record in caplog.records)
    again = await Store(tables, host).begin()
    await again.look_for(300)
    assert await _ages(tables, "crossings") == [0]
    assert await tables.notices.set_aside_number() == 4
    host.step(-10 * YEAR_S)
    await again.look_for(60)
    assert await tables.notices.set_aside_number() == 4, "they are of a time that is still to come"
    assert len(await _ages(tables, "crossings")) == 1


async def test_what_is_dated_ahead_comes_back_when_its_time_has_come(tables: Tables) -> None:
    host = SettableClock(NOW_S)
    store = await Store(tables, host).begin()
    early = [crossing(n, NOW_S + 300 + n) for n in range(5)]
    status = StatusChange(GATE, NOW_S + 300, CameraStatus.LIVE)
    await store.placement.insert_events(
        [*early, trajectory(1, NOW_S + 300), *seconds(NOW_S + 300, 10), status, crossing(9, NOW_S + 59)]
    )
    assert len(await _ages(tables, "crossings")) == 1
    assert await tables.notices.set_aside_number() == 17
    assert store.placement.set_aside_total == 17
    await store.look_for(360)
    assert await tables.notices.set_aside_number() == 0
    assert [c.id async for c in tables.records.crossings("gate", 0, NOW_S + 400)][:5] == [
        item.id for item in reversed(early)
    ]
    assert sum(m.forward["car"] for m in await tables.records.minute_counts("gate", 0, NOW_S + 400)) == 6
    evidence = await tables.records.analysed_minutes("gate", NOW_S, NOW_S + 600)
    assert sum(mask.bit_count() for mask in evidence.values()) == 10
    assert await tables.records.statuses("gate", NOW_S, NOW_S + 600) == [status]
    assert len(await _ages(tables)) == 1


async def test_a_clock_that_was_right_after_all_brings_everything_to_its_place(
    tables: Tables,
) -> None:
    """The machine was paused for hours, or the clock before was the false one."""
    host = SettableClock(NOW_S - 5 * 3600.0)
    store = await Store(tables, host).begin()
    host.step(5 * 3600.0)
    await store.placement.insert_events([crossing(n, host.wall_s) for n in range(3)])
    assert await _ages(tables, "crossings") == []
    mark = await tables.notices.clock_mark()
    assert mark is None or mark.doubt is None
    await store.keeper.look()
    mark = await tables.notices.clock_mark()
    assert mark is not None
    assert mark.doubt is not None
    with pytest.raises(ConflictError):
        await tables.notices.confirm_clock("another")
    await tables.notices.confirm_clock(mark.doubt.id)
    await store.look_for(60)
    assert len(await _ages(tables, "crossings")) == 3
    assert await tables.notices.set_aside_number() == 0


async def test_nothing_is_lost_when_the_store_has_the_false_clock(tables: Tables) -> None:
    host = SettableClock(NOW_S)
    store = await Store(tables, host).begin()
    host.step(-20 * YEAR_S)
    await store.placement.insert_events([crossing(1, NOW_S)])
    await store.look_for(60)
    assert len(await _ages(tables, "crossings")) == 1
    empty = SettableClock(NOW_S - 20 * YEAR_S, boot="other")
    other = await Store(tables, empty).begin()
    await other.placement.insert_events([crossing(2, NOW_S + 30)])
    await other.look_for(60)
    assert len(await _ages(tables, "crossings")) == 2
    assert await tables.notices.set_aside_number() == 0


async def test_records_of_a_clock_that_was_found_wrong_leave_their_place(tables: Tables) -> None:
    """A machine that was off for long is believed for placing; its clock may turn out false."""
    await Store(tables, SettableClock(NOW_S)).begin()
    host = SettableClock(NOW_S + YEAR_S, boot="second")
    store = await Store(tables, host).begin()
    await store.placement.insert_events(
        [crossing(1, host.wall_s), trajectory(1, host.wall_s), *seconds(host.wall_s // 60 * 60, 3)]
    )
    assert await _ages(tables, "crossings") == [-365]
    host.step(-YEAR_S)
    await store.look_for(60)
    assert await _ages(tables, "crossings") == []
    assert await _ages(tables, "minutes") == []
    assert await tables.records.analysed_minutes("gate", NOW_S, NOW_S + 2 * YEAR_S) == {}
    assert await tables.notices.set_aside_number() == 5


async def test_beside_a_restore_nothing_is_deleted_and_nothing_noted(
    tables: Tables, database_uri: str
) -> None:
    """What a restore brings back is told of first, whatever the store had decided before it began."""
    await _fill(tables, 1, 20, 300)
    await tables.events.insert_events([crossing(1, NOW_S - 300 * DAY_S)])
    store = await Store(tables, SettableClock(NOW_S), Retention(trajectories_days=365)).begin()
    restoring = Tables(database_uri, tables.name)
    await restoring.restore.begin_restore()
    try:
        before = await tables.notices.clock_mark()
        store.host.run(60)
        with pytest.raises(HalfRestoredError):
            await store.keeper.look()
        assert await tables.notices.clock_mark() == before
        for collection in ("trajectories", "crossings"):
            with pytest.raises(HalfRestoredError):
                await anext(tables.retention.delete_before(collection, NOW_S - 10 * DAY_S, 500))
        assert (await meta_document(tables.link, "retention")).get("deleted") is None
        assert await _ages(tables) == [1, 20, 300]
        assert await _ages(tables, "crossings") == [300]
    finally:
        await restoring.restore.end_restore()
        await restoring.close()
    await store.keeper.look()
    assert await tables.notices.clock_mark() != before


async def test_a_note_of_a_door_that_is_dated_ahead_waits_too_and_names_no_camera(
    tables: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    store = await Store(tables, SettableClock(NOW_S)).begin()
    note = AccessNote("n1", NOW_S + 300, AccessAction.FAILED, "anna", "rtsp", "192.0.2.1", 3)
    await store.placement.insert_events([note])
    assert "events are dated more than 60 s ahead of the clock" in caplog.text
    assert (await tables.audit.audit(10), await tables.notices.set_aside_number()) == ([], 1)
    await store.look_for(300)
    entries = [(entry.action, entry.user, entry.count) for entry in await tables.audit.audit(10)]
    assert (entries, await tables.notices.set_aside_number()) == ([("login.failed", "anna", 3)], 0)


async def test_an_event_set_aside_that_a_newer_owner_forbids_is_kept(tables: Tables) -> None:
    host = SettableClock(NOW_S)
    store = await Store(tables, host).begin()
    await store.placement.insert_events([Ownership(GATE, 1, NOW_S), crossing(1, NOW_S + 300, epoch=1)])
    await store.placement.insert_events([Ownership(GATE, 2, NOW_S + 10)])
    await store.look_for(420)
    assert await _ages(tables, "crossings") == []
    assert await tables.notices.set_aside_number() == 1


async def test_what_is_set_aside_moves_with_a_backup(tables: Tables, database_uri: str) -> None:
    host = SettableClock(NOW_S)
    store = await Store(tables, host).begin()
    await store.placement.insert_events([crossing(1, NOW_S + 300)])
    exported = [item async for item in tables.export.export_documents()]
    other = Tables(database_uri, f"{tables.name}_copy")

    async def documents():
        for item in exported:
            yield item

    await other.restore.import_documents(documents())
    moved = await Store(other, host).begin()
    await moved.look_for(360)
    assert len(await _ages(other, "crossings")) == 1
    await other.drop()
    await other.close()


async def test_a_restore_lets_the_store_tell_what_it_would_delete(tables: Tables) -> None:
    await Store(tables, SettableClock(NOW_S)).begin()
    assert (await tables.notices.retention_state()).kept_s
    exported = [item async for item in tables.export.export_documents()]

    async def documents():
        for item in exported:
            yield item

    await tables.restore.import_documents(documents())
    assert (await tables.notices.retention_state()).kept_s == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'not authorized on sightline to execute command { collMod: "crossings", index: {} }',
            "does not let Sightline's account run collMod: grant it the role readWrite on the database",
        ),
        ('not authorized on sightline to execute command { insert: "a" }', "run insert: grant it the role"),
        ("command insert requires authentication", "wants a login: give user and password"),
    ],
)
async def test_a_right_that_is_lacking_is_told_as_that(tables: Tables, text: str, told: str) -> None:
    with pytest.raises(DatabaseUnavailableError, match=told), tables.link.guarded():
        raise OperationFailure(text, 13)
    with pytest.raises(DatabaseUnavailableError, match="refuses the login"), tables.link.guarded():
        raise OperationFailure("Authentication failed.", 18)


async def test_every_write_waits_for_the_indexes(database_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of write may be the first one of a process."""
    fresh = Tables(database_uri, f"first_{time.monotonic_ns()}")
    calls = []
    whole = fresh.schema.before_writing

    async def before() -> None:
        calls.append(1)
        await whole()

    monkeypatch.setattr(fresh.schema, "before_writing", before)
    await fresh.events.insert_events([replace(crossing(1, NOW_S), camera=CameraId("gate"))])
    await fresh.aside.set_aside([crossing(2, NOW_S)])
    await fresh.accounts.delete_session("0" * 64)
    assert len(calls) == 3
    assert "camera_1_time_1" in await fresh.link.collection("crossings").index_information()
    await fresh.drop()
    await fresh.close()


async def test_the_service_writes_and_keeps_by_its_settings(tables: Tables) -> None:
    bus, host = LocalBus(), SettableClock(NOW_S)
    service = StoreService(tables.store, bus.events, Retention(trajectories_days=10), read_clock=host)
    task = asyncio.create_task(service.run())
    bus.events.publish([trajectory(1, NOW_S - 60), crossing(1, NOW_S + 300)])
    async with asyncio.timeout(30):
        while service.health.written < 2 or await tables.notices.clock_mark() is None:
            await asyncio.sleep(0.02)
        while "trajectories" not in (await tables.notices.retention_state()).kept_s:
            await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await tables.notices.retention_state()).kept_s["trajectories"] == 10 * DAY_S
    figures = {figure.name: figure.value for figure in service.figures()}
    assert figures["sightline_events_set_aside_total"] == 1
    assert figures["sightline_clock_believed"] == 1
    assert await tables.notices.set_aside_number() == 1
    assert await _ages(tables) == [0]
    assert b"sightline_events_set_aside_total 1.0" in metrics_text(service.figures())
