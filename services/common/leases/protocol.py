"""Who is alive and which process owns which camera: the protocol, whatever carries it.

A process joins as a member of its role and is seen as alive while its heartbeats arrive. A lease says
that a member owns a camera within its role; it has an epoch, which is fixed when the lease is taken and
only ever grows. The leases of a member stay its own while the lease server is away: then nobody can
take them, and whoever was replaced without knowing it is fenced off by its older epoch.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal, Protocol

from services.core.sentences.sentence import Sentence, sentence
from services.core.times import milliseconds
from services.core.types import CameraId

Role = Literal["ingest", "detector", "store", "web", "rtsp"]


RUNNING = sentence("running")


@dataclass(frozen=True, slots=True)
class Member:
    """A process that is alive."""

    id: str
    role: Role
    address: str = ""
    """Where other services reach it: of an ingest process, the address of its video."""
    key: str = field(default="", repr=False)
    """A secret that opens that address; it goes over the authenticated bus only."""
    status: Sentence = RUNNING
    """That it runs, or what is wrong, for the page."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One ownership of a camera by a member."""

    role: Role
    camera: CameraId
    member: str
    epoch: int


def next_epoch(highest: int, now_s: float) -> int:
    """Give an epoch above all that are known: the clock in milliseconds, or one more than the highest.

    The clock keeps it growing also when what was known is lost before it was durable.
    """
    return max(highest + 1, milliseconds(now_s))


class LeaseStore(Protocol):
    """One member's view of all members and leases. Everything is callable on the event loop that joined."""

    async def join(self, member: Member) -> None:
        """Be seen as alive from now on. Calling it again changes what others see of this member."""

    async def leave(self) -> None:
        """End at once for all others; its leases are released."""

    def members(self, role: Role) -> tuple[Member, ...] | None:
        """Give the members of a role that are alive, by id, this one included.

        None while that is not known: the server is away, or has been back for too short a time for all
        heartbeats to have come. Nothing may be decided then.
        """

    async def take(self, camera: CameraId, highest_epoch: int) -> Lease | None:
        """Own a camera within this member's role, with an epoch above `highest_epoch` and all before.

        None when a member that is alive holds it, when somebody else was faster, or when that is not
        known.
        """

    async def release(self, lease: Lease) -> None:
        """Let others take the camera at once; nothing happens when it is not this member's lease any more."""

    def leased(self) -> tuple[Lease, ...]:
        """Give the leases of this member as far as it can know, without those that it lost."""

    def holder(self, role: Role, camera: CameraId) -> Member | None:
        """Give the living member that holds a camera; None when there is none. Callable from any thread."""

    def retain(self, cameras: Collection[CameraId]) -> None:
        """Forget what is remembered of all other cameras: they were deleted."""

    async def changed(self, timeout_s: float) -> None:
        """Wait until members or leases have changed since the last call, or the time is over."""
