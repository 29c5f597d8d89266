"""Where retention, set-aside events, backups, a filling disk and several stores meet."""

import pytest

from services.common.database.schema import Retention
from services.core.errors import DatabaseUnavailableError
from services.core.evidence.clock_belief import first_mark
from services.core.types import RepeatedSpan
from services.store.clock import StoreClock
from services.store.placement import Placement
from tests.clocks import SettableClock
from tests.integration.store.test_retention import DAY_S, NOW_S, YEAR_S, Store, _ages, _fill
from tests.makers import GATE, crossing, seconds
from tests.tables import Tables


async def _counted(tables: Tables, from_s: float, to_s: float) -> int:
    return sum(m.forward["car"] for m in await tables.records.minute_counts("gate", from_s, to_s))


async def test_two_stores_shorten_no_wait(tables: Tables) -> None:
    await Store(tables, SettableClock(NOW_S)).begin()
    await _fill(tables, 1, 20)
    host, shorter = SettableClock(NOW_S), Retention(trajectories_days=10)
    stores = [await Store(tables, host, shorter).begin() for _ in range(2)]
    for _ in range(10):
        host.run(30)
        for store in stores:
            await store.keeper.look()
    pending = (await tables.notices.retention_state()).pending
    assert pending is not None
    assert pending.waited_s == 300


async def test_counting_goes_on_after_a_false_future_has_deleted(tables: Tables) -> None:
    host = SettableClock(NOW_S)
    store = await Store(tables, host).begin()
    await store.placement.insert_events([crossing(1, NOW_S - 600)])
    host.step(10 * YEAR_S)
    await store.look_for(DAY_S + 1200, every_s=600)
    assert await _ages(tables, "crossings") == [], "what ran evenly for a day was believed"
    host.step(-10 * YEAR_S - DAY_S)
    await store.placement.insert_events([crossing(2, NOW_S + 60), *seconds(NOW_S + 60, 3)])
    assert await _counted(tables, NOW_S, NOW_S + 600) == 1


async def test_minutes_whose_crossings_were_taken_aside_are_counted_anew_after_an_outage(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody hands these events in again: the store itself has to finish what the outage cut off."""
    await tables.events.insert_events([crossing(1, NOW_S + 10), crossing(2, NOW_S + 300)])

    async def away(*_: object) -> None:
        raise DatabaseUnavailableError("the database does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(tables.minutes, "recompute_minutes", away)
        with pytest.raises(DatabaseUnavailableError):
            await tables.aside.take_aside(NOW_S + 60)
    await tables.events.insert_events([crossing(3, NOW_S + 20)])
    counts = await tables.records.minute_counts(GATE, NOW_S, NOW_S + 600)
    assert [(count.minute * 60 - NOW_S, count.forward) for count in counts] == [(0, {"car": 2})]


async def test_what_is_set_aside_stays_while_nobody_has_decided_how_long_records_are_kept(
    tables: Tables,
) -> None:
    await tables.aside.set_aside([crossing(7, NOW_S - 50 * DAY_S), crossing(8, NOW_S - 900 * DAY_S)])
    table = tables.link.collection("set_aside")
    await table.update_many({"turn": 1}, {"$set": {"turn": 0}})
    await tables.events.insert_events([crossing(1, NOW_S - 500 * DAY_S)])
    await tables.link.collection("meta").delete_one({"_id": "retention"})
    await tables.retention.keep_clock_mark(first_mark(None, SettableClock(NOW_S)()))
    store = await Store(tables, SettableClock(NOW_S), Retention(crossings_days=20)).begin()
    await store.look_for(60)
    assert (await tables.notices.retention_state()).pending is not None
    assert await tables.notices.set_aside_number() == 2


async def test_a_backup_holds_what_returns_to_its_place_meanwhile(tables: Tables) -> None:
    host = SettableClock(NOW_S)
    store = await Store(tables, host).begin()
    await store.placement.insert_events([crossing(1, NOW_S + 300), crossing(2, NOW_S - 60)])
    held = []
    async for collection, document in tables.export.export_documents():
        held.append((collection, str(document["_id"])))
        if collection == "crossings":
            await store.look_for(360)
    assert await tables.notices.set_aside_number() == 0
    assert any(id.endswith("gate-1-main-1") for _, id in held)


async def test_stores_whose_clocks_differ_do_not_take_what_the_other_has_placed(
    tables: Tables,
) -> None:
    right, slow = SettableClock(NOW_S), SettableClock(NOW_S - 600, boot="other")
    other, one = await Store(tables, slow).begin(), await Store(tables, right).begin()
    await one.placement.insert_events([crossing(1, NOW_S - 5), *seconds(NOW_S - 5, 3)])
    for _ in range(3):
        for store in (one, other):
            await store.look_for(60)
            assert await _ages(tables, "crossings") == [0]


async def test_records_are_taken_aside_in_steps_that_the_database_can_take(tables: Tables) -> None:
    """Evidence is a minute in each record: what lies there of a day is a million events."""
    ahead_s = NOW_S + YEAR_S
    await tables.events.insert_events([*seconds(ahead_s, 1800), crossing(1, ahead_s)])
    steps = []
    while taken := await tables.aside.take_aside(NOW_S):
        steps.append(taken)
    assert sum(steps) == 1801
    assert max(steps) <= 2 * 500


async def test_a_full_disk_leaves_what_is_set_aside_where_it_is(tables: Tables) -> None:
    host = SettableClock(NOW_S)
    await tables.aside.set_aside([crossing(1, NOW_S - 60)])
    room = [False]
    clock = StoreClock(host)
    placement = Placement(tables.store, clock, lambda: room[0])
    await placement.prepare()
    await placement.look()
    assert await tables.notices.set_aside_number() == 1
    room[0] = True
    await placement.look()
    assert await tables.notices.set_aside_number() == 0
    assert await _ages(tables, "crossings") == [0]


async def test_what_comes_back_into_a_time_that_came_twice_counts_once_and_covers_nothing(
    tables: Tables,
) -> None:
    host = SettableClock(NOW_S)
    store = await Store(tables, host).begin()
    await store.placement.insert_events([crossing(1, NOW_S + 600, epoch=1), *seconds(NOW_S + 600, 60, 1)])
    await store.look_for(600)
    await store.placement.insert_events(
        [RepeatedSpan(GATE, NOW_S + 600, NOW_S + 660, 1, NOW_S + 600, "x"), *seconds(NOW_S + 660, 60, 1)]
    )
    await store.look_for(120)
    assert len(await _ages(tables, "crossings")) == 1
    m = await tables.records.analysed_minutes("gate", NOW_S, NOW_S + 1200)
    assert [v.bit_count() for v in m.values() if v] == [60]
