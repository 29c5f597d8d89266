"""Keeping the cameras of one role spread over its members: decides what this process takes and drops.

Each camera is worked on in steps, one at a time; cameras do not wait for each other, and no step can keep
the loop from seeing what was lost.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from services.common.bus.protocol import EventQueue, Setups, SharedValue
from services.common.leases.protocol import Lease, LeaseStore, Member
from services.common.tasks import watched
from services.core.types import CameraId, CameraSetup, OwnedCamera

log = logging.getLogger(__name__)

TICK_S = 0.2
"""How often members and leases are looked at when no change is reported."""

MOVE_PERIOD_S = 1.0
"""At most one camera is handed to another living member within this time: each move is a short gap."""

RETRY_S = 2.0
"""When a camera whose step failed is tried again."""

FLUSH_TIMEOUT_S = 5.0
"""How long the last events of a camera may take to leave this process before its lease is released."""


class Owner(Protocol):
    """What a service does with the cameras that it owns."""

    async def take(self, camera: OwnedCamera) -> None:
        """Begin to work on a camera, or go on with its changed setup under the same epoch."""

    async def drop(self, camera: CameraId) -> None:
        """End the work on a camera; when it returns, everything is published and nothing follows.

        Called for a camera whose `take` has failed too.
        """


@dataclass
class _Work:
    """A camera that is owned; `setup` is what the owner works with, None before it has begun."""

    lease: Lease
    setup: CameraSetup | None = None


_Step = Callable[[CameraId], Awaitable[bool]]
"""Gives whether a further step may follow at once."""


class CameraManager:
    """Takes the cameras that fall to this member, and drops those that fall to another or were lost."""

    def __init__(
        self,
        member: Member,
        leases: LeaseStore,
        setups: SharedValue[Setups],
        events: EventQueue,
        owner: Owner,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._member, self._leases, self._owner = member, leases, owner
        self._shared, self._events = setups, events
        self._monotonic_s = monotonic_s
        self._setups: dict[CameraId, CameraSetup] = {}
        self._working: dict[CameraId, _Work] = {}
        self._busy: dict[CameraId, asyncio.Task[None]] = {}
        self._retry_at_s: dict[CameraId, float] = {}
        self._move_at_s = 0.0
        self._wake = asyncio.Event()

    @property
    def cameras(self) -> tuple[CameraId, ...]:
        """The cameras that are worked on now."""
        return tuple(self._working)

    async def run(self) -> None:
        """Follow setups and members until cancelled; then drop and release everything at once."""
        try:
            await self._leases.join(self._member)
            async with asyncio.TaskGroup() as following:
                following.create_task(self._follow_setups())
                following.create_task(self._follow_leases())
                while True:
                    self._settle()
                    await self._wake.wait()
                    self._wake.clear()
        finally:
            await asyncio.shield(self._end())

    async def _follow_setups(self) -> None:
        async with self._shared.follow() as changes:
            async for setups in changes:
                self._setups = {setup.camera.id: setup for setup in setups}
                self._forget_deleted()
                self._wake.set()

    def _forget_deleted(self) -> None:
        self._leases.retain(self._setups)
        for camera in self._retry_at_s.keys() - self._setups.keys() - self._working.keys():
            del self._retry_at_s[camera]

    async def _follow_leases(self) -> None:
        while True:
            await self._leases.changed(TICK_S)
            self._wake.set()

    def _settle(self) -> None:
        """Begin the next step of each camera that needs one and is not in the midst of one."""
        wanted, leased, now_s = self._wanted(), set(self._leases.leased()), self._monotonic_s()
        for camera in {*self._working, *self._setups} - set(self._busy):
            if now_s < self._retry_at_s.get(camera, 0.0):
                continue
            step = self._next_step(camera, wanted, leased)
            if step is not None:
                self._busy[camera] = watched(self._do(camera, step), f"a step of camera {camera}")

    def _wanted(self) -> set[CameraId] | None:
        """Give the cameras that fall to this member; None while the members are not known."""
        members = self._leases.members(self._member.role)
        if members is None:
            return None
        ids = [member.id for member in members]
        return {camera for camera in self._setups if chosen_member(camera, ids) == self._member.id}

    def _next_step(self, camera: CameraId, wanted: set[CameraId] | None, leased: set[Lease]) -> _Step | None:
        work = self._working.get(camera)
        if work is None:
            return self._take if wanted is not None and camera in wanted else None
        if work.lease not in leased:
            return self._drop_lost
        setup = self._setups.get(camera)
        if wanted is not None and (setup is None or self._is_superseded(setup, work)):
            return self._give_up  # deleted; or the database refuses what this owner publishes
        if wanted is not None and camera not in wanted:
            return self._give_up if self._may_move() else None
        if setup is not None and (work.setup is None or _work(setup) != _work(work.setup)):
            return self._begin
        return None

    def _is_superseded(self, setup: CameraSetup, work: _Work) -> bool:
        """Say whether the database knows a newer owner: only detectors announce their epochs there."""
        return self._member.role == "detector" and setup.highest_epoch > work.lease.epoch

    def _may_move(self) -> bool:
        now_s = self._monotonic_s()
        if now_s < self._move_at_s:
            return False
        self._move_at_s = now_s + MOVE_PERIOD_S
        return True

    async def _do(self, camera: CameraId, step: _Step) -> None:
        """Do one step; what nobody foresaw costs this camera a new try and nothing else."""
        try:
            if await step(camera):
                self._wake.set()
            self._retry_at_s.pop(camera, None)
        except Exception:
            log.exception("camera %s: a step of its work failed and is tried again", camera)
            if camera in self._setups or camera in self._working:
                self._retry_at_s[camera] = self._monotonic_s() + RETRY_S
        finally:
            del self._busy[camera]

    async def _take(self, camera: CameraId) -> bool:
        setup = self._setups.get(camera)
        lease = await self._leases.take(camera, setup.highest_epoch) if setup is not None else None
        if lease is None:
            return False
        self._working[camera] = _Work(lease)
        return await self._begin(camera)

    async def _begin(self, camera: CameraId) -> bool:
        """Let the owner begin, or go on with the newest setup."""
        work, setup = self._working[camera], self._setups.get(camera)
        if setup is not None:
            await self._owner.take(OwnedCamera(setup, work.lease.epoch))
            work.setup = setup
        return True

    async def _give_up(self, camera: CameraId) -> bool:
        """End the work, let its last events out, and only then let another begin."""
        await self._owner.drop(camera)
        if not await self._events.flush(FLUSH_TIMEOUT_S):
            log.warning("the last events of camera %s are still waiting", camera)
        await self._leases.release(self._working.pop(camera).lease)
        return True

    async def _drop_lost(self, camera: CameraId) -> bool:
        """End the work at once; a lease that was only unverified is given back, and taken anew."""
        log.warning("camera %s is not known to be owned by this process any more", camera)
        await self._owner.drop(camera)
        await self._leases.release(self._working.pop(camera).lease)
        return True

    async def _end(self) -> None:
        await asyncio.gather(*(self._end_camera(camera) for camera in {*self._working, *self._busy}))
        await self._leases.leave()

    async def _end_camera(self, camera: CameraId) -> None:
        step = self._busy.get(camera)
        if step is not None:
            await asyncio.wait([step])
        if camera in self._working:
            await self._do_last(camera)

    async def _do_last(self, camera: CameraId) -> None:
        try:
            await self._give_up(camera)
        except Exception:
            log.exception("camera %s: its work did not end in order", camera)


def _work(setup: CameraSetup) -> Sequence[object]:
    """Give what of a setup changes the work: not the floor of the next epoch."""
    return (setup.camera, setup.lines, setup.repeats, setup.revision, setup.asked_s)


def chosen_member(camera: str, members: Sequence[str]) -> str | None:
    """Give the member whose hash with the camera is the highest; None without members.

    Every process comes to the same answer, and a further member takes over its own share of the cameras
    alone (Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998).
    """
    return max(members, key=lambda member: (_weight(camera, member), member), default=None)


def _weight(camera: str, member: str) -> bytes:
    return blake2b(f"{camera}\n{member}".encode(), digest_size=8).digest()
