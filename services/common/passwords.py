"""Passwords: what may be one, how they are kept, and how guesses are slowed down."""

import threading
import time
from collections.abc import Callable

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from services.common.throttle import Throttle, network_of
from services.core.errors import BadInputError, ThrottledError

SHORTEST, LONGEST = 12, 200

HASHED_AT_ONCE = 2
"""Argon2 takes memory and a core: a flood of logins waits instead of taking all of both."""

WAITING_LIMIT = 32
"""Checks that may wait for their turn; more are refused."""

TURN_TIMEOUT_S = 10.0

FREE_FAILURES_BY_ADDRESS = 20
"""Many people may share one address, so it may fail more often than one name from there."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's figures for small machines: 19 MiB and some tens of milliseconds."""

_turns = threading.BoundedSemaphore(HASHED_AT_ONCE)


def check_new_password(password: str) -> str:
    """Give a password that is good enough; BadInputError says what is asked for, without showing it."""
    if not SHORTEST <= len(password) <= LONGEST or not password.isprintable():
        raise BadInputError(f"a password has {SHORTEST} to {LONGEST} printable characters")
    if len(set(password)) < 5:
        raise BadInputError("this password repeats itself: use at least five different characters")
    return password


def hash_password(password: str) -> str:
    """Hash a password with a salt of its own (blocks for tens of milliseconds)."""
    with _turns:
        return _hasher.hash(password)


def needs_new_hash(password_hash: str) -> bool:
    """Tell whether a hash was made with other parameters than today's."""
    try:
        return _hasher.check_needs_rehash(password_hash)
    except InvalidHashError:
        return True


def verify_password(password: str, password_hash: str) -> bool:
    """Compare a password with a hash (blocks for tens of milliseconds)."""
    if len(password) > LONGEST:
        return False
    try:
        return _hasher.verify(password_hash, password)
    except (Argon2Error, InvalidHashError, UnicodeEncodeError):
        return False


_NOBODY_HASH = _hasher.hash("the password of nobody")
"""Compared with for names that nobody has, so that they take as long as others."""


class PasswordGate:
    """Checks passwords, a few at once, and slows down whoever guesses. Callable from any thread."""

    def __init__(
        self,
        monotonic_s: Callable[[], float] = time.monotonic,
        verify: Callable[[str, str], bool] = verify_password,
    ) -> None:
        self._verify = verify
        self._names = Throttle(monotonic_s=monotonic_s)
        self._addresses = Throttle(FREE_FAILURES_BY_ADDRESS, monotonic_s=monotonic_s)
        self._lock = threading.Lock()
        self._waiting = 0

    def check(
        self,
        user: str,
        password: str,
        password_hash: str | None,
        address: str = "",
        known: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Tell whether the password is the user's, whose hash is given; None for nobody.

        `known` is asked when it is this check's turn: another may have found the same password right
        meanwhile. ThrottledError for whoever has failed too often, and when too many wait.
        """
        network = network_of(address)
        name = f"{user[:64]} {network}"
        self._admit(name, network)
        self._take_turn()
        try:
            if known():
                return True
            self._admit(name, network)
            is_right = self._verify(password, password_hash or _NOBODY_HASH) and password_hash is not None
        finally:
            _turns.release()
        self._learn(is_right, name, network)
        return is_right

    def _admit(self, name: str, network: str) -> None:
        wait_s = max(self._names.wait_s(name), self._addresses.wait_s(network) if network else 0.0)
        if wait_s > 0:
            raise ThrottledError("too many wrong passwords: wait, then try again", wait_s)

    def _learn(self, is_right: bool, name: str, network: str) -> None:
        """A right password forgives its own name only: an account must not buy guesses at others."""
        if is_right:
            self._names.succeeded(name)
            return
        self._names.failed(name)
        if network:
            self._addresses.failed(network)

    def _take_turn(self) -> None:
        with self._lock:
            if self._waiting >= WAITING_LIMIT:
                raise ThrottledError("too many log in at this moment: try again", 1.0)
            self._waiting += 1
        try:
            if not _turns.acquire(timeout=TURN_TIMEOUT_S):
                raise ThrottledError("too many log in at this moment: try again", 1.0)
        finally:
            with self._lock:
                self._waiting -= 1
