"""Which member works on which camera: rendezvous hashing. Pure."""

from collections.abc import Sequence
from hashlib import blake2b


def chosen_member(camera: str, members: Sequence[str]) -> str | None:
    """Give the member whose hash with the camera is the highest; None without members.

    Every process comes to the same answer, and a further member takes over its own share of the cameras
    alone (Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998).
    """
    return max(members, key=lambda member: (_weight(camera, member), member), default=None)


def _weight(camera: str, member: str) -> bytes:
    return blake2b(f"{camera}\n{member}".encode(), digest_size=8).digest()
