"""Members and leases of processes that meet over NATS.

A lease is a record that only compare-and-set changes; that its holder lives is said by heartbeats. While
the server is away nobody can write a record, so that owners go on; whoever stood still itself trusts its
leases only after it has read their records again.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine
from contextlib import suppress
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from services.common.bus.nats.publishing import until_sent
from services.common.leases.nats.keeper import LeaseKeeper, OwnLeases
from services.common.leases.nats.records import LeaseRecords
from services.common.leases.nats.roster import (
    DEAD_AFTER_S,
    HEARTBEAT_S,
    Heartbeat,
    Reception,
    Roster,
    decode,
    encode,
)
from services.common.leases.protocol import Lease, Member, Role
from services.common.tasks import kept_running, watched
from services.core.errors import BusUnavailableError
from services.core.types import CameraId

log = logging.getLogger(__name__)

HEARTBEATS = "sightline.members"
"""The heartbeats of each role have a subject of their own below this one, so that none speaks for another."""

HELLO = "sightline.members.hello"

FOLLOWED: dict[Role | None, tuple[Role, ...]] = {
    None: ("ingest", "detector", "store", "web", "rtsp"),
    "ingest": ("ingest",),
    "detector": ("detector", "ingest"),
    "store": ("store",),
    "web": ("ingest", "detector", "store", "web", "rtsp"),
    "rtsp": ("rtsp", "ingest"),
}
"""Whose heartbeats the members of a role receive: their own, and of those whose video they need."""

RELEASE_TIMEOUT_S = 1.5
LEAVE_TIMEOUT_S = 0.4
"""How long records, and then the last heartbeat, may take when a member leaves."""

SEND_TIMEOUT_S = 0.4

VERIFY_PERIOD_S = 10.0
"""How often records are read without a cause: a record that the server lost is written again."""

VERIFY_AGAIN_S = 0.5


class NatsLeaseStore:
    """Implements `LeaseStore` over a connection, which it leaves open.

    A member's id must be its process's own: two that live at once under one id cannot be distinguished.
    `role`: of which service the user at the server is, whose members see and do no more than that one may;
    None sees all and does everything.
    """

    def __init__(
        self,
        client: Client,
        now_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
        role: Role | None = None,
    ) -> None:
        self._client, self._monotonic_s = client, monotonic_s
        self._roster, self._reception, self._leases = Roster(), Reception(), OwnLeases()
        self._followed = FOLLOWED[role]
        self._records = LeaseRecords(client, makes_bucket=role in (None, "web"))
        self._keeper = LeaseKeeper(
            self._records,
            self._roster,
            self._reception,
            self._leases,
            now_s,
            monotonic_s,
            self._announce,
        )
        self._sender = secrets.token_hex(8)
        self._member: Member | None = None
        self._subscriptions: list[Subscription] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_verifying = False
        self._verify_at_s = 0.0
        self._reconnects = 0
        self._changed, self._beat_now = asyncio.Event(), asyncio.Event()

    async def join(self, member: Member) -> None:
        """Say hello and send heartbeats from now on."""
        is_first = self._member is None
        self._member = member
        if is_first:
            await self._begin(member.role)
        self._announce()

    async def leave(self) -> None:
        """Release everything and say so; without a server there is nobody to say it to."""
        member, self._member = self._member, None
        if member is None:
            return
        await self._end_tasks()
        leases = self._leases.all()
        self._leases.begin(self._monotonic_s())
        goodbye = Heartbeat(self._sender, member, has_left=True)
        if self._client.is_connected:
            freeing = asyncio.gather(*(self._keeper.free(lease) for lease in leases))
            await _within(LEAVE_TIMEOUT_S, freeing)
            await self._send(_subject(member.role), encode(goodbye))
            await _within(LEAVE_TIMEOUT_S, until_sent(self._client))
        for subscription in self._subscriptions:
            await _within(SEND_TIMEOUT_S, subscription.unsubscribe())
        self._subscriptions.clear()
        self._roster.receive(goodbye, self._monotonic_s())
        self._changed.set()

    def members(self, role: Role) -> tuple[Member, ...] | None:
        """Give the members of a role that live; None unless all of them are known."""
        return self._roster.members(role) if self._is_settled() else None

    async def take(self, camera: CameraId, highest_epoch: int) -> Lease | None:
        """Write a record with the next epoch, unless its holder lives or this is not known."""
        assert self._member is not None, "join first"
        if not self._is_settled():
            return None
        return await self._keeper.take(self._member, camera, highest_epoch)

    async def release(self, lease: Lease) -> None:
        """Mark the record as free, then claim the camera no more."""
        if not self._leases.has(lease):
            return
        await _within(RELEASE_TIMEOUT_S, self._keeper.free(lease))
        if self._leases.remove(lease):
            self._announce()

    def leased(self) -> tuple[Lease, ...]:
        """Give the leases that are this member's; none whose record must be read first."""
        return self._leases.verified(self._monotonic_s())

    def holder(self, role: Role, camera: CameraId) -> Member | None:
        """Give the member that claims a camera; while NATS is away, the one that did so last."""
        claim = self._roster.claim(role, camera)
        return claim.member if claim is not None else None

    def retain(self, cameras: Collection[CameraId]) -> None:
        """Forget the epochs and records that were seen of all other cameras."""
        self._keeper.retain(cameras)

    async def changed(self, timeout_s: float) -> None:
        """Wait until something has changed since the last call."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
            self._changed.clear()

    async def _begin(self, role: Role) -> None:
        now_s = self._monotonic_s()
        self._reception.begin()
        self._leases.begin(now_s)
        self._roster.begin(role)
        self._verify_at_s = now_s
        self._reconnects = self._client.stats["reconnects"]
        listeners = {_subject(followed): self._on_heartbeat for followed in self._followed}
        try:
            for subject, listener in (*listeners.items(), (HELLO, self._on_hello)):
                self._subscriptions.append(await self._client.subscribe(subject, cb=listener))
        except NatsError as error:
            log.error("heartbeats cannot be received: %s", type(error).__name__)
        await self._send(HELLO, self._sender.encode())
        self._start(kept_running(self._beat, "the heartbeats of this member", lambda: self._member is None))

    def _is_settled(self) -> bool:
        return self._client.is_connected and self._reception.is_settled(self._monotonic_s())

    def _announce(self) -> None:
        """Let everybody know at once what this member is and has leased now."""
        if self._member is not None:
            self._roster.receive(self._heartbeat(self._member), self._monotonic_s())
        self._beat_now.set()
        self._changed.set()

    def _heartbeat(self, member: Member) -> Heartbeat:
        leased = {lease.camera: lease.epoch for lease in self._leases.verified(self._monotonic_s())}
        return Heartbeat(self._sender, member, leased)

    async def _beat(self) -> None:
        """Send heartbeats, and look whether everything is as it was."""
        while self._member is not None:
            self._beat_now.clear()
            await self._look_around()
            if self._member is not None:
                heartbeat = self._heartbeat(self._member)
                if self._roster.receive(heartbeat, self._monotonic_s()):
                    self._changed.set()
                await self._send(_subject(self._member.role), encode(heartbeat))
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S):
                    await self._beat_now.wait()

    async def _look_around(self) -> None:
        """Notice that the server was away or that this process was, and verify the leases after it."""
        now_s = self._monotonic_s()
        was_awake = self._leases.beat(now_s)
        reconnects = self._client.stats["reconnects"]
        if not was_awake:
            log.warning("this process stood still: it verifies its leases")
        if not was_awake or not self._client.is_connected or reconnects != self._reconnects:
            self._reconnects = reconnects
            await self._listen_again()
        if now_s >= self._verify_at_s and self._client.is_connected and not self._is_verifying:
            self._is_verifying = True
            self._start(self._verify())

    async def _verify(self) -> None:
        self._verify_at_s = self._monotonic_s() + VERIFY_PERIOD_S
        try:
            if not (await self._ensure_bucket() and await self._keeper.verify()):
                self._verify_at_s = self._monotonic_s() + VERIFY_AGAIN_S
        finally:
            self._is_verifying = False

    async def _ensure_bucket(self) -> bool:
        """Make the bucket of the records for those who may not; False when that is to be done again."""
        try:
            if self._records.makes_bucket:
                await self._records.ensure_bucket()
        except BusUnavailableError:
            return False
        return True

    async def _listen_again(self) -> None:
        self._reception.lose()
        self._verify_at_s = self._monotonic_s()
        self._changed.set()
        await self._send(HELLO, self._sender.encode())

    async def _send(self, subject: str, data: bytes) -> None:
        """Send when that is possible: what waits for a reconnection would come too late."""
        if self._client.is_connected:
            await _within(SEND_TIMEOUT_S, self._client.publish(subject, data))

    async def _on_hello(self, message: Msg) -> None:
        if message.data != self._sender.encode():
            self._beat_now.set()

    async def _on_heartbeat(self, message: Msg) -> None:
        heartbeat, now_s = decode(message.data), self._monotonic_s()
        if heartbeat is None or self._member is None or message.subject != _subject(heartbeat.member.role):
            return
        if heartbeat.sender == self._sender:
            await self._on_echo(self._member, now_s)
        elif heartbeat.member.id != self._member.id and self._roster.receive(heartbeat, now_s):
            self._keeper.yield_to_higher()
            self._changed.set()

    async def _on_echo(self, member: Member, now_s: float) -> None:
        """What this member said came back: everything that others sent before has come."""
        was_settled = self._reception.is_settled(now_s)
        if not self._reception.receive_own(now_s):
            await self._listen_again()
        is_settled = self._reception.is_settled(now_s)
        has_lost = is_settled and self._roster.forget_silent(now_s - DEAD_AFTER_S, but=member.id)
        if has_lost or is_settled != was_settled:
            self._changed.set()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = watched(work, "leases")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end_tasks(self) -> None:
        self._beat_now.set()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=SEND_TIMEOUT_S)


def _subject(role: Role) -> str:
    return f"{HEARTBEATS}.{role}"


async def _within(timeout_s: float, work: Awaitable[object]) -> None:
    """Do something that may fail with the connection, for a limited time."""
    try:
        async with asyncio.timeout(timeout_s):
            await work
    except (NatsError, OSError, TimeoutError) as error:
        log.debug("NATS: %s", type(error).__name__)
