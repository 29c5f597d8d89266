"""What every `LeaseStore` promises, whatever carries it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from services.common.bus.nats.connection import nats_connection
from services.common.leases.local import LocalLeaseStore, LocalLeaseTable
from services.common.leases.nats.store import NatsLeaseStore
from services.common.leases.protocol import LeaseStore, Member, next_epoch
from services.core.sentences.sentence import plain
from services.core.types import CameraId
from tests.nats_server import NatsServer, nats_server

GATE, YARD = CameraId("gate"), CameraId("yard")

Join = Callable[..., Awaitable[LeaseStore]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> object:
    with nats_server(tmp_path_factory.mktemp("leases")) as server:
        yield server


@pytest.fixture(params=["local", "nats"])
async def join(request: pytest.FixtureRequest) -> AsyncIterator[Join]:
    """Make members that can tell who else there is, and end them."""
    table = LocalLeaseTable()
    async with AsyncExitStack() as stack:

        async def make() -> LeaseStore:
            if request.param == "local":
                return LocalLeaseStore(table)
            server: NatsServer = request.getfixturevalue("server")
            return NatsLeaseStore(await stack.enter_async_context(nats_connection(server.url, "test")))

        async def joined(id: str, role: str = "detector", address: str = "", key: str = "") -> LeaseStore:
            store = await make()
            await store.join(Member(id, role, address, key))
            stack.push_async_callback(store.leave)
            await until(lambda: store.members(role) is not None)
            return store

        yield joined


async def until(condition: Callable[[], object], timeout_s: float = 4.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "not in time"
        await asyncio.sleep(0.01)


def ids(store: LeaseStore, role: str = "detector") -> list[str] | None:
    members = store.members(role)
    return None if members is None else [member.id for member in members]


async def test_members_of_a_role_are_seen_by_all_in_order(join):
    second, first, other = await asyncio.gather(join("b"), join("a"), join("c", "ingest"))
    for store in (first, second, other):
        await until(lambda store=store: ids(store) == ["a", "b"] and ids(store, "ingest") == ["c"])


async def test_joining_again_changes_what_others_see(join):
    one, other = await asyncio.gather(join("a", "ingest", "host:1", "secret"), join("b"))
    await one.join(Member("a", "ingest", "host:2", "other", plain("no camera answers")))
    await until(
        lambda: (
            other.members("ingest") == (Member("a", "ingest", "host:2", "other", plain("no camera answers")),)
        )
    )


async def test_a_camera_has_one_holder_within_a_role(join):
    one, other, ingest = await asyncio.gather(join("a"), join("b"), join("c", "ingest", "host:1", "key"))
    lease = await one.take(GATE, 0)
    assert lease is not None and (lease.role, lease.camera, lease.member) == ("detector", GATE, "a")
    assert await other.take(GATE, 0) is None
    assert await one.take(GATE, 0) is None
    assert await ingest.take(GATE, 0) is not None
    assert await other.take(YARD, 0) is not None
    assert one.leased() == (lease,)
    for store in (one, other, ingest):
        await until(lambda store=store: store.holder("detector", GATE) == Member("a", "detector"))
        await until(
            lambda store=store: store.holder("ingest", GATE) == Member("c", "ingest", "host:1", "key")
        )
    assert one.holder("ingest", YARD) is None


async def test_of_many_that_take_at_once_one_wins(join):
    stores = await asyncio.gather(*(join(f"m{number}") for number in range(20)))
    leases = [
        lease for lease in await asyncio.gather(*(s.take(GATE, 0) for s in stores)) if lease is not None
    ]
    assert len(leases) == 1
    assert [store.leased() for store in stores if store.leased()] == [(leases[0],)]


async def test_a_released_camera_is_taken_at_once_with_a_higher_epoch(join):
    one, other = await asyncio.gather(join("a"), join("b"))
    lease = await one.take(GATE, 0)
    began_s = time.monotonic()
    await one.release(lease)
    assert one.leased() == ()
    next_lease = None
    while next_lease is None:
        await other.changed(0.1)
        next_lease = await other.take(GATE, 0)
    assert time.monotonic() - began_s < 0.3
    assert next_lease.epoch > lease.epoch
    await one.release(lease)
    assert other.leased() == (next_lease,)
    await until(lambda: one.holder("detector", GATE) == Member("b", "detector"))
    assert await one.take(GATE, 0) is None


async def test_who_leaves_is_gone_at_once_and_holds_nothing(join):
    one, other = await asyncio.gather(join("a"), join("b"))
    lease = await one.take(GATE, 0)
    await until(lambda: ids(other) == ["a", "b"])
    began_s = time.monotonic()
    await one.leave()
    assert one.leased() == ()
    await until(lambda: ids(other) == ["b"] and other.holder("detector", GATE) is None)
    assert time.monotonic() - began_s < 0.5
    assert (await other.take(GATE, 0)).epoch > lease.epoch


@pytest.mark.parametrize("ahead_ms", [0, 3_600_000])
async def test_an_epoch_is_above_what_the_database_knows_and_above_all_before(join, ahead_ms):
    store = await join("a")
    floor = round(time.time() * 1000) + ahead_ms
    first = await store.take(CameraId(f"ahead-{ahead_ms}"), floor)
    assert first.epoch > floor
    await store.release(first)
    second = await store.take(first.camera, 0)
    assert second.epoch > first.epoch


@pytest.mark.parametrize(
    ("highest", "now_s", "epoch"), [(0, 5.0, 5000), (4999, 5.0, 5000), (5000, 5.0, 5001), (9000, 5.0, 9001)]
)
def test_the_next_epoch_is_the_clock_or_one_more(highest, now_s, epoch):
    assert next_epoch(highest, now_s) == epoch


async def test_changes_wake_who_waits(join):
    one, other = await asyncio.gather(join("a"), join("b"))
    await until(lambda: ids(one) == ids(other) == ["a", "b"])
    while await _waited_s(other, 0.2) < 0.15:
        pass
    waiting = asyncio.create_task(_waited_s(other, 3.0))
    await asyncio.sleep(0.05)
    await one.take(GATE, 0)
    assert await waiting < 0.5


async def _waited_s(store: LeaseStore, timeout_s: float) -> float:
    began_s = time.monotonic()
    await store.changed(timeout_s)
    return time.monotonic() - began_s
