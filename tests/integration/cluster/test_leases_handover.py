"""How long cameras are without an owner, over a real NATS server."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.common.leases.camera_manager import chosen_member
from services.core.types import CameraId, Line, LineId
from tests.members import Cluster, Node, cluster
from tests.nats_server import nats_server
from tests.owners import setup, until

CAMERAS = [f"camera-{number}" for number in range(12)]


@pytest.fixture
async def members(tmp_path: Path) -> AsyncIterator[Cluster]:
    with nats_server(tmp_path) as server:
        async with cluster(server.url) as members:
            members.publish(*CAMERAS)
            yield members


def share(id: str, ids: list[str]) -> set[str]:
    return {camera for camera in CAMERAS if chosen_member(camera, ids) == id}


async def settled(*nodes: Node) -> None:
    """Wait until all cameras are owned."""
    await until(lambda: sum(len(node.owner.working) for node in nodes) == len(CAMERAS))


async def test_after_a_crash_all_cameras_are_owned_within_four_seconds(members):
    one, other = await asyncio.gather(members.owner("a"), members.owner("b"))
    await settled(one, other)
    assert set(one.owner.working) == share("a", ["a", "b"])
    killed_s = time.monotonic()
    await one.kill()
    newcomer = await members.member("newcomer", "detector")
    lost = CameraId(min(one.owner.working))
    assert await newcomer.store.take(lost, 0) is None, "a newcomer must not take the silent one for dead"
    await newcomer.store.leave()
    await until(lambda: set(other.owner.working) == set(CAMERAS), 5.0)
    assert one.store.members("detector") is None
    assert len(one.store.leased()) == len(one.owner.working), "without NATS it cannot know better"
    assert time.monotonic() - killed_s <= 4.0
    assert all(other.owner.working[camera].epoch > owned.epoch for camera, owned in one.owner.working.items())


async def test_an_orderly_end_hands_all_cameras_over_within_a_second(members):
    one, other = await asyncio.gather(members.owner("a"), members.owner("b"))
    await settled(one, other)
    one.owner.drop_s = 0.2
    ended_s = time.monotonic()
    await one.drain()
    await until(lambda: set(other.owner.working) == set(CAMERAS))
    assert time.monotonic() - ended_s <= 1.0
    assert one.owner.working == {}


async def test_a_newcomer_takes_its_share_and_changes_reach_the_new_owner(members):
    one, other = await asyncio.gather(members.owner("a"), members.owner("b"))
    await settled(one, other)
    third = await members.owner("c")
    fallen = share("c", ["a", "b", "c"])
    camera = CameraId(min(fallen))
    await until(lambda: set(third.owner.working) == fallen, 8.0)
    dropped = [call for node in (one, other) for call in node.owner.calls if call.startswith("drop")]
    assert sorted(dropped) == sorted(f"drop {camera}" for camera in fallen)

    changed = replace(setup(camera), lines=(Line(LineId("main"), "main", ((0.1, 0.5), (0.9, 0.5))),))
    members.bus.setups.publish((changed, *(setup(other) for other in CAMERAS if other != camera)))
    assert await until(lambda: third.owner.working[camera].setup == changed) <= 1.0
