"""Members that meet over NATS within one test process, each with a connection of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from nats.aio.client import Client

from services.common.bus.local import LocalBus
from services.common.bus.nats.connection import nats_connection
from services.common.leases.camera_manager import CameraManager
from services.common.leases.nats.store import NatsLeaseStore
from services.common.leases.protocol import Member, Role
from tests.owners import NotingOwner, setup, until


@dataclass
class Node:
    """One member with its store, and an owner where it has one."""

    client: Client
    store: NatsLeaseStore
    owner: NotingOwner = field(default_factory=NotingOwner)
    owning: asyncio.Task[None] | None = None

    async def kill(self) -> None:
        """Be silent from now on, without having left."""
        await self.client.close()

    async def drain(self) -> None:
        """End the ownership as SIGTERM does."""
        assert self.owning is not None
        self.owning.cancel()
        await asyncio.wait([self.owning])


class Cluster:
    """The members of one server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stack = AsyncExitStack()
        self.bus = LocalBus()

    async def member(self, id: str, role: Role = "detector") -> Node:
        """A member that can tell who else there is."""
        client = await self._stack.enter_async_context(nats_connection(self._url, id))
        node = Node(client, NatsLeaseStore(client))
        await node.store.join(Member(id, role))
        self._stack.push_async_callback(node.store.leave)
        await until(lambda: node.store.members(role) is not None)
        return node

    async def owner(self, id: str) -> Node:
        """A member that owns what falls to it of the cameras that were published."""
        client = await self._stack.enter_async_context(nats_connection(self._url, id))
        node = Node(client, NatsLeaseStore(client))
        node.owning = asyncio.create_task(
            CameraManager(
                Member(id, "detector"), node.store, self.bus.setups, self.bus.events, node.owner
            ).run()
        )
        self._stack.push_async_callback(node.drain)
        return node

    def publish(self, *cameras: str) -> None:
        """Replace the cameras that there are."""
        self.bus.setups.publish(tuple(setup(camera) for camera in cameras))

    async def close(self) -> None:
        """End all members."""
        await self._stack.aclose()


@asynccontextmanager
async def cluster(url: str) -> AsyncIterator[Cluster]:
    """Members for the length of a test."""
    running = Cluster(url)
    try:
        yield running
    finally:
        await running.close()
