"""What strangers can have written into the audit log: all of it is told, and little of it is written."""

from services.common.access.accounts import AuditEntry
from services.common.access.audit_tally import (
    MOST_AT_ONCE,
    MOST_KINDS,
    SECONDS_PER_ENTRY,
    SEVERAL,
    AuditTally,
)


class Tally:
    """A tally whose clock stands still, and all that it had written."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.tally = AuditTally(lambda: self.now_s)
        self.written: list[AuditEntry] = []

    def happens(self, address: str = "192.0.2.1", action: str = "login.failed", times: int = 1) -> None:
        for _ in range(times):
            entry = self.tally.add(AuditEntry(action, "", "anna", "", address))
            self.written += [entry] if entry is not None else []

    def passes(self, time_s: float) -> None:
        end_s = self.now_s + time_s
        while (wait_s := self.tally.wait_s) is not None and self.now_s + wait_s <= end_s:
            self.now_s += max(wait_s, 0.001)
            self.written += self.tally.due()
        self.now_s = max(self.now_s, end_s)

    @property
    def counts(self) -> list[int]:
        return [entry.count for entry in self.written]


def test_the_first_is_written_at_once_and_the_rest_with_its_number() -> None:
    tally = Tally()
    tally.happens()
    assert tally.counts == [1]
    tally.happens(times=36)
    assert tally.counts == [1]
    tally.passes(59)
    assert tally.counts == [1]
    tally.passes(2)
    assert tally.counts == [1, 36]
    tally.passes(3600)
    assert tally.tally.wait_s is None, "what has ended is forgotten"
    tally.happens()
    assert tally.counts == [1, 36, 1]


def test_what_goes_on_is_told_ever_more_rarely_and_without_a_gap() -> None:
    tally = Tally()
    for _ in range(24 * 60):
        tally.happens(times=5)
        tally.passes(60)
    assert len(tally.written) < 35
    left = sum(entry.count for entry in tally.tally.rest())
    assert sum(tally.counts) + left == 24 * 60 * 5


def test_kinds_are_counted_each_for_itself() -> None:
    tally = Tally()
    tally.happens("192.0.2.1", times=3)
    tally.happens("192.0.2.2", times=4)
    tally.happens("192.0.2.2", "login.throttled", times=5)
    tally.passes(61)
    told = {(entry.action, entry.address): 0 for entry in tally.written}
    for entry in tally.written:
        told[entry.action, entry.address] += entry.count
    assert told == {
        ("login.failed", "192.0.2.1"): 3,
        ("login.failed", "192.0.2.2"): 4,
        ("login.throttled", "192.0.2.2"): 5,
    }


def test_a_flood_from_everywhere_fills_neither_disk_nor_memory() -> None:
    tally, days, number = Tally(), 3, 0
    for _ in range(days * 24 * 6):
        for _ in range(300):
            number += 1
            tally.happens(f"2001:db8::{number:x}")
        assert len(tally.tally._counted) <= MOST_KINDS + 1
        tally.passes(600)
    most = MOST_AT_ONCE + days * 86_400 / SECONDS_PER_ENTRY
    assert len(tally.written) <= most
    assert any(entry.address == SEVERAL for entry in tally.written)
    assert sum(tally.counts) + sum(entry.count for entry in tally.tally.rest()) == number
