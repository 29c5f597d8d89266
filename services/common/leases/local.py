"""Members and leases within one process: everybody lives as long as it has joined."""

import asyncio
import time
from collections.abc import Callable, Collection

from services.common.leases.protocol import Lease, Member, Role, next_epoch
from services.core.types import CameraId


class LocalLeaseTable:
    """What the members of one process share."""

    def __init__(self, now_s: Callable[[], float] = time.time) -> None:
        self.now_s = now_s
        self.members: dict[str, Member] = {}
        self.leases: dict[tuple[Role, CameraId], Lease] = {}
        self.epochs: dict[tuple[Role, CameraId], int] = {}
        self._cameras: Collection[CameraId] | None = None
        """The cameras that there are; None while nobody has said."""
        self._watching: list[asyncio.Event] = []

    def watch(self) -> asyncio.Event:
        """Give an event that is set by each change."""
        event = asyncio.Event()
        self._watching.append(event)
        return event

    def retain(self, cameras: Collection[CameraId]) -> None:
        """Forget the epochs of all other cameras, as soon as nobody works on them."""
        self._cameras = frozenset(cameras)
        for key in list(self.epochs):
            self.forget_deleted(key)

    def forget_deleted(self, key: tuple[Role, CameraId]) -> None:
        """Forget an epoch if its camera is not there and nobody works on it."""
        if self._cameras is not None and key[1] not in self._cameras and key not in self.leases:
            self.epochs.pop(key, None)

    def wake(self) -> None:
        """Wake whoever watches."""
        for event in self._watching:
            event.set()


class LocalLeaseStore:
    """Implements `LeaseStore` over a table in memory."""

    def __init__(self, table: LocalLeaseTable) -> None:
        self._table = table
        self._member: Member | None = None
        self._changed = table.watch()

    async def join(self, member: Member) -> None:
        """Be among the members."""
        self._member = member
        self._table.members[member.id] = member
        self._table.wake()

    async def leave(self) -> None:
        """Be no member any more, and have no lease."""
        for lease in self.leased():
            await self.release(lease)
        if self._member is not None:
            self._table.members.pop(self._member.id, None)
            self._member = None
        self._table.wake()

    def members(self, role: Role) -> tuple[Member, ...] | None:
        """Give the members of a role, by id."""
        found = [member for member in self._table.members.values() if member.role == role]
        return tuple(sorted(found, key=lambda member: member.id))

    async def take(self, camera: CameraId, highest_epoch: int) -> Lease | None:
        """Own a camera, unless a member has it."""
        assert self._member is not None, "join first"
        key = self._member.role, camera
        if key in self._table.leases:
            return None
        epoch = next_epoch(max(highest_epoch, self._table.epochs.get(key, 0)), self._table.now_s())
        self._table.epochs[key] = epoch
        lease = self._table.leases[key] = Lease(self._member.role, camera, self._member.id, epoch)
        self._table.wake()
        return lease

    async def release(self, lease: Lease) -> None:
        """Let others take the camera."""
        if self._table.leases.get((lease.role, lease.camera)) == lease:
            del self._table.leases[lease.role, lease.camera]
            self._table.forget_deleted((lease.role, lease.camera))
            self._table.wake()

    def leased(self) -> tuple[Lease, ...]:
        """Give the leases of this member."""
        if self._member is None:
            return ()
        return tuple(lease for lease in self._table.leases.values() if lease.member == self._member.id)

    def holder(self, role: Role, camera: CameraId) -> Member | None:
        """Give the member that has the lease of a camera."""
        lease = self._table.leases.get((role, camera))
        return self._table.members.get(lease.member) if lease is not None else None

    def retain(self, cameras: Collection[CameraId]) -> None:
        """Forget the epochs of all other cameras that nobody works on."""
        self._table.retain(cameras)

    async def changed(self, timeout_s: float) -> None:
        """Wait until something has changed since the last call."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()
