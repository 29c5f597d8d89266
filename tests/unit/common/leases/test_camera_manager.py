import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from services.common.bus.local import LocalBus, LocalEventQueue
from services.common.leases.camera_manager import RETRY_S, CameraManager, chosen_member
from services.common.leases.local import LocalLeaseStore, LocalLeaseTable
from services.common.leases.protocol import Lease, Member, Role
from services.core.types import CameraId, Line, LineId
from tests.owners import NotingOwner, setup, until

CAMERAS = [f"camera-{number}" for number in range(12)]


class Clock:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Place:
    """A bus, a table of leases, and the members that tests start there."""

    def __init__(self) -> None:
        self.bus, self.table, self.clock = LocalBus(), LocalLeaseTable(), Clock()
        self.stack = AsyncExitStack()
        self.managers: list[CameraManager] = []

    def publish(self, *cameras: str) -> None:
        self.bus.setups.publish(tuple(setup(camera) for camera in cameras))

    async def start(
        self,
        id: str,
        owner: NotingOwner,
        store: Callable[[LocalLeaseTable], LocalLeaseStore] = LocalLeaseStore,
    ) -> asyncio.Task[None]:
        return await self.stack.enter_async_context(_running(self, id, owner, store(self.table)))


@asynccontextmanager
async def _running(
    place: Place, id: str, owner: NotingOwner, store: LocalLeaseStore
) -> AsyncIterator[asyncio.Task[None]]:
    bus = place.bus
    manager = CameraManager(Member(id, "detector"), store, bus.setups, bus.events, owner, place.clock)
    place.managers.append(manager)
    task = asyncio.create_task(manager.run())
    yield task
    await end(task)


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    place = Place()
    async with place.stack:
        yield place


async def test_a_single_member_takes_all_cameras_above_the_floor(place):
    owner = NotingOwner()
    floor = round(time.time() * 1000) + 3_600_000
    place.bus.setups.publish((setup("gate", floor), setup("yard")))
    await place.start("a", owner)
    await until(lambda: set(owner.working) == {"gate", "yard"})
    assert owner.working[CameraId("gate")].epoch == floor + 1


async def test_changed_lines_reach_the_owner_at_once_under_the_same_epoch(place):
    owner = NotingOwner()
    place.publish("gate", "yard")
    await place.start("a", owner)
    await until(lambda: len(owner.working) == 2)
    epoch = owner.working[CameraId("gate")].epoch
    changed = replace(setup("gate"), lines=(Line(LineId("main"), "main", ((0.1, 0.5), (0.9, 0.5))),))
    place.bus.setups.publish((changed, setup("yard")))
    assert await until(lambda: owner.working[CameraId("gate")].setup == changed) < 0.1
    assert owner.working[CameraId("gate")].epoch == epoch
    assert owner.calls.count("take yard") == 1


async def test_a_new_floor_below_the_own_epoch_changes_nothing(place):
    owner = NotingOwner()
    place.publish("gate")
    await place.start("a", owner)
    await until(lambda: owner.working)
    place.bus.setups.publish((setup("gate", owner.working[CameraId("gate")].epoch),))
    await asyncio.sleep(0.3)
    assert owner.calls == ["take gate"]


async def test_a_floor_above_the_own_epoch_makes_it_take_the_camera_anew(place):
    owner = NotingOwner()
    place.publish("gate")
    await place.start("a", owner)
    await until(lambda: owner.working)
    floor = owner.working[CameraId("gate")].epoch + 1_000_000
    place.bus.setups.publish((setup("gate", floor),))
    await until(lambda: owner.calls == ["take gate", "drop gate", "take gate"])
    await until(lambda: owner.working)
    assert owner.working[CameraId("gate")].epoch == floor + 1


async def test_a_deleted_camera_is_given_up(place):
    owner = NotingOwner()
    place.publish("gate", "yard")
    await place.start("a", owner)
    await until(lambda: len(owner.working) == 2)
    place.publish("yard")
    assert await until(lambda: list(owner.working) == ["yard"]) < 0.1
    await until(lambda: ("detector", "gate") not in place.table.leases)


