"""Keeping the cameras of one role spread over its members: decides what this process takes and drops."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from services.common.bus import Bus
from services.common.leases import Lease, LeaseStore, Member
from services.core.sharding import chosen_member
from services.core.types import CameraId, CameraSetup, OwnedCamera

log = logging.getLogger(__name__)

TICK_S = 0.2
"""How often members and leases are looked at when nothing tells of a change."""

FLUSH_TIMEOUT_S = 5.0
"""How long the last events of a camera may take to leave this process before its lease is released."""


class Owner(Protocol):
    """What a service does with the cameras that it owns."""

    async def take(self, camera: OwnedCamera) -> None:
        """Begin to work on a camera, or go on with its changed setup under the same epoch."""

    async def drop(self, camera: CameraId) -> None:
        """End the work on a camera; when it returns, everything is published and nothing follows."""


class Ownership:
    """Takes the cameras that fall to this member, and drops those that fall to another or were lost."""

    def __init__(self, member: Member, leases: LeaseStore, bus: Bus, owner: Owner) -> None:
        self._member, self._leases, self._bus, self._owner = member, leases, bus, owner
        self._setups: dict[CameraId, CameraSetup] = {}
        self._working: dict[CameraId, tuple[Lease, CameraSetup]] = {}

    @property
    def cameras(self) -> tuple[CameraId, ...]:
        """The cameras that are worked on now."""
        return tuple(self._working)

    async def run(self) -> None:
        """Follow setups and members until cancelled; then drop and release everything at once."""
        following = asyncio.create_task(self._follow_setups())
        try:
            await self._leases.join(self._member)
            while True:
                await self._settle()
                await self._leases.changed(TICK_S)
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
            await asyncio.shield(self._end())

    async def _follow_setups(self) -> None:
        async with self._bus.setups() as changes:
            async for setups in changes:
                self._setups = {setup.camera.id: setup for setup in setups}

    async def _settle(self) -> None:
        """Come one step nearer to what members and setups ask for."""
        await self._drop_lost()
        wanted = self._wanted()
        if wanted is None:
            await self._apply_changes()
            return
        await asyncio.gather(*(self._give_up(camera) for camera in set(self._working) - wanted))
        await self._apply_changes()
        await asyncio.gather(*(self._take(camera) for camera in wanted - set(self._working)))

    def _wanted(self) -> set[CameraId] | None:
        """Give the cameras that fall to this member; None while nobody can tell."""
        members = self._leases.members(self._member.role)
        if members is None:
            return None
        ids = [member.id for member in members]
        return {camera for camera in self._setups if chosen_member(camera, ids) == self._member.id}

    async def _drop_lost(self) -> None:
        held = set(self._leases.held())
        lost = [camera for camera, (lease, _) in self._working.items() if lease not in held]
        for camera in lost:
            log.warning("camera %s has another owner now", camera)
            del self._working[camera]
        await asyncio.gather(*(self._owner.drop(camera) for camera in lost))

    async def _apply_changes(self) -> None:
        for camera, (lease, known) in list(self._working.items()):
            setup = self._setups.get(camera)
            if setup is not None and _work(setup) != _work(known):
                self._working[camera] = (lease, setup)
                await self._owner.take(OwnedCamera(setup, lease.epoch))

    async def _take(self, camera: CameraId) -> None:
        setup = self._setups[camera]
        lease = await self._leases.take(camera, setup.highest_epoch)
        if lease is not None:
            self._working[camera] = (lease, setup)
            await self._owner.take(OwnedCamera(setup, lease.epoch))

    async def _give_up(self, camera: CameraId) -> None:
        """End the work, let its last events out, and only then let another begin."""
        lease, _ = self._working.pop(camera)
        await self._owner.drop(camera)
        if not await self._bus.flush(FLUSH_TIMEOUT_S):
            log.warning("the last events of camera %s are still waiting", camera)
        await self._leases.release(lease)

    async def _end(self) -> None:
        await asyncio.gather(*(self._give_up(camera) for camera in list(self._working)))
        await self._leases.leave()


def _work(setup: CameraSetup) -> Sequence[object]:
    """Give what of a setup changes the work: not the floor of the next epoch."""
    return (setup.camera, setup.lines)
