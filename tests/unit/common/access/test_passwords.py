"""Guesses at one name from many places: slowed down together, and nobody who was in is kept out."""

from collections.abc import Callable

import pytest
from argon2 import PasswordHasher

from services.common.access.check import Access, AccessCheck
from services.common.access.passwords import (
    FREE_FAILURES_BY_NAME,
    NAME_WAIT_S,
    PasswordGate,
    check_new_password,
    hash_password,
    verify_password,
)
from services.common.access.throttle import FORGET_S, KEY_LIMIT, network_of
from services.core.errors import ThrottledError

RIGHT = "right"


class Gate:
    """A gate whose clock stands still, and which counts what it hashes."""

    def __init__(self) -> None:
        self.now_s, self.hashed = 1000.0, 0
        self.gate = PasswordGate(lambda: self.now_s, self._verify)
        self._places = 0

    def _verify(self, password: str, password_hash: str) -> bool:
        self.hashed += 1
        return password == password_hash

    def enter(self, password: str, address: str, networks: tuple[str, ...] = ()) -> bool | float:
        """Whether the password was right, or the time to wait."""
        try:
            return self.gate.check("admin", password, RIGHT, address, networks=networks)
        except ThrottledError as error:
            return error.wait_s

    def guess(self, number: int) -> list[bool | float]:
        """Wrong passwords, each from a place of its own."""
        found = []
        for _ in range(number):
            self._places += 1
            found.append(self.enter("wrong", f"10.{self._places >> 8}.{self._places & 255}.1"))
        return found


def test_a_name_that_is_guessed_at_from_everywhere_has_one_try_in_ten_seconds() -> None:
    gate = Gate()
    assert gate.guess(FREE_FAILURES_BY_NAME) == [False] * FREE_FAILURES_BY_NAME
    assert gate.guess(100) == [NAME_WAIT_S] * 100
    tried = gate.hashed
    for _ in range(600):
        gate.now_s += 1.0
        gate.guess(5)
    assert gate.hashed - tried == 60, "one in ten seconds, from 3,000 places"


def test_who_was_in_is_not_kept_out() -> None:
    gate = Gate()
    assert gate.enter(RIGHT, "192.0.2.1") is True
    gate.guess(50)
    assert gate.enter(RIGHT, "192.0.2.1") is True, "this process has seen it come in"
    assert gate.enter("typed wrong", "192.0.2.1") is False
    assert gate.enter(RIGHT, "2001:db8::5", (network_of("2001:db8::1"),)) is True, "the database has"
    wait_s = gate.enter(RIGHT, "192.0.2.3")
    assert wait_s == NAME_WAIT_S, "a new place waits"
    gate.now_s += NAME_WAIT_S
    assert gate.enter(RIGHT, "192.0.2.3") is True
    assert gate.enter(RIGHT, "192.0.2.3") is True, "and is known from then on"


def test_a_known_place_that_guesses_waits_for_itself_alone() -> None:
    gate = Gate()
    assert gate.enter(RIGHT, "192.0.2.1") is True
    assert [gate.enter("wrong", "192.0.2.1") for _ in range(6)] == [False] * 5 + [1.0]
    assert gate.enter(RIGHT, "192.0.2.2") is True


def test_other_names_go_on_and_a_quiet_quarter_of_an_hour_forgives() -> None:
    gate = Gate()
    gate.guess(50)
    assert gate.gate.check("anna", RIGHT, RIGHT, "192.0.2.9")
    gate.now_s += FORGET_S + 1
    assert gate.guess(FREE_FAILURES_BY_NAME) == [False] * FREE_FAILURES_BY_NAME


def test_memory_is_bounded_whatever_names_and_places_come() -> None:
    gate = Gate()
    for number in range(KEY_LIMIT + 500):
        try:
            gate.gate.check(f"name {number}", "wrong", None, f"2001:db8:{number:x}::1")
            gate.gate.check(f"good {number}", RIGHT, RIGHT, f"2001:db8:{number:x}::1")
        except ThrottledError:
            pytest.fail("each place has guessed once")
    inner = gate.gate
    for part in (inner._names, inner._pairs, inner._addresses):
        assert len(part._failures) <= KEY_LIMIT
    assert len(inner._places) <= 1000


def _media_door(gate: Gate, access: Callable[[], Access]) -> AccessCheck:
    return AccessCheck(access, lambda: gate.now_s, gate.gate)


def test_the_media_ports_slow_the_same_name_down() -> None:
    gate = Gate()
    networks = {"admin": (network_of("192.0.2.7"),)}
    door = _media_door(gate, lambda: Access({"admin": RIGHT}, networks=networks))
    for number in range(100):
        assert not door.check_password("admin", f"wrong {number}", f"10.1.{number}.1")
    assert gate.hashed == FREE_FAILURES_BY_NAME
    assert not door.check_password("admin", RIGHT, "192.0.2.8")
    assert door.check_password("admin", RIGHT, "192.0.2.7"), "who logged in on the page watches from there"


def test_a_password_is_the_same_from_every_keyboard() -> None:
    composed, apart = (
        "Schl\u00fcssel\u00a0\U0001f469\u200d\U0001f680 eins",
        "Schlu\u0308ssel\u00a0\U0001f469\u200d\U0001f680 eins",
    )
    stored = hash_password(check_new_password(apart))
    assert verify_password(composed, stored)
    assert verify_password(apart, stored)
    assert not verify_password("Schlussel\u00a0\U0001f469\u200d\U0001f680 eins", stored)


def test_a_password_that_was_kept_as_it_was_typed_still_opens() -> None:
    apart = "Schlu\u0308ssel zum Haus"
    stored = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(apart)
    assert verify_password(apart, stored)