async def test_a_slow_camera_keeps_no_other_waiting(place):
    owner = NotingOwner(take_s={"slow": 1.0})
    place.publish("slow", "gate")
    await place.start("a", owner)
    assert await until(lambda: "gate" in owner.working) < 0.5
    place.publish("slow", "gate", "yard")
    assert await until(lambda: "yard" in owner.working) < 0.1
    place.table.leases[_key("gate")] = Lease("detector", CameraId("gate"), "b", 1)
    place.table.wake()
    assert await until(lambda: "gate" not in owner.working) < 0.1
    assert "slow" not in owner.working


def _key(camera: str) -> tuple[Role, CameraId]:
    return "detector", CameraId(camera)


async def test_a_lost_camera_is_dropped_and_stays_with_its_new_owner(place):
    owner = NotingOwner()
    place.publish("gate", "yard")
    await place.start("a", owner)
    await until(lambda: len(owner.working) == 2)
    taken = place.table.leases[_key("gate")] = Lease("detector", CameraId("gate"), "b", 1)
    place.table.wake()
    assert await until(lambda: list(owner.working) == ["yard"]) < 0.1
    await asyncio.sleep(0.3)
    assert place.table.leases[_key("gate")] == taken
    assert owner.calls.count("take gate") == 1


async def test_what_fails_is_tried_again_and_harms_no_other_camera(place, caplog):
    owner = NotingOwner(fails_to_take={"bad"}, fails_to_drop={"gate"})
    place.publish("bad", "gate")
    await place.start("a", owner)
    await until(lambda: "gate" in owner.working and "take bad" in owner.calls)
    await asyncio.sleep(0.3)
    assert owner.calls.count("take bad") == 1
    owner.fails_to_take.clear()
    place.publish("bad")
    await until(lambda: "drop gate" in owner.calls)
    owner.fails_to_drop.clear()
    assert _key("gate") in place.table.leases
    place.clock.now_s += RETRY_S
    await until(lambda: list(owner.working) == ["bad"])
    await until(lambda: set(place.table.leases) == {_key("bad")})
    assert [("bad" in text, "gate" in text) for text in caplog.messages] == [(True, False), (False, True)]


async def test_a_newcomer_gets_its_share_one_camera_a_second(place):
    first, second = NotingOwner(), NotingOwner()
    place.publish(*CAMERAS)
    await place.start("a", first)
    await until(lambda: len(first.working) == len(CAMERAS))
    epochs = {camera: owned.epoch for camera, owned in first.working.items()}
    await place.start("b", second)
    share = {camera for camera in CAMERAS if chosen_member(camera, ["a", "b"]) == "b"}
    assert 2 <= len(share) < len(CAMERAS)
    for moved in range(1, len(share) + 1):
        await until(lambda moved=moved: len(second.working) == moved)
        await asyncio.sleep(0.25 if moved == 1 else 0)
        assert len(second.working) == moved
        place.clock.now_s += 1.0
    assert set(second.working) == share
    assert set(first.working) == set(CAMERAS) - share
    assert sum(call.startswith("drop") for call in first.calls) == len(share)
    assert all(second.working[camera].epoch > epochs[camera] for camera in second.working)


async def test_at_the_end_all_cameras_go_to_the_others_at_once(place):
    first, second = NotingOwner(drop_s=0.3, take_s={CAMERAS[0]: 0.3}), NotingOwner()
    place.publish(*CAMERAS)
    task = await place.start("a", first)
    await until(lambda: len(first.calls) == len(CAMERAS))
    await place.start("b", second)
    began_s = time.monotonic()
    await end(task)
    await until(lambda: set(second.working) == set(CAMERAS))
    assert time.monotonic() - began_s < 1.0
    assert first.working == {}
    assert task.cancelled()


async def test_events_leave_before_the_lease_does(place):
    order: list[str] = []

    class Queue(LocalEventQueue):
        async def flush(self, timeout_s: float) -> bool:
            order.extend(["flush", *sorted(camera for _, camera in place.table.leases)])
            return True

    place.bus.events, owner = Queue(), NotingOwner()
    place.publish("gate")
    task = await place.start("a", owner)
    await until(lambda: owner.working)
    await end(task)
    assert owner.calls == ["take gate", "drop gate"]
    assert order == ["flush", "gate"]
    assert not place.table.leases


