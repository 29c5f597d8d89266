"""What strangers can have written into the audit log, within a bound: pure.

The first of a kind is written at once. What repeats is counted, and the number is written after a minute,
then after two and so on, up to an hour, for as long as it goes on. All in all there is room for some
hundred entries at once and for a few each minute; what finds no room waits and is counted meanwhile, and of
too many kinds at once the later ones are counted together. So nothing is left out, and no disk fills.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from services.common.access.accounts import AuditEntry

MOST_KINDS = 200
"""Kinds that are counted at once; the others are counted together, by what was done."""

MOST_AT_ONCE = 200
SECONDS_PER_ENTRY = 30.0
"""Entries in the long run: 2,880 a day, which are about a megabyte."""

FIRST_WINDOW_S, LONGEST_WINDOW_S = 60.0, 3600.0

SEVERAL = "(several)"
"""Stands for user, target and address of what is counted together."""

Kind = tuple[str, str, str | None, str, str]


@dataclass(slots=True)
class _Counted:
    entry: AuditEntry
    count: int
    window_s: float
    until_s: float


class AuditTally:
    """Not safe for threads: its owner sees to that."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._counted: dict[Kind, _Counted] = {}
        self._room, self._since_s = float(MOST_AT_ONCE), monotonic_s()

    @property
    def wait_s(self) -> float | None:
        """The time after which `due` may give something; None while nothing is counted."""
        if not self._counted:
            return None
        first_s = min(counted.until_s for counted in self._counted.values())
        return max(0.0, first_s - self._monotonic_s(), self._until_room_s())

    def add(self, entry: AuditEntry) -> AuditEntry | None:
        """Count what happened now; give the entry when it is to be written at once."""
        kind = _kind(entry)
        if kind not in self._counted and len(self._counted) >= MOST_KINDS:
            entry = replace(entry, target=SEVERAL, user=SEVERAL, by=SEVERAL, address=SEVERAL)
            kind = _kind(entry)
        known, now_s = self._counted.get(kind), self._monotonic_s()
        if known is not None and (known.count or known.until_s > now_s):
            known.count += 1
            return None
        is_now, until_s = self._take_room(), now_s + FIRST_WINDOW_S
        self._counted[kind] = _Counted(entry, 0 if is_now else 1, FIRST_WINDOW_S, until_s)
        return entry if is_now else None

    def due(self) -> list[AuditEntry]:
        """Give the entries, with their numbers, whose time has come and for which there is room."""
        now_s = self._monotonic_s()
        found: list[AuditEntry] = []
        for kind, counted in list(self._counted.items()):
            if counted.until_s > now_s:
                continue
            if counted.count == 0:
                del self._counted[kind]
            elif self._take_room():
                found.append(replace(counted.entry, count=counted.count))
                counted.count = 0
                counted.window_s = min(2 * counted.window_s, LONGEST_WINDOW_S)
                counted.until_s = now_s + counted.window_s
        return found

    def rest(self) -> list[AuditEntry]:
        """Give all that was counted and not written, at the end."""
        found = [replace(item.entry, count=item.count) for item in self._counted.values() if item.count]
        self._counted.clear()
        return found

    def _take_room(self) -> bool:
        self._fill()
        if self._room < 1:
            return False
        self._room -= 1
        return True

    def _until_room_s(self) -> float:
        self._fill()
        return max(0.0, (1 - self._room) * SECONDS_PER_ENTRY)

    def _fill(self) -> None:
        now_s = self._monotonic_s()
        self._room = min(float(MOST_AT_ONCE), self._room + (now_s - self._since_s) / SECONDS_PER_ENTRY)
        self._since_s = now_s


def _kind(entry: AuditEntry) -> Kind:
    return entry.action, entry.target, entry.user, entry.by, entry.address
