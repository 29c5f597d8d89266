"""Tokens and passwords at the media ports, and how guesses are slowed down."""

import threading

import pytest

from services.common.access.check import CACHE_S, NOBODY, Access, AccessCheck, token_hash
from services.common.access.passwords import (
    PasswordGate,
    check_new_password,
    hash_password,
    needs_new_hash,
    verify_password,
)
from services.common.access.throttle import FORGET_S, LONGEST_WAIT_S, Throttle, network_of
from services.core.errors import BadInputError, ThrottledError
from services.core.types import AccessAction

PASSWORD = "a right long password"


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Door:
    """An `AccessCheck` whose hashing is counted, and free of cost."""

    def __init__(self) -> None:
        self.clock, self.hashed = Clock(), 0
        self.access = Access({"anna": f"#{PASSWORD}"}, frozenset({token_hash("sl_good")}))
        gate = PasswordGate(self.clock, self._verify)
        self.check = AccessCheck(lambda: self.access, self.clock, gate)

    def _verify(self, password: str, password_hash: str) -> bool:
        self.hashed += 1
        return password_hash == f"#{password}"


def test_a_token_opens_until_it_is_removed() -> None:
    door = Door()
    assert door.check.check_token("sl_good")
    assert not any(door.check.check_token(wrong) for wrong in ("", "sl_bad", token_hash("sl_good"), "\ud800"))
    door.access = Access()
    assert not door.check.check_token("sl_good")


def test_a_right_password_is_hashed_once_a_minute() -> None:
    door = Door()
    assert all(door.check.check_password("anna", PASSWORD) for _ in range(10))
    assert door.hashed == 1
    assert not door.check.check_password("anna", PASSWORD + " ")
    assert not door.check.check_password("bert", PASSWORD)
    door.clock.now_s += CACHE_S
    assert door.check.check_password("anna", PASSWORD)
    assert door.hashed == 4


def test_a_changed_password_and_a_removed_user_are_refused_at_once() -> None:
    door = Door()
    assert door.check.check_password("anna", PASSWORD)
    door.access = Access({"anna": "#another password"})
    assert not door.check.check_password("anna", PASSWORD)
    door.access = Access()
    assert not door.check.check_password("anna", PASSWORD)


def test_whoever_guesses_waits_while_others_come_in() -> None:
    door = Door()
    for n in range(5):
        assert not door.check.check_password("anna", f"wrong {n}", "192.0.2.1")
    assert not door.check.check_password("anna", PASSWORD, "192.0.2.1")
    assert door.hashed == 5
    assert door.check.check_password("anna", PASSWORD, "192.0.2.2")
    assert door.check.check_password("anna", PASSWORD, "192.0.2.1"), "known to be right by now"


def test_an_address_that_tries_many_names_waits_too() -> None:
    door = Door()
    for n in range(20):
        door.check.check_password(f"user{n}", PASSWORD, f"2001:db8::{n:x}")
    assert not door.check.check_password("anna", PASSWORD, "2001:db8::ffff")
    assert door.check.check_password("anna", PASSWORD, "2001:db8:0:1::1")


def test_a_right_password_forgives_its_name_but_not_its_address() -> None:
    clock = Clock()
    gate = PasswordGate(clock, lambda password, stored: stored == password)
    for round_ in range(5):
        for n in range(4):
            gate.check("anna", f"wrong {round_} {n}", "right", "192.0.2.1")
        if round_ < 4:
            gate.check("anna", "right", "right", "192.0.2.1")
    with pytest.raises(ThrottledError):
        gate.check("anna", "right", "right", "192.0.2.1")


def test_waits_double_end_and_are_forgotten() -> None:
    clock = Clock()
    throttle = Throttle(monotonic_s=clock)
    waits = []
    for _ in range(16):
        throttle.failed("key")
        waits.append(throttle.wait_s("key"))
        clock.now_s += waits[-1]
    assert waits == [
        0,
        0,
        0,
        0,
        1,
        2,
        4,
        8,
        16,
        32,
        64,
        128,
        256,
        LONGEST_WAIT_S,
        LONGEST_WAIT_S,
        LONGEST_WAIT_S,
    ]
    clock.now_s += FORGET_S + 1
    throttle.failed("key")
    assert throttle.wait_s("key") == 0


def test_memory_is_bounded() -> None:
    throttle = Throttle(key_limit=10)
    for n in range(1000):
        throttle.failed(str(n))
    assert len(throttle._failures) == 10


def test_networks() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::2") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") != network_of("192.0.2.2")
    assert network_of("fe80::1%eth0") == network_of("fe80::1")
    assert network_of("") == ""


def test_only_two_hash_at_once_and_no_more_than_some_wait() -> None:
    at_once, most, lock = 0, 0, threading.Lock()
    release = threading.Event()

    def slow(password: str, password_hash: str) -> bool:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        release.wait(5)
        with lock:
            at_once -= 1
        return True

    gate = PasswordGate(verify=slow)
    refused: list[str] = []

    def enter(n: int) -> None:
        try:
            gate.check(f"user{n}", "password", "hash")
        except ThrottledError as error:
            refused.append(str(error))
            release.set()

    threads = [threading.Thread(target=enter, args=(n,)) for n in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == 2
    assert refused and set(refused) == {"too many log in at this moment: try again"}


def test_hashes_are_salted_argon2id() -> None:
    one, other = hash_password(PASSWORD), hash_password(PASSWORD)
    assert one != other and one.startswith("$argon2id$")
    assert verify_password(PASSWORD, one) and not verify_password(PASSWORD + "x", one)
    assert not verify_password(PASSWORD, "no hash") and not verify_password("\ud800", one)
    assert not needs_new_hash(one)
    assert needs_new_hash(one.replace("t=2", "t=1")) and needs_new_hash("no hash")


@pytest.mark.parametrize(
    "password", ["", "short", "x" * 201, "aaaaaaaaaaaaaa", "with\nnewline here", "\ud800" * 12]
)
def test_passwords_that_are_refused(password: str) -> None:
    with pytest.raises(BadInputError) as error:
        check_new_password(password)
    assert not password or password not in str(error.value)


def test_a_refused_token_is_reported_without_the_token() -> None:
    reported: list[tuple[AccessAction, str, str]] = []
    check = AccessCheck(Access, report=lambda *given: reported.append(given))
    assert not check.check_token("sl_wrong")
    assert reported == []
    check.refuse_token("10.0.0.5")
    assert reported == [(AccessAction.TOKEN_REFUSED, NOBODY, "10.0.0.5")]
