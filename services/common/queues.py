"""How full the bounded queues of a process are, as data for people: the words that its parts share."""

from dataclasses import dataclass
from typing import Literal

Policy = Literal["oldest", "newest", "to-key-frame", "refuse"]
"""What a full queue gives up: its `oldest` item; the `newest`, which does not come in (its seconds become a
gap); all up `to` the next `key-frame`; or it takes nothing and says so (`refuse`)."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue at this moment."""

    name: str
    length: int | None
    """What waits in it, or is taken of its places; of several alike, in the fullest. None: not measured."""
    capacity: int | None
    dropped: int
    """What it has lost or refused since the process began."""
    policy: Policy
