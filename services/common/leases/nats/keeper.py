"""The leases of this member: how sure it can be of them, and how they agree with their records in NATS."""

import asyncio
import logging
from collections.abc import Callable, Collection

from services.common.leases.nats.records import LeaseRecords, Record
from services.common.leases.nats.roster import DEAD_AFTER_S, Reception, Roster
from services.common.leases.protocol import Lease, Member, next_epoch
from services.core.errors import BusUnavailableError
from services.core.types import CameraId

log = logging.getLogger(__name__)

TAKE_TIMEOUT_S = 1.8
"""Shorter than the silence after which others may take what this member has written."""

ASKED_AGAIN_S = 1.0
"""Looks at an unclaimed record that lie further apart say nothing of the time between them."""

SILENT_AFTER_S = 2.0
"""A process that stood still for this long may be thought dead: less than after what others do so."""


class OwnLeases:
    """All leases of one member. After a silence of its own each is unverified until its record was read."""

    def __init__(self) -> None:
        self._leases: dict[CameraId, Lease] = {}
        self._unverified: set[CameraId] = set()
        self._beat_s = 0.0

    def begin(self, now_s: float) -> None:
        """Have no lease, and be awake."""
        self._leases, self._unverified, self._beat_s = {}, set(), now_s

    def beat(self, now_s: float) -> bool:
        """Note that a heartbeat is due now; False after a silence."""
        was_awake = self._is_awake(now_s)
        self._beat_s = now_s
        return was_awake

    def verified(self, now_s: float) -> tuple[Lease, ...]:
        """Give the leases without those that are unverified."""
        self._is_awake(now_s)
        return tuple(lease for camera, lease in self._leases.items() if camera not in self._unverified)

    def all(self) -> tuple[Lease, ...]:
        """Give all leases, the unverified ones too."""
        return tuple(self._leases.values())

    def has(self, lease: Lease) -> bool:
        """Say whether a lease was neither lost nor released; it may be unverified."""
        return self._leases.get(lease.camera) == lease

    def has_camera(self, camera: CameraId) -> bool:
        """Say whether there is a lease of a camera, verified or not."""
        return camera in self._leases

    def is_unverified(self, lease: Lease) -> bool:
        """Say whether a lease waits for its record to be read."""
        return lease.camera in self._unverified

    def add(self, lease: Lease) -> None:
        """Have one more."""
        self._leases[lease.camera] = lease
        self._unverified.discard(lease.camera)

    def confirm(self, lease: Lease) -> None:
        """Note that a lease agrees with its record."""
        if self.has(lease):
            self._unverified.discard(lease.camera)

    def remove(self, lease: Lease) -> bool:
        """Have a lease no more; False when there was none."""
        if not self.has(lease):
            return False
        del self._leases[lease.camera]
        self._unverified.discard(lease.camera)
        return True

    def _is_awake(self, now_s: float) -> bool:
        if now_s - self._beat_s <= SILENT_AFTER_S:
            return True
        self._unverified = set(self._leases)
        return False


