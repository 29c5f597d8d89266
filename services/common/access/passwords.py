"""Passwords: what may be one, how they are kept, and how guesses are slowed down."""

import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError, VerifyMismatchError

from services.common.access.throttle import Throttle, network_of
from services.core.errors import BadInputError, ThrottledError
from services.core.identifiers import can_be_kept

SHORTEST, LONGEST = 12, 200

HASHED_AT_ONCE = 2
"""Argon2 takes memory and a core: a flood of logins waits instead of taking all of both."""

WAITING_LIMIT = 32
"""Checks that may wait for their turn; more are refused."""

TURN_TIMEOUT_S = 10.0

FREE_FAILURES_BY_ADDRESS = 20
"""Many people may share one address, so it may fail more often than one name from there."""

FREE_FAILURES_BY_NAME = 6
"""Wrong passwords of one name, from wherever they come, before all that come from new places wait."""

NAME_WAIT_S = 10.0
"""From then on a name has one try in this time, for all new places together."""

REMEMBERED_PLACES = 1000
"""Names with the networks from which their password came, known to this process."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's figures for small machines: 19 MiB and some tens of milliseconds."""

_turns = threading.BoundedSemaphore(HASHED_AT_ONCE)


def check_new_password(password: str) -> str:
    """Give a password that is good enough; BadInputError says what is asked for, without showing it."""
    if not SHORTEST <= len(password) <= LONGEST or not can_be_kept(password):
        raise BadInputError("password-length", least=SHORTEST, most=LONGEST)
    if len(set(password)) < 5:
        raise BadInputError("password-repeats")
    return password


def hash_password(password: str) -> str:
    """Hash a password with a salt of its own (blocks for tens of milliseconds)."""
    with _turns:
        return _hasher.hash(_composed(password))


def needs_new_hash(password_hash: str) -> bool:
    """Return whether a hash was made with other parameters than today's."""
    try:
        return _hasher.check_needs_rehash(password_hash)
    except InvalidHashError:
        return True


def verify_password(password: str, password_hash: str) -> bool:
    """Compare a password with a hash (blocks for tens of milliseconds)."""
    if len(password) > LONGEST:
        return False
    try:
        return _hasher.verify(password_hash, _composed(password))
    except VerifyMismatchError:
        return _composed(password) != password and _verify_as_typed(password, password_hash)
    except (Argon2Error, InvalidHashError, UnicodeEncodeError):
        return False


def _composed(password: str) -> str:
    """Put letters and their marks together: keyboards differ in that for what looks the same."""
    return unicodedata.normalize("NFC", password)


def _verify_as_typed(password: str, password_hash: str) -> bool:
    """Compare with a hash that was made of a password as it was typed."""
    try:
        return _hasher.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


_NOBODY_HASH = _hasher.hash("the password of nobody")
"""Compared with for names that nobody has, so that they take as long as others."""


class PasswordGate:
    """Checks passwords, a few at once, and slows down whoever guesses. Callable from any thread.

    A name that is guessed at from many places is slowed down for all of them together, but not for places
    from which its password has come before: strangers cannot keep anybody out who was in.
    """

    def __init__(
        self,
        monotonic_s: Callable[[], float] = time.monotonic,
        verify: Callable[[str, str], bool] = verify_password,
    ) -> None:
        self._verify = verify
        self._pairs = Throttle(monotonic_s=monotonic_s)
        self._addresses = Throttle(FREE_FAILURES_BY_ADDRESS, monotonic_s=monotonic_s)
        self._names = Throttle(
            FREE_FAILURES_BY_NAME,
            monotonic_s=monotonic_s,
            first_wait_s=NAME_WAIT_S,
            longest_wait_s=NAME_WAIT_S,
        )
        self._lock = threading.Lock()
        self._waiting = 0
        self._places: OrderedDict[str, None] = OrderedDict()

    def check(
        self,
        user: str,
        password: str,
        password_hash: str | None,
        address: str = "",
        known: Callable[[], bool] = lambda: False,
        networks: Collection[str] = (),
    ) -> bool:
        """Return whether the password is the user's, whose hash is given; None for nobody.

        `networks` are those from which the user has logged in before. `known` is asked when it is this
        check's turn: another may have found the same password right meanwhile. ThrottledError for whoever
        has failed too often, and when too many wait.
        """
        guess = _Guess(user[:64], network_of(address))
        guess.is_stranger = guess.network not in networks and not self._has_been_in(guess)
        self._admit(guess)
        self._take_turn()
        try:
            if known():
                return True
            self._admit(guess, is_turn=True)
            is_right = self._verify(password, password_hash or _NOBODY_HASH) and password_hash is not None
        finally:
            _turns.release()
        self._learn(is_right, guess)
        return is_right

    def _has_been_in(self, guess: "_Guess") -> bool:
        with self._lock:
            return guess.pair in self._places

    def _admit(self, guess: "_Guess", is_turn: bool = False) -> None:
        """Let a guess go on; a slowed name's one try is taken when it is the guess's turn."""
        wait_s = self._pairs.wait_s(guess.pair)
        if guess.network:
            wait_s = max(wait_s, self._addresses.wait_s(guess.network))
        if guess.is_stranger and wait_s <= 0:
            wait_s = self._names.book(guess.user) if is_turn else self._names.wait_s(guess.user)
        if wait_s > 0:
            raise ThrottledError("login-throttled", wait_s)

    def _learn(self, is_right: bool, guess: "_Guess") -> None:
        """A right password forgives its own name only: an account must not buy guesses at others.

        Nor does it forgive what others guess at the name from elsewhere.
        """
        if is_right:
            self._pairs.succeeded(guess.pair)
            self._remember(guess)
            return
        self._pairs.failed(guess.pair)
        if guess.network:
            self._addresses.failed(guess.network)
        if guess.is_stranger:
            self._names.failed(guess.user)

    def _remember(self, guess: "_Guess") -> None:
        if not guess.network:
            return
        with self._lock:
            self._places[guess.pair] = None
            self._places.move_to_end(guess.pair)
            while len(self._places) > REMEMBERED_PLACES:
                self._places.popitem(last=False)

    def _take_turn(self) -> None:
        with self._lock:
            if self._waiting >= WAITING_LIMIT:
                raise ThrottledError("login-busy", 1.0)
            self._waiting += 1
        try:
            if not _turns.acquire(timeout=TURN_TIMEOUT_S):
                raise ThrottledError("login-busy", 1.0)
        finally:
            with self._lock:
                self._waiting -= 1


@dataclass(slots=True)
class _Guess:
    """A name, and where its password comes from."""

    user: str
    network: str
    is_stranger: bool = True
    """Whether nobody has logged in to the name from there before."""

    @property
    def pair(self) -> str:
        return f"{self.user} {self.network}"
