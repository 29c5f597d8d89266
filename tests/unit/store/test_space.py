"""What the store gives up while the disk fills, in which order, and that it is told, counted and noted."""

import asyncio
import logging
from collections.abc import Sequence

import pytest

from services.common.access.accounts import AuditEntry
from services.common.bus.local import LocalBus
from services.common.metrics import Figure
from services.common.settings.space import SpaceLimits
from services.core.errors import DiskFullError
from services.core.types import CameraStatus, Event, Ownership, StatusChange, Trajectory
from services.store.space import MEGABYTE, SpaceGate, Step, next_step
from services.store.writer import StoreWriter, store_figures
from tests.makers import GATE, crossing, seconds, trajectory

LIMITS = SpaceLimits(trajectories_free_mb=500, statuses_free_mb=300, counts_free_mb=150)
BATCH: list[Event] = [
    trajectory(1, 1000),
    StatusChange(GATE, 1000, CameraStatus.LIVE),
    crossing(1, 1000),
    Ownership(GATE, 2, 1000),
    *seconds(1000, 2),
]


@pytest.mark.parametrize(
    ("free_mb", "step"),
    [
        (10_000, Step.EVERYTHING),
        (500, Step.EVERYTHING),
        (499, Step.NO_TRAJECTORIES),
        (300, Step.NO_TRAJECTORIES),
        (299, Step.COUNTS_ONLY),
        (150, Step.COUNTS_ONLY),
        (149, Step.NOTHING),
        (0, Step.NOTHING),
    ],
)
def test_less_room_gives_up_more(free_mb: int, step: Step) -> None:
    assert next_step(Step.EVERYTHING, free_mb * MEGABYTE, LIMITS) is step


def test_a_disk_around_a_limit_does_not_flicker() -> None:
    step = next_step(Step.EVERYTHING, 299 * MEGABYTE, LIMITS)
    assert next_step(step, 310 * MEGABYTE, LIMITS) is Step.COUNTS_ONLY
    assert next_step(step, 331 * MEGABYTE, LIMITS) is Step.NO_TRAJECTORIES
    assert next_step(Step.NO_TRAJECTORIES, 310 * MEGABYTE, LIMITS) is Step.NO_TRAJECTORIES
    assert next_step(Step.NOTHING, 10_000 * MEGABYTE, LIMITS) is Step.EVERYTHING


def test_zero_never_gives_up() -> None:
    none = SpaceLimits(trajectories_free_mb=0, statuses_free_mb=0, counts_free_mb=0)
    assert next_step(Step.EVERYTHING, 0, none) is Step.EVERYTHING


def test_limits_in_another_order_are_refused() -> None:
    with pytest.raises(ValueError, match="must not rise"):
        SpaceLimits(trajectories_free_mb=100, statuses_free_mb=300, counts_free_mb=50)


def _kept(free_mb: int) -> list[Event]:
    gate = SpaceGate(LIMITS, lambda: free_mb * MEGABYTE)
    gate.look()
    return gate.admit(BATCH)[0]


def test_crossings_evidence_and_owners_are_kept_longest() -> None:
    assert _kept(1000) == BATCH
    assert _kept(400) == BATCH[1:]
    assert _kept(200) == BATCH[2:]
    with pytest.raises(DiskFullError, match=r"counts wait until there is room \(100 MB free\)"):
        _kept(100)


def test_a_disk_that_nobody_knows_changes_nothing() -> None:
    def broken() -> int:
        raise OSError("gone")

    for ask in (lambda: None, broken):
        gate = SpaceGate(LIMITS, ask)
        gate.look()
        assert (gate.step, gate.shortage, gate.refuses_audit()) == (Step.EVERYTHING, None, None)


def test_each_step_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    free = [1000]
    gate = SpaceGate(LIMITS, lambda: free[0] * MEGABYTE)
    for free[0] in (1000, 490, 480, 470, 290, 280, 140, 130, 1000, 1000):
        gate.look()
    assert [record.message for record in caplog.records] == [
        "the disk is nearly full: the paths of tracks are not stored (490 MB free)",
        "the disk is nearly full: paths of tracks, changes of status and the audit log are not stored"
        " (290 MB free)",
        "the disk is nearly full: the disk is full: counts wait until there is room (140 MB free)",
        "the disk has room again: everything is stored",
    ]


class Sink:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.written: list[Event] = []
        self.audit: list[tuple[str, bool]] = []

    async def prepare(self) -> None:
        return None

    async def insert_events(self, events: Sequence[Event]) -> int:
        self.written += events
        return 0

    async def add_audit(self, entry: AuditEntry, must: bool = False) -> None:
        self.audit.append((entry.action, must))


async def test_the_store_counts_and_notes_what_it_gives_up_and_writes_what_waited() -> None:
    free, sink, bus, waits = [1000], Sink(), LocalBus(), []

    async def sleep(wait_s: float) -> None:
        waits.append(wait_s)
        if len(waits) == 3:
            free[0] = 1000
        await asyncio.sleep(0)

    gate = SpaceGate(LIMITS, lambda: free[0] * MEGABYTE)
    writer = StoreWriter(sink, bus.events, sleep=sleep, space=gate)
    task = asyncio.create_task(writer.run())

    def done() -> int:
        return writer.health.written + gate.given_up.total()

    async def report(free_mb: int) -> None:
        free[0], before = free_mb, done()
        bus.events.publish(BATCH)
        async with asyncio.timeout(10):
            while done() < before + len(BATCH):
                await asyncio.sleep(0)

    for free_mb in (400, 200, 100):
        await report(free_mb)
    task.cancel()
    assert waits == [1, 2, 4], "what cannot be stored now is tried again, and stays in the bus meanwhile"
    assert [len([event for event in sink.written if isinstance(event, Trajectory)])] == [1]
    assert len([event for event in sink.written if event == crossing(1, 1000)]) == 3
    assert sink.audit == [("storage.cut", True), ("storage.cut", True), ("storage.return", True)]
    assert writer.health.written == len(sink.written), "what was given up did not become durable"
    assert list(store_figures(writer))[2:] == [
        Figure("sightline_events_not_stored_total", 2, {"kind": "trajectories"}),
        Figure("sightline_events_not_stored_total", 1, {"kind": "statuses"}),
        Figure("sightline_events_not_stored_total", 0, {"kind": "audit"}),
    ]


def test_the_audit_log_waits_with_the_statuses() -> None:
    for free_mb, is_taken in ((400, True), (200, False)):
        gate = SpaceGate(LIMITS, lambda free_mb=free_mb: free_mb * MEGABYTE)
        assert (gate.refuses_audit() is None) is is_taken
        assert gate.given_up["audit"] == (0 if is_taken else 1)