class LeaseKeeper:
    """Keeps the leases of one member in agreement with records and claims.

    `on_change` is called when the leases have changed.
    """

    def __init__(
        self,
        records: LeaseRecords,
        roster: Roster,
        reception: Reception,
        leases: OwnLeases,
        now_s: Callable[[], float],
        monotonic_s: Callable[[], float],
        on_change: Callable[[], None],
    ) -> None:
        self._records, self._roster, self._reception, self._leases = records, roster, reception, leases
        self._now_s, self._monotonic_s, self._on_change = now_s, monotonic_s, on_change
        self._unclaimed: dict[CameraId, _Unclaimed] = {}

    async def take(self, member: Member, camera: CameraId, highest_epoch: int) -> Lease | None:
        """Write a record with the next epoch; None when its holder lives, or it is not known."""
        if self._leases.has_camera(camera):
            return None
        if self._roster.claim(member.role, camera) is not None:
            self._unclaimed.pop(camera, None)
            return None
        began_s = self._monotonic_s()
        try:
            async with asyncio.timeout(TAKE_TIMEOUT_S):
                lease = await self._write_next(member, camera, highest_epoch)
        except (BusUnavailableError, TimeoutError) as error:
            log.debug("camera %s cannot be taken now: %s", camera, error)
            return None
        if lease is None or self._monotonic_s() - began_s > TAKE_TIMEOUT_S:
            return None  # a process that stood still meanwhile may have been replaced already
        self._leases.add(lease)
        self._on_change()
        return lease

    async def free(self, lease: Lease) -> None:
        """Mark a record as released if it is still this lease's."""
        try:
            record, revision = await self._records.read(lease.role, lease.camera)
            if record == Record(lease.member, lease.epoch):
                released = Record(lease.member, lease.epoch, is_released=True)
                await self._records.write(lease.role, lease.camera, released, revision)
        except BusUnavailableError as error:
            log.debug("the record of camera %s stays: %s", lease.camera, error)

    def retain(self, cameras: Collection[CameraId]) -> None:
        """Forget what was seen of all other cameras."""
        self._roster.retain(cameras)
        for camera in self._unclaimed.keys() - set(cameras):
            del self._unclaimed[camera]

    async def verify(self) -> bool:
        """Compare all leases with their records; False when that is to be done again."""
        results = await asyncio.gather(*(self._verify(lease) for lease in self._leases.all()))
        return all(results)

    def yield_to_higher(self) -> None:
        """Give up what another claims with a higher epoch."""
        for lease in self._leases.all():
            claim = self._roster.claim(lease.role, lease.camera)
            if claim is not None and claim.member.id != lease.member and claim.epoch >= lease.epoch:
                self._lose(lease)

    def _lose(self, lease: Lease) -> None:
        if self._leases.remove(lease):
            log.warning("camera %s was taken over by another %s", lease.camera, lease.role)
            self._on_change()

    async def _write_next(self, member: Member, camera: CameraId, highest_epoch: int) -> Lease | None:
        record, revision = await self._records.read(member.role, camera)
        if record is not None and not self._is_free(record, revision, member, camera):
            return None
        known = max(highest_epoch, self._roster.highest_epoch(member.role, camera))
        epoch = next_epoch(max(known, record.epoch if record is not None else 0), self._now_s())
        ours = Record(member.id, epoch)
        is_written = await self._records.write(member.role, camera, ours, revision)
        return Lease(member.role, camera, member.id, epoch) if is_written else None

    def _is_free(self, record: Record, revision: int, member: Member, camera: CameraId) -> bool:
        """Say whether the record's holder has released the camera, is dead, or does not know of it."""
        now_s = self._monotonic_s()
        if record.is_released or record.member == member.id:
            return True
        if not self._roster.is_alive(record.member):
            return self._reception.is_sure_of_absence(now_s)
        unclaimed = self._unclaimed.get(camera)
        if unclaimed is None or not unclaimed.look(revision, now_s):
            unclaimed = self._unclaimed[camera] = _Unclaimed(revision, now_s)
        return unclaimed.has_lasted(DEAD_AFTER_S)

    async def _verify(self, lease: Lease) -> bool:
        """Compare one lease with its record, and write the record where it is missing.

        An unverified lease is written once more, which defeats whoever is about to take it over.
        """
        began_s, ours = self._monotonic_s(), Record(lease.member, lease.epoch)
        try:
            record, revision = await self._records.read(lease.role, lease.camera)
            if record is not None and record != ours and record.epoch >= lease.epoch:
                self._lose(lease)
                return True
            is_in_need = record != ours or self._leases.is_unverified(lease)
            if is_in_need and not await self._records.write(lease.role, lease.camera, ours, revision):
                return False
        except BusUnavailableError:
            return False
        if self._leases.is_unverified(lease):
            if self._monotonic_s() - began_s > TAKE_TIMEOUT_S:
                return False  # it may have become unverified after the look at the record
            self._leases.confirm(lease)
            self._on_change()
        return True


class _Unclaimed:
    """A record that names a living member which does not claim the camera, looked at again and again.

    Its write was thought to have failed: when that lasts, nobody works there.
    """

    def __init__(self, revision: int, now_s: float) -> None:
        self._revision, self._first_s, self._last_s = revision, now_s, now_s

    def look(self, revision: int, now_s: float) -> bool:
        """Note a further look; False when it cannot be added to those before."""
        if revision != self._revision or now_s - self._last_s > ASKED_AGAIN_S:
            return False
        self._last_s = now_s
        return True

    def has_lasted(self, limit_s: float) -> bool:
        """Say whether it has been so for longer."""
        return self._last_s - self._first_s > limit_s
