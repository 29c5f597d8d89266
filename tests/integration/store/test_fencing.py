"""What an older epoch reports after a newer owner began is not kept, in whatever order it comes."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.common.bus.messages import decode_event, encode_event
from services.core.evidence.fencing import admitted
from services.core.evidence.seconds import EvidenceJudge
from services.core.trajectories import joined
from services.core.types import (
    AnalysedSecond,
    CameraId,
    Crossing,
    Event,
    Ownership,
    PositionSeconds,
    Trajectory,
)
from tests.crashes import CAMERA, make_walkers, run_owners, shifted
from tests.makers import GATE, crossing, recent_minute_s, seconds, trajectory
from tests.tables import Tables


async def contents(tables: Tables, start: float, camera: CameraId = GATE) -> dict[str, object]:
    end = start + 600
    crossings = [item.id async for item in tables.records.crossings(camera, start, end)]
    tracks = [(t.id, len(t.points)) async for t in tables.records.trajectories(camera, start, end)]
    minutes = await tables.records.minute_counts(camera, start, end)
    analysed = await tables.records.analysed_minutes(camera, start, end)
    return {
        "crossings": sorted(crossings),
        "tracks": sorted(tracks),
        "minutes": [(m.minute, m.forward, m.backward) for m in minutes],
        "analysed": {minute: found for minute, found in analysed.items() if found},
    }


def zombie(start: float) -> list[Event]:
    """An old owner that goes on over the begin of a new one at 65.5 s."""
    return [
        Ownership(GATE, 1, start - 10),
        *(crossing(n, start + n * 10, epoch=1) for n in range(15)),
        *seconds(start, 140, epoch=1),
        trajectory(1, start + 64.6, epoch=1),
        trajectory(2, start + 90, epoch=1),
    ]


def successor(start: float) -> list[Event]:
    return [Ownership(GATE, 5, start + 65.5), crossing(1, start + 71, epoch=5), *seconds(start + 67, 3, 5)]


@pytest.mark.parametrize("order", ["zombie first", "successor first", "together", "one by one"])
async def test_the_order_does_not_matter(tables: Tables, order: str) -> None:
    start = recent_minute_s()
    old, new = zombie(start), successor(start)
    batches = {
        "zombie first": [old, new],
        "successor first": [new, old],
        "together": [old + new],
        "one by one": [[event] for event in random.Random(1).sample(old + new, len(old + new))],
    }[order]
    refused = sum([await tables.events.insert_events(batch) for batch in batches])
    expected = await contents(tables, start)
    assert expected["crossings"] == sorted([*(f"gate-1-main-{n}" for n in range(7)), "gate-5-main-1"])
    assert expected["minutes"] == [(start // 60, {"car": 6}, {}), (start // 60 + 1, {"car": 2}, {})]
    assert expected["tracks"] == [("gate-1-1", 9)]
    assert expected["analysed"] == {start // 60: (1 << 60) - 1, start // 60 + 1: 0b1110011111}
    assert refused >= 8
    for batch in batches:
        await tables.events.insert_events(batch)
    assert await contents(tables, start) == expected


async def test_an_emptied_minute_is_gone(tables: Tables) -> None:
    start = recent_minute_s()
    await tables.events.insert_events([crossing(1, start + 30), crossing(2, start + 90)])
    assert await tables.events.insert_events([Ownership(GATE, 2, start + 60)]) == 1
    found = await contents(tables, start)
    assert found["minutes"] == [(start // 60, {"car": 1}, {})]


@pytest.mark.parametrize(
    "step",
    ["fences.keep_ownerships", "fences.fenced_minutes", "fences.remove_fenced", "minutes.recompute_minutes"],
)
async def test_an_end_in_the_middle_is_healed(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    start = recent_minute_s()
    await tables.events.insert_events(
        [crossing(1, start + 30), crossing(2, start + 90), *seconds(start, 99, 1)]
    )

    async def ended(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        part, method = step.split(".")
        patch.setattr(getattr(tables, part), method, ended)
        with pytest.raises(KeyboardInterrupt):
            await tables.events.insert_events([Ownership(GATE, 2, start + 60)])
    await tables.prepare()
    found = await contents(tables, start)
    assert found["crossings"] == ["gate-1-main-1"]
    assert found["minutes"] == [(start // 60, {"car": 1}, {})]
    assert found["analysed"] == {start // 60: (1 << 60) - 1}
    assert await tables.ownerships.highest_epoch(GATE) == 2


async def test_a_refused_epoch_is_told_once(tables: Tables, caplog: pytest.LogCaptureFixture) -> None:
    start = recent_minute_s()
    await tables.events.insert_events([Ownership(GATE, 5, start)])
    caplog.set_level(logging.WARNING)
    for n in range(3):
        assert await tables.events.insert_events([crossing(n, start + n), crossing(n, start - 1 - n)]) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "epoch 1 " in caplog.text


@pytest.fixture
async def other(tables: Tables, database_uri: str) -> AsyncIterator[Tables]:
    """Another store over the same database."""
    other = Tables(database_uri, tables.name)
    await other.prepare()
    yield other
    await other.close()


async def test_two_stores_that_write_at_once_agree(tables: Tables, other: Tables) -> None:
    start = recent_minute_s()
    late = [crossing(n, start + n) for n in range(40)]
    new = [crossing(200 + n, start + 20 + n, epoch=9) for n in range(10)]

    async def write(store: Tables, events: list[Event]) -> None:
        for event in events:
            await store.events.insert_events([event])

    await asyncio.gather(
        write(tables, [*late[::2], *new[::2]]),
        write(other, [*late[1::4], Ownership(GATE, 9, start + 20), *late[3::4], *new[1::2]]),
    )
    found = await contents(tables, start)
    assert len(found["crossings"]) == 20 + 10
    assert [minute[1]["car"] for minute in found["minutes"]] == [30]


@pytest.mark.parametrize("is_ended", [False, True])
async def test_an_ownership_that_comes_while_a_late_event_is_written(
    tables: Tables, other: Tables, monkeypatch: pytest.MonkeyPatch, is_ended: bool
) -> None:
    """The other store cannot see the event yet; this one ends before it looks again, or does not."""
    start = recent_minute_s()
    late = [crossing(1, start + 10), crossing(2, start + 30), *seconds(start + 30, 1, 1)]
    insert = tables.events._insert_crossings

    async def overtaken(*given: Any) -> None:
        await other.events.insert_events([Ownership(GATE, 2, start + 20)])
        await insert(*given)

    async def ended(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tables.events, "_insert_crossings", overtaken)
        if is_ended:
            patch.setattr(tables.events, "_newer_than", ended)
            with pytest.raises(KeyboardInterrupt):
                await tables.events.insert_events(late)
        else:
            assert await tables.events.insert_events(late) == 1
    if is_ended:
        await other.events.insert_events(late)
    found = await contents(tables, start)
    assert found["crossings"] == ["gate-1-main-1"]
    assert found["minutes"] == [(start // 60, {"car": 1}, {})]
    assert found["analysed"] == {}


async def test_a_minute_that_two_stores_count_at_once(
    tables: Tables, other: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = recent_minute_s()
    count = tables.minutes._count

    async def stale(*given: Any) -> Any:
        counts = await count(*given)
        monkeypatch.undo()
        await other.events.insert_events([crossing(2, start + 2)])
        return counts

    monkeypatch.setattr(tables.minutes, "_count", stale)
    await tables.events.insert_events([crossing(1, start + 1)])
    assert (await contents(tables, start))["minutes"] == [(start // 60, {"car": 2}, {})]


async def test_ownerships_of_no_use_are_forgotten_but_the_highest_epoch_never(
    tables: Tables, database_uri: str
) -> None:
    now_s = recent_minute_s()
    days = 86_400.0
    owned = [Ownership(GATE, n, now_s - (20 - n) * days) for n in range(1, 15)]
    for event in owned:
        await tables.events.insert_events([event])
    (known,) = (await tables.ownerships.ownerships([GATE])).values()
    assert [item.epoch for item in known] == [13, 14]
    later = Tables(database_uri, tables.name, now_s=lambda: now_s + 400 * days)
    await later.events.insert_events([Ownership(GATE, 15, now_s)])
    (known,) = (await tables.ownerships.ownerships([GATE])).values()
    assert [item.epoch for item in known] == [15]
    assert await tables.ownerships.highest_epoch(GATE) == 15
    await later.close()


def _end_s(event: Event) -> float:
    return event.points[-1].time_s if isinstance(event, Trajectory) else 0.0


@pytest.mark.parametrize("seed", range(3))
async def test_crashes_end_in_what_the_rule_alone_says(tables: Tables, seed: int) -> None:
    chance, start = random.Random(seed), recent_minute_s()
    begin = start - 1_000_000_000
    events, _ = run_owners(chance, make_walkers(chance), lambda: EvidenceJudge(CAMERA))
    events = [shifted(event, begin) for event in events]
    known = {CAMERA: [event for event in events if isinstance(event, Ownership)]}
    kept = [rest for event in events if (rest := admitted(event, known))]
    arriving = events + chance.sample(events, len(events) // 3)
    chance.shuffle(arriving)
    while arriving:
        size = chance.randint(1, 15)
        await tables.events.insert_events(arriving[:size])
        del arriving[:size]
    found = await contents(tables, start)
    assert found["crossings"] == sorted(e.id for e in kept if isinstance(e, Crossing))
    pieces = [decode_event(encode_event(e)) for e in sorted(kept, key=_end_s) if isinstance(e, Trajectory)]
    longest = {piece.piece_id: piece for piece in pieces}
    tracks = joined(sorted(longest.values(), key=_end_s))
    assert found["tracks"] == sorted((track.id, len(track.points)) for track in tracks)
    evidence = {event.second for event in kept if isinstance(event, AnalysedSecond)}
    assert sum(mask.bit_count() for mask in found["analysed"].values()) == len(evidence)
    counted = {(e.epoch, e.second) for e in kept if isinstance(e, AnalysedSecond)}
    stored = {(e.epoch, s) for e in kept if isinstance(e, PositionSeconds) for s in e.seconds}
    minutes = await tables.records.recountable_minutes(CAMERA, start, start + 600)
    assert sum(mask.bit_count() for mask in minutes.values()) == len({s for _, s in counted & stored}) > 0
    assert sum(sum(m[1].values()) + sum(m[2].values()) for m in found["minutes"]) == len(found["crossings"])
