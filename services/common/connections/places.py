"""Who may hold a connection of a port: so many in all, so many for each address, and who gives way.

A connection that asks for nothing holds a place only until somebody else needs it: strangers who wait keep
nobody out. Some places beyond the limit are kept for whoever only asks whether the service is healthy.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from services.common.access.throttle import network_of


class Standing(IntEnum):
    """What a connection has shown of itself; the lowest gives way first."""

    STRANGER = 0
    """It has not asked for anything yet."""
    KNOWN = 1
    """It was answered before, and asks for nothing now."""
    BUSY = 2
    """It is being answered, and gives way to nobody."""


@dataclass(eq=False)
class Place:
    """One connection's place, from before it is answered until it has ended."""

    client: str | None
    """Whose it is; None for a proxy, which speaks for many."""
    end: Callable[[], None]
    """Ends the connection. May be called from any thread that takes a place."""
    is_reserve: bool = False
    """Whether it is beyond the limit: only questions about health are answered."""
    standing: Standing = Standing.STRANGER
    since_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PlaceLimits:
    """How many connections there may be at once."""

    total: int
    per_client: int
    """For each address; of IPv6 for each network of 64 bits."""
    reserve: int = 0
    """Beyond `total`, for questions about health."""


class Places:
    """Gives places and takes them back. Callable from any thread."""

    def __init__(self, limits: PlaceLimits, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._monotonic_s = limits, monotonic_s
        self._lock = threading.Lock()
        self._places: dict[Place, None] = {}
        self._reserve: dict[Place, None] = {}
        self._numbers: Counter[str | None] = Counter()
        self.refused = 0
        """Connections that found no place, or one of the reserve only."""
        self.gave_way = 0
        """Connections that asked for nothing and were ended for others."""

    def __len__(self) -> int:
        return len(self._places) + len(self._reserve)

    def take(self, address: str | None, end: Callable[[], None], only_reserve: bool = False) -> Place | None:
        """Give a place, or None where there is none; who has to give way for it is ended.

        `address` is None for a proxy. `only_reserve`: descriptors are scarce.
        """
        client = None if address is None else network_of(address)
        place = Place(client, end, since_s=self._monotonic_s())
        with self._lock:
            admitted, leaving = self._admit(place, only_reserve)
        if leaving is not None:
            leaving.end()
        return place if admitted else None

    def set_standing(self, place: Place, standing: Standing) -> None:
        """Note what a connection does now."""
        if place.standing is not standing:
            place.standing, place.since_s = standing, self._monotonic_s()

    def leave(self, place: Place) -> None:
        """Take a place back; doing so again changes nothing."""
        with self._lock:
            self._remove(place)

    def make_room(self, number: int) -> None:
        """End some connections that ask for nothing, because descriptors are needed."""
        with self._lock:
            found = [self._give_way(self._places) or self._give_way(self._reserve) for _ in range(number)]
        for place in found:
            if place is not None:
                place.end()

    def _admit(self, place: Place, only_reserve: bool) -> tuple[bool, Place | None]:
        limits, leaving = self._limits, None
        if not only_reserve:
            is_client_full = place.client is not None and self._numbers[place.client] >= limits.per_client
            if not is_client_full and len(self._places) < limits.total:
                self._add(place)
                return True, None
            leaving = self._give_way(self._places, place.client if is_client_full else None)
            if leaving is not None:
                self._add(place)
                return True, leaving
        self.refused += 1
        place.is_reserve = True
        if len(self._reserve) >= limits.reserve:
            leaving = self._give_way(self._reserve)
            if leaving is None:
                return False, None
        self._reserve[place] = None
        return True, leaving

    def _add(self, place: Place) -> None:
        self._places[place] = None
        self._numbers[place.client] += 1

    def _remove(self, place: Place) -> None:
        self._reserve.pop(place, None)
        if place in self._places:
            del self._places[place]
            self._numbers[place.client] -= 1
            if not self._numbers[place.client]:
                del self._numbers[place.client]

    def _give_way(self, places: dict[Place, None], client: str | None = None) -> Place | None:
        """Choose who gives way: strangers first, then of whom there are the most, then the oldest."""
        idle = [
            place
            for place in places
            if place.standing is not Standing.BUSY and (client is None or place.client == client)
        ]
        if not idle:
            return None
        leaving = min(idle, key=lambda place: (place.standing, -self._crowd(place), place.since_s))
        self._remove(leaving)
        self.gave_way += 1
        return leaving

    def _crowd(self, place: Place) -> int:
        """Count the connections of a client; a proxy's are never too many."""
        return 0 if place.client is None else self._numbers[place.client]
