"""Ends of the bus over a real NATS server, as services hold them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from services.common.bus.nats.bus import NatsBus, nats_bus
from services.common.bus.nats.connection import Refusals, nats_connection, password_of
from services.common.bus.nats.reader import ACK_WAIT_S
from services.common.bus.protocol import EVENT_LIMIT, Bus
from services.common.leases.protocol import Role
from services.core.types import Event
from tests.nats_server import NatsServer


@asynccontextmanager
async def bus_end(
    server: NatsServer,
    event_limit: int = EVENT_LIMIT,
    ack_wait_s: float = ACK_WAIT_S,
    role: Role | None = None,
    refusals: Refusals | None = None,
) -> AsyncIterator[NatsBus]:
    """A bus over a connection of its own: as a service has it, or one that does everything."""
    url = server.url_of(role) if role is not None else server.url
    async with (
        nats_connection(url, "test", role or "", refusals) as client,
        nats_bus(client, event_limit, ack_wait_s, role, password_of(url)) as bus,
    ):
        yield bus


@asynccontextmanager
async def bus_ends(server: NatsServer, number: int = 2) -> AsyncIterator[list[NatsBus]]:
    """Several of them."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(bus_end(server)) for _ in range(number)]


async def until(condition: Callable[[], object], what: str, timeout_s: float = 10.0) -> None:
    """Ask again and again until it is true."""
    try:
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"not within {timeout_s:g} s: {what}")


async def read_events(bus: Bus, number: int, timeout_s: float = 5.0) -> list[Event]:
    """Read and acknowledge a number of events, in whatever batches they come."""
    events: list[Event] = []
    try:
        async with asyncio.timeout(timeout_s):
            while len(events) < number:
                batch = await bus.events.next_batch(number - len(events))
                events += batch.events
                bus.events.acknowledge(batch)
    except TimeoutError:
        pytest.fail(f"only {len(events)} of {number} events came within {timeout_s:g} s")
    return events


async def assert_no_more_events(bus: Bus, wait_s: float = 0.5) -> None:
    """Fail when an event comes."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bus.events.next_batch(), wait_s)
