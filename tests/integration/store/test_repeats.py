"""A time that comes twice: its first pass is kept, its second one refused, and it is a gap, over restarts."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.core.evidence.coverage import AnalysedSeconds, coverage_of
from services.core.evidence.gaps import Gap, find_gaps, gaps_with_repeats
from services.core.types import AnalysedSecond, Event, Ownership, RepeatedSpan
from tests.makers import GATE, crossing, recent_minute_s, seconds, trajectory
from tests.tables import Tables

OLD, NEW = 100, 200
"""Connections: the clock was set back between them."""


def seen(first_s: float, number: int, epoch: int, connection: int) -> list[AnalysedSecond]:
    return [replace(event, connection=connection) for event in seconds(first_s, number, epoch)]


def first_pass(start: float) -> list[Event]:
    """Three minutes of an owner, with a crossing each ten seconds."""
    return [
        Ownership(GATE, 1, start, OLD),
        *(crossing(n, start + n * 10 + 5) for n in range(18)),
        trajectory(1, start + 100),
        *seen(start, 180, 1, OLD),
    ]


def restarted(start: float, from_s: float, number: int) -> list[Event]:
    """An owner that begins anew with a clock that was set back."""
    return [
        Ownership(GATE, 2, start + from_s, NEW),
        *(crossing(n, start + from_s + n * 10 + 2, epoch=2) for n in range(number // 10)),
        trajectory(2, start + from_s + 5, epoch=2),
        *seen(start + from_s, number, 2, NEW),
    ]


async def crossed(tables: Tables, start: float) -> list[str]:
    return sorted([item.id async for item in tables.records.crossings(GATE, start, start + 900)])


async def coverage(tables: Tables, start: float, from_s: float, to_s: float) -> float | None:
    minutes = await tables.records.analysed_minutes(GATE, start + from_s, start + to_s)
    return coverage_of(AnalysedSeconds(sorted(minutes.items())), start + from_s, start + to_s, start + 9000)


@pytest.mark.parametrize("back_s", [60.0, 120.0])
@pytest.mark.parametrize("form", ["apart", "together"])
async def test_a_restart_after_a_step_back_counts_nothing_twice(
    tables: Tables, caplog: pytest.LogCaptureFixture, back_s: float, form: str
) -> None:
    start = recent_minute_s()
    old, new = first_pass(start), restarted(start, 180 - back_s, 300)
    for batch in [old, new] if form == "apart" else [old + new]:
        await tables.events.insert_events(batch)
    before = sorted(event.id for event in old if hasattr(event, "line"))
    after = [event.id for event in new if hasattr(event, "line") and event.time_s >= start + 180]
    assert await crossed(tables, start) == sorted([*before, *after]), "all of the first pass, then new ones"
    assert after
    minutes = await tables.records.minute_counts(GATE, start, start + 900)
    assert sum(minute.forward["car"] for minute in minutes) == len(before) + len(after)
    assert await coverage(tables, start, 0, 180 - back_s) == 1.0
    assert await coverage(tables, start, 180 - back_s, 180) == 0.0
    assert await coverage(tables, start, 181, 180 - back_s + 300) == 1.0
    tracks = {t.id: len(t.points) async for t in tables.records.trajectories(GATE, start, start + 900)}
    assert tracks == {"gate-1-1": 20}
    assert await tables.ownerships.highest_epoch(GATE) == 2
    assert [r.getMessage() for r in caplog.records if "set back by at least" in r.getMessage()]
    for batch in (new, old, new):
        await tables.events.insert_events(batch)
    assert await crossed(tables, start) == sorted([*before, *after]), "repeating it changes nothing"


async def test_the_gap_says_why(tables: Tables) -> None:
    start = recent_minute_s()
    await tables.events.insert_events(first_pass(start))
    await tables.events.insert_events(restarted(start, 120, 300))
    minutes = await tables.records.analysed_minutes(GATE, start, start + 420)
    repeats = await tables.repeats.repeats(GATE, start, start + 420)

    def find(from_s: float, to_s: float) -> list[Gap]:
        return find_gaps(AnalysedSeconds(sorted(minutes.items())), [], from_s, to_s, start + 9000)

    (gap,) = gaps_with_repeats(find, repeats, start, start + 420)
    assert (gap.from_s, gap.to_s) == (start + 120, start + 180)
    assert gap.cause.text == "the clock of this machine was set back by at least 1 min"


async def test_the_same_pictures_by_a_replaced_owner_are_no_second_pass(tables: Tables) -> None:
    start = recent_minute_s()
    await tables.events.insert_events(first_pass(start))
    await tables.events.insert_events([Ownership(GATE, 2, start + 60, OLD), *seen(start + 60, 30, 2, OLD)])
    assert len(await crossed(tables, start)) == 6
    assert await tables.repeats.repeats(GATE, start, start + 900) == []
    assert await coverage(tables, start, 0, 90) == 1.0
    assert await coverage(tables, start, 90, 180) == 0.0


async def test_a_false_future_does_not_block_the_present(tables: Tables) -> None:
    start = recent_minute_s()
    future = [Ownership(GATE, 1, start + 600, OLD), crossing(1, start + 605), *seen(start + 600, 60, 1, OLD)]
    await tables.events.insert_events(future)
    now = [Ownership(GATE, 2, start, NEW)]
    now += [crossing(n, start + n * 10 + 5, epoch=2) for n in range(90)]
    await tables.events.insert_events([*now, *seen(start, 900, 2, NEW)])
    (repeat,) = await tables.repeats.repeats(GATE, start, start + 900)
    assert (repeat.from_s, repeat.to_s, repeat.epoch) == (start + 600, start + 660, 1)
    ids = await crossed(tables, start)
    assert "gate-1-main-1" in ids, "what was acknowledged stays"
    assert len(ids) == 1 + 90 - 6
    assert await coverage(tables, start, 0, 600) == 1.0
    assert await coverage(tables, start, 600, 660) == 0.0
    assert await coverage(tables, start, 660, 900) == 1.0


async def test_a_clock_that_is_set_back_far_protects_all_that_was_counted(tables: Tables) -> None:
    """More than an hour before the epoch: what an ownership may fence is cut, what it may count is not."""
    start = recent_minute_s(300)
    late = start + 3 * 3600
    await tables.events.insert_events([Ownership(GATE, 1, start, OLD), *seen(start, 120, 1, OLD)])
    epoch = round(late * 1000)
    await tables.events.insert_events(
        [Ownership(GATE, epoch, start + 30, NEW), *seen(start + 30, 60, epoch, NEW)]
    )
    assert await coverage(tables, start, 0, 30) == 1.0
    assert await coverage(tables, start, 30, 120) == 0.0


async def test_a_detector_that_goes_on_tells_it_itself(tables: Tables) -> None:
    start = recent_minute_s()
    told = RepeatedSpan(GATE, start + 60, start + 180, 1, start + 60, "set back")
    await tables.events.insert_events(first_pass(start))
    await tables.events.insert_events([told])
    assert await coverage(tables, start, 0, 60) == 1.0
    assert await coverage(tables, start, 60, 180) == 0.0
    assert len(await crossed(tables, start)) == 18
    await tables.events.insert_events([replace(told, to_s=start + 90)])
    await tables.events.insert_events([told])
    assert await coverage(tables, start, 90, 180) == 1.0, "mended soon: the earlier end holds"
    await tables.events.insert_events([replace(told, to_s=told.from_s)])
    assert await tables.repeats.repeats(GATE, start, start + 900) == []


async def test_a_new_owner_in_the_second_pass_takes_nothing_of_the_first(tables: Tables) -> None:
    start = recent_minute_s()
    await tables.events.insert_events(first_pass(start))
    await tables.events.insert_events(
        [RepeatedSpan(GATE, start + 60, start + 180, 1, start + 60, "set back")]
    )
    await tables.events.insert_events(restarted(start, 120, 300))
    late = [crossing(70, start + 170), crossing(71, start + 181)]
    assert await tables.events.insert_events(late) == 1, "late news of the first pass still counts"
    ids = await crossed(tables, start)
    assert len([id for id in ids if id.startswith("gate-1-")]) == 19
    assert len([id for id in ids if id.startswith("gate-2-")]) == 24


@pytest.mark.parametrize(
    "step", ["fences.keep_ownerships", "fences.fenced_minutes", "minutes.recompute_minutes"]
)
async def test_an_end_in_the_middle_is_healed(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    start = recent_minute_s()
    await tables.events.insert_events(first_pass(start))

    async def ended(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        part, method = step.split(".")
        patch.setattr(getattr(tables, part), method, ended)
        with pytest.raises(KeyboardInterrupt):
            await tables.events.insert_events(restarted(start, 120, 300))
    await tables.prepare()
    await tables.events.insert_events(restarted(start, 120, 300))
    assert len(await crossed(tables, start)) == 18 + 24
    assert await coverage(tables, start, 120, 180) == 0.0


async def test_evidence_of_before_this_release_is_of_another_pass(tables: Tables) -> None:
    start = recent_minute_s()
    old: Sequence[Event] = [Ownership(GATE, 1, start), *seconds(start, 120, 1)]
    await tables.events.insert_events(old)
    await tables.link.collection("analysed").update_many({"camera": GATE}, {"$unset": {"connection": ""}})
    await tables.events.insert_events([Ownership(GATE, 2, start + 30, NEW)])
    assert [(r.from_s, r.to_s) for r in await tables.repeats.repeats(GATE, start, start + 900)] == [
        (start + 30, start + 120)
    ]


async def test_a_clock_that_leads_to_before_the_ownership_is_announced_again(tables: Tables) -> None:
    """The owner that goes on had not seen that time; one before it had."""
    start = recent_minute_s()
    await tables.events.insert_events(first_pass(start))
    await tables.events.insert_events(restarted(start, 200, 60))
    again = [Ownership(GATE, 2, start + 100, 300), crossing(90, start + 110, epoch=2)]
    assert await tables.events.insert_events([*again, *seen(start + 100, 30, 2, 300)]) == 31
    (repeat,) = await tables.repeats.repeats(GATE, start, start + 900)
    assert (repeat.from_s, repeat.to_s, repeat.epoch) == (start + 100, start + 180, 1)
    assert len(await crossed(tables, start)) == 18 + 6
    assert await coverage(tables, start, 200, 260) == 1.0


async def test_crossings_without_evidence_are_of_a_pass_too(tables: Tables) -> None:
    start = recent_minute_s()
    first = [replace(crossing(n, start + n * 10), id=f"gate/1.{OLD}.7/{n}/main.1/0") for n in range(12)]
    await tables.events.insert_events([Ownership(GATE, 1, start, OLD), *first])
    await tables.events.insert_events(
        [Ownership(GATE, 2, start + 55, NEW), crossing(50, start + 70, epoch=2)]
    )
    assert await crossed(tables, start) == sorted(event.id for event in first)


async def test_the_past_of_years_is_looked_at_within_a_bound(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.common.database.repeats.MOST_LOOKED_AT", 2)
    monkeypatch.setattr("services.common.database.repeats.MOST_PASSES", 1)
    start = recent_minute_s()
    old = [event for n in range(5) for event in seen(start + 200 * n, 10, 1, OLD)]
    await tables.events.insert_events([Ownership(GATE, 1, start, OLD), *old])
    await tables.events.insert_events([Ownership(GATE, 2, start - 50, NEW), *seen(start - 40, 1200, 2, NEW)])
    (repeat,) = await tables.repeats.repeats(GATE, start, start + 2000)
    assert repeat.from_s == start
    assert repeat.to_s >= start + 810
    assert await coverage(tables, start, -40, 0) == 1.0
    assert await coverage(tables, start, 0, 810) == 0.0


async def test_a_short_overlap_at_a_hand_over_is_none(
    tables: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    start = recent_minute_s()
    await tables.events.insert_events([Ownership(GATE, 1, start, OLD), *seen(start, 60, 1, OLD)])
    await tables.events.insert_events([Ownership(GATE, 2, start + 58.5, NEW), *seen(start + 59, 60, 2, NEW)])
    assert await tables.repeats.repeats(GATE, start, start + 900) == []
    assert await coverage(tables, start, 0, 119) > 0.99
