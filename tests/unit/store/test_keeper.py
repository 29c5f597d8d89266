"""The store's decisions about retention, over records in memory."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from services.common.access.accounts import AuditEntry
from services.common.database.retention_notices import RetentionState, ShorterRetention
from services.common.database.schema import Retention
from services.core.errors import DatabaseUnavailableError
from services.core.evidence.clock_belief import ClockMark
from services.core.types import Event
from services.store.clock import StoreClock
from services.store.database import StoreDatabase
from services.store.keeper import LOOK_S, RetentionKeeper
from services.store.placement import Placement
from tests.clocks import SettableClock

NOW_S, DAY_S = 1_790_000_000.0, 86_400.0


class Memory:
    """Trajectories by their times, and what is noted of retention and clock."""

    def __init__(self, *times_s: float) -> None:
        self.times_s = list(times_s)
        self.state = RetentionState()
        self.mark: ClockMark | None = None
        self.is_away = False

    async def prepare(self) -> None:
        return None

    async def clock_mark(self) -> ClockMark | None:
        return self.mark

    async def newest_record_s(self, now_s: float) -> float | None:
        return max(self.times_s, default=None)

    async def insert_events(self, events: Sequence[Event]) -> int:
        return 0

    async def add_audit(self, entry: AuditEntry, must: bool = False) -> None:
        return None

    async def set_aside(self, events: Sequence[Event]) -> None:
        return None

    async def take_aside(self, after_s: float) -> int:
        return 0

    async def bring_back(self, until_s: float) -> int:
        return 0

    async def retention_state(self) -> RetentionState:
        return self.state

    async def keep_records(self, kept_s: Mapping[str, int]) -> None:
        self.state = RetentionState({**self.state.kept_s, **kept_s}, self.state.pending)

    async def await_retention(self, pending: ShorterRetention | None) -> None:
        self.state = RetentionState(self.state.kept_s, pending)

    async def count_before(self, collection: str, time_s: float) -> int:
        return len([t for t in self.times_s if t < time_s]) if collection == "trajectories" else 0

    async def delete_before(self, collection: str, time_s: float, most: int) -> AsyncIterator[int]:
        number = await self.count_before(collection, time_s)
        if number:
            self.times_s = [t for t in self.times_s if t >= time_s]
            yield number

    async def remove_asked(self, most: int) -> AsyncIterator[int]:
        for number in ():
            yield number

    async def end_expiry(self) -> None:
        if self.is_away:
            raise DatabaseUnavailableError("the database does not answer")

    async def keep_clock_mark(self, mark: ClockMark) -> None:
        self.mark = mark

    async def confirmed_clock(self) -> str | None:
        return None


async def _no_pause(wait_s: float) -> None:
    await asyncio.sleep(0)


async def _begun(memory: Memory, host: SettableClock, days: float) -> RetentionKeeper:
    clock = StoreClock(host)
    database = StoreDatabase(memory, memory, memory, memory, memory, memory)
    placement = Placement(database, clock)
    await placement.prepare()
    keeper = RetentionKeeper(database, Retention(trajectories_days=days), clock, placement, sleep=_no_pause)
    await keeper.look()
    return keeper


async def _run(keeper: RetentionKeeper, host: SettableClock, seconds: float) -> None:
    for _ in range(round(seconds / LOOK_S)):
        host.run(LOOK_S)
        await keeper.look()


async def test_a_shorter_retention_waits_for_a_whole_day() -> None:
    memory, host = Memory(NOW_S - 100 * DAY_S, NOW_S - 60), SettableClock(NOW_S)
    await _begun(memory, host, 400)
    keeper = await _begun(memory, host, 30)
    await _run(keeper, host, DAY_S - 60)
    assert len(memory.times_s) == 2
    await _run(keeper, host, 60)
    assert memory.times_s == [NOW_S - 60]


async def test_the_sleep_of_the_machine_does_not_count_as_told() -> None:
    memory, host = Memory(NOW_S - 100 * DAY_S, NOW_S - 60), SettableClock(NOW_S)
    await _begun(memory, host, 400)
    keeper = await _begun(memory, host, 30)
    host.run(3 * DAY_S)
    await _run(keeper, host, 3600)
    assert len(memory.times_s) == 2


async def test_deletion_goes_on_day_by_day_and_stops_while_the_clock_is_in_doubt() -> None:
    memory, host = Memory(*(NOW_S - day * DAY_S for day in range(30))), SettableClock(NOW_S)
    keeper = await _begun(memory, host, 30)
    await _run(keeper, host, DAY_S + 120)
    assert len(memory.times_s) == 29
    host.step(300 * DAY_S)
    await _run(keeper, host, DAY_S / 2)
    host.step(300 * DAY_S)
    await _run(keeper, host, DAY_S / 2)
    assert len(memory.times_s) == 29
    host.step(-600 * DAY_S)
    await _run(keeper, host, 60)
    assert len(memory.times_s) == 28, "what became too old meanwhile goes"


async def test_a_shorter_retention_is_not_counted_by_a_clock_in_doubt() -> None:
    """By a clock that is years behind, nothing would be too old, and so nothing told of."""
    memory, host = Memory(NOW_S - 100 * DAY_S, NOW_S - 60), SettableClock(NOW_S)
    await _begun(memory, host, 400)
    host.step(-1000 * DAY_S)
    keeper = await _begun(memory, host, 30)
    await _run(keeper, host, 600)
    assert memory.state.pending is None
    assert memory.state.kept_s["trajectories"] == 400 * DAY_S
    host.step(1000 * DAY_S)
    await _run(keeper, host, 60)
    assert memory.state.pending is not None
    assert memory.state.pending.records == {"trajectories": 1}


async def test_it_goes_on_after_an_outage_of_the_database() -> None:
    memory, host = Memory(NOW_S - 100 * DAY_S, NOW_S - 60), SettableClock(NOW_S)
    keeper = await _begun(memory, host, 400)
    memory.is_away = True
    task = asyncio.create_task(keeper.run())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done()
    memory.is_away = False
    host.run(350 * DAY_S)
    async with asyncio.timeout(5):
        while len(memory.times_s) > 1:
            await asyncio.sleep(0)
    task.cancel()
    assert memory.times_s == [NOW_S - 60]
