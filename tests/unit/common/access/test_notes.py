"""Logins at the media ports, as they leave for the store."""

from collections.abc import Sequence

from services.common.access.check import NOBODY, Access, AccessCheck, token_hash
from services.common.access.notes import AccessNotes
from services.common.access.passwords import PasswordGate
from services.core.types import AccessAction, AccessNote, Event

PASSWORD = "a right long password"


class Port:
    """A media port whose clock stands still, and what it tells."""

    def __init__(self) -> None:
        self.now_s, self.told = 1000.0, []
        self.notes = AccessNotes(self._publish, "relay", lambda: 5e8, lambda: self.now_s)
        gate = PasswordGate(lambda: self.now_s, lambda password, stored: stored == f"#{password}")
        access = Access({"anna": f"#{PASSWORD}"}, frozenset({token_hash("sl_good")}))
        self.check = AccessCheck(lambda: access, lambda: self.now_s, gate, self.notes.report)
        self.told: list[AccessNote]

    def _publish(self, events: Sequence[Event]) -> None:
        assert all(isinstance(event, AccessNote) for event in events)
        self.told += events  # type: ignore[arg-type]  # just asserted

    @property
    def words(self) -> list[tuple[str, str, str, int]]:
        return [(note.action, note.user, note.address, note.count) for note in self.told]


def test_who_comes_in_and_who_does_not_is_told() -> None:
    port = Port()
    assert port.check.check_password("anna", PASSWORD, "192.0.2.1")
    assert not port.check.check_password("anna", "wrong", "192.0.2.2")
    assert not port.check.check_password("a password, mistyped", "x", "192.0.2.2")
    assert port.words == [
        (AccessAction.LOGIN, "anna", "192.0.2.1", 1),
        (AccessAction.FAILED, "anna", "192.0.2.2", 1),
        (AccessAction.FAILED, NOBODY, "192.0.2.2", 1),
    ]
    assert {(note.place, note.time_s) for note in port.told} == {("relay", 5e8)}
    assert len({note.id for note in port.told}) == 3
    assert "mistyped" not in str(port.told) and "wrong" not in str(port.told)


def test_a_stream_that_goes_on_is_one_login() -> None:
    port = Port()
    for _ in range(600):
        assert port.check.check_password("anna", PASSWORD, "192.0.2.1")
        port.now_s += 61
    assert len(port.told) == 1
    for _ in range(200):
        port.check.check_password("anna", PASSWORD, "192.0.2.1")
        port.now_s += 61
    assert len(port.told) == 2, "once in twelve hours"


def test_a_flood_is_counted() -> None:
    port = Port()
    for number in range(5000):
        port.check.check_password("anna", f"wrong {number}", f"10.{number >> 8}.{number & 255}.1")
    assert len(port.told) <= 200
    assert {note.action for note in port.told} == {AccessAction.FAILED, AccessAction.THROTTLED}
    for _ in range(100):
        port.now_s += 60
        port.notes.report_counted()
    assert sum(note.count for note in port.told) == 5000
    assert len(port.told) <= 400
