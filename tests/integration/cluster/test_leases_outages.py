"""Leases while the NATS server is away, comes back, and has lost its disk."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from services.common.leases.nats.records import LeaseRecords, Record
from services.common.leases.nats.roster import DEAD_AFTER_S
from services.common.leases.protocol import Lease
from services.core.types import CameraId
from tests.members import Node, cluster
from tests.nats_server import NatsServer, nats_server
from tests.owners import until

GATE, YARD = CameraId("gate"), CameraId("yard")
CAMERAS = [CameraId(f"camera-{number}") for number in range(8)]


def leases_of(*nodes: Node) -> dict[CameraId, Lease]:
    return {lease.camera: lease for node in nodes for lease in node.store.leased()}


@asynccontextmanager
async def two_owners(server: NatsServer) -> AsyncIterator[tuple[Node, Node]]:
    """Two members that own all cameras."""
    async with cluster(server.url) as members:
        members.publish(*CAMERAS)
        one, other = await asyncio.gather(members.owner("a"), members.owner("b"))
        await until(lambda: len(one.owner.working) + len(other.owner.working) == len(CAMERAS))
        yield one, other


async def is_unknown_and_then_known(nodes: tuple[Node, Node], bring_back: Callable[[], None]) -> None:
    """Nothing can be told or taken now; after the server's return everything is as it was."""
    before = leases_of(*nodes)
    for node in nodes:
        await until(lambda node=node: node.store.members("detector") is None, 2.0)
        began_s = time.monotonic()
        assert await node.store.take(CameraId("new"), 0) is None
        assert time.monotonic() - began_s < 0.5
    assert leases_of(*nodes) == before
    bring_back()
    for node in nodes:
        await until(lambda node=node: node.store.members("detector"), 8.0)
        assert [member.id for member in node.store.members("detector")] == ["a", "b"]
    await asyncio.sleep(0.5)
    assert leases_of(*nodes) == before
    assert all(call.startswith("take") for node in nodes for call in node.owner.calls)


async def test_owners_go_on_while_the_server_is_killed_and_started_again(tmp_path: Path):
    with nats_server(tmp_path) as server:
        async with two_owners(server) as nodes:
            server.kill()
            await is_unknown_and_then_known(nodes, server.start)


async def test_owners_go_on_while_the_server_stands_still(tmp_path: Path):
    with nats_server(tmp_path) as server:
        async with two_owners(server) as nodes:
            server.pause()
            await asyncio.sleep(DEAD_AFTER_S)
            await is_unknown_and_then_known(nodes, server.resume)


async def test_owners_and_epochs_outlive_the_server_s_disk(tmp_path: Path):
    with nats_server(tmp_path) as server:
        async with two_owners(server) as (one, other):
            before = leases_of(one, other)
            server.kill()
            server.lose_disk()
            await asyncio.sleep(DEAD_AFTER_S)
            await is_unknown_and_then_known((one, other), server.start)
            records = LeaseRecords(other.client)
            for camera, lease in before.items():
                assert (await records.read("detector", camera))[0] == Record(lease.member, lease.epoch)

            await one.kill()
            await until(lambda: len(other.owner.working) == len(CAMERAS), 5.0)
            for camera in one.owner.working:
                assert other.owner.working[camera].epoch > before[camera].epoch


async def test_a_bucket_that_vanishes_in_the_midst_of_work_is_made_again(tmp_path: Path):
    with nats_server(tmp_path) as server:
        async with cluster(server.url) as members:
            node = await members.member("a")
            gate = await node.store.take(GATE, 0)
            await node.client.jetstream().delete_stream("KV_sightline-leases")
            yard = await node.store.take(YARD, 0)
            assert yard is not None
            await node.store.release(gate)
            again = await node.store.take(GATE, 0)
            assert again.epoch > gate.epoch
            assert set(node.store.leased()) == {again, yard}


async def test_leaving_without_a_server_takes_no_time(tmp_path: Path):
    with nats_server(tmp_path) as server:
        async with cluster(server.url) as members:
            node, stopped = await asyncio.gather(members.member("a"), members.member("b"))
            assert await node.store.take(GATE, 0) is not None
            assert await stopped.store.take(YARD, 0) is not None
            server.pause()
            began_s = time.monotonic()
            await stopped.store.leave()
            assert time.monotonic() - began_s < 1.2
            server.kill()
            await until(lambda: not node.client.is_connected)
            began_s = time.monotonic()
            await node.store.leave()
            assert time.monotonic() - began_s < 0.5