async def test_an_end_with_a_camera_that_cannot_be_dropped_frees_the_others_and_the_member(place):
    owner = NotingOwner(fails_to_drop={"gate"})
    place.publish("gate", "yard")
    task = await place.start("a", owner)
    await until(lambda: len(owner.working) == 2)
    await end(task)
    assert not place.table.leases and not place.table.members


async def test_nothing_is_decided_while_members_are_not_known(place):
    class Blind(LocalLeaseStore):
        is_blind = False

        def members(self, role: Role) -> tuple[Member, ...] | None:
            return None if self.is_blind else super().members(role)

    owner, blind = NotingOwner(), Blind(place.table)
    place.publish("gate")
    await place.start("a", owner, lambda _: blind)
    await until(lambda: owner.working)
    blind.is_blind = True
    place.publish("yard")
    await asyncio.sleep(0.3)
    assert list(owner.working) == ["gate"]
    changed = replace(setup("gate"), lines=(Line(LineId("main"), "main", ((0.1, 0.5), (0.9, 0.5))),))
    place.bus.setups.publish((changed,))
    await until(lambda: owner.working[CameraId("gate")].setup == changed)
    blind.is_blind = False
    place.publish("yard")
    await until(lambda: list(owner.working) == ["yard"])


async def test_a_deleted_camera_leaves_nothing_behind(place):
    owner = NotingOwner(fails_to_take={"bad"})
    place.publish("gate", "bad", *CAMERAS)
    await place.start("a", owner)
    await until(lambda: len(owner.working) == len(CAMERAS) + 1 and "take bad" in owner.calls)
    place.publish("gate")
    await until(lambda: list(owner.working) == ["gate"])
    place.clock.now_s += RETRY_S
    await until(lambda: set(place.table.leases) == {_key("gate")})
    assert set(place.table.epochs) == {_key("gate")}
    assert set(place.managers[0]._retry_at_s) == set()


async def test_the_epochs_of_cameras_that_are_there_are_kept():
    table = LocalLeaseTable()
    store = LocalLeaseStore(table)
    await store.join(Member("a", "detector"))
    leases = [await store.take(CameraId(name), 10**15) for name in ("gate", "yard")]
    for lease in leases:
        await store.release(lease)
    store.retain([CameraId("gate")])
    assert set(table.epochs) == {_key("gate")}
    assert (await store.take(CameraId("gate"), 0)).epoch == 10**15 + 2


MANY_CAMERAS = [f"camera-{number}" for number in range(600)]
MEMBERS = ["detector-a", "detector-b", "detector-c"]


def _chosen_of_all(members: list[str]) -> dict[str, str | None]:
    return {camera: chosen_member(camera, members) for camera in MANY_CAMERAS}


def test_nobody_without_members():
    assert chosen_member("gate", []) is None


def test_the_choice_depends_on_the_names_alone():
    assert chosen_member("gate", MEMBERS) == chosen_member("gate", list(reversed(MEMBERS)))
    assert _chosen_of_all(MEMBERS) == _chosen_of_all([*MEMBERS[1:], MEMBERS[0]])


def test_the_choice_is_the_same_in_every_version_of_the_program():
    assert [chosen_member(camera, MEMBERS) for camera in ("gate", "yard", "street")] == [
        "detector-a",
        "detector-c",
        "detector-b",
    ]


def test_cameras_spread_evenly():
    counts = Counter(_chosen_of_all(MEMBERS).values())
    assert all(150 <= counts[member] <= 250 for member in MEMBERS)


@pytest.mark.parametrize("newcomer", ["detector-d", "0", "z"])
def test_a_newcomer_takes_its_share_and_nothing_else_moves(newcomer):
    before, after = _chosen_of_all(MEMBERS), _chosen_of_all([*MEMBERS, newcomer])
    moved = {camera for camera in MANY_CAMERAS if before[camera] != after[camera]}
    assert {after[camera] for camera in moved} == {newcomer}
    assert 100 <= len(moved) <= 200


@pytest.mark.parametrize("gone", MEMBERS)
def test_when_a_member_goes_only_its_cameras_move(gone):
    before, after = _chosen_of_all(MEMBERS), _chosen_of_all([member for member in MEMBERS if member != gone])
    assert {camera for camera in MANY_CAMERAS if before[camera] != after[camera]} == {
        camera for camera in MANY_CAMERAS if before[camera] == gone
    }
