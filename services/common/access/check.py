"""Who may use the system: what web publishes to the other services, as hashes only, and how they check it."""

import hashlib
import hmac
import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from services.common.access.accounts import folded_name
from services.common.access.passwords import PasswordGate
from services.common.access.throttle import network_of
from services.core.errors import ThrottledError
from services.core.types import AccessAction

CACHE_S = 60.0
"""For how long a right password opens the door without being hashed again."""

REPORTED_S = 12 * 3600.0
"""For how long a door does not report again that somebody came in from the same place."""

NOBODY = "(unknown)"
"""Reported in place of a name that nobody has: it may be a password that was typed into the wrong field."""

CACHE_LIMIT = 1000
"""Right passwords remembered at once; beyond it the oldest is forgotten."""


@dataclass(frozen=True, slots=True)
class Access:
    """Accounts and tokens that open the media ports."""

    users: dict[str, str] = field(default_factory=dict, repr=False)
    """Argon2 hash of the password by user name."""
    tokens: frozenset[str] = field(default=frozenset(), repr=False)
    """SHA-256 of each bearer token, in hexadecimal; tokens are long random texts, which need no slow hash."""
    networks: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Where users have logged in from, by user name."""


def token_hash(token: str) -> str:
    """Give the form in which a token is kept and compared."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


Report = Callable[[AccessAction, str, str], None]
"""Takes what happened, the user and the address."""


def _report_nobody(action: AccessAction, user: str, address: str) -> None:
    """Let nobody know."""


class AccessCheck:
    """Opens a media port to those whom web has published. Callable from any thread.

    `access` gives the newest that web has published, such as `bus.access.newest`: who was removed
    there is refused from then on, remembered or not.
    """

    def __init__(
        self,
        access: Callable[[], Access],
        monotonic_s: Callable[[], float] = time.monotonic,
        gate: PasswordGate | None = None,
        report: Report = _report_nobody,
    ) -> None:
        self._access, self._monotonic_s, self._report = access, monotonic_s, report
        self._gate = gate or PasswordGate(monotonic_s)
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._right: OrderedDict[bytes, float] = OrderedDict()
        self._reported: OrderedDict[bytes, float] = OrderedDict()

    def check_token(self, token: str) -> bool:
        """Return whether a bearer token opens the door. Never blocks."""
        return bool(token) and token_hash(token) in self._access().tokens

    def refuse_token(self, address: str) -> None:
        """Report that somebody at an address showed a token that opens nothing, and nothing else."""
        self._report(AccessAction.TOKEN_REFUSED, NOBODY, address)

    def check_password(self, user: str, password: str, address: str = "") -> bool:
        """Return whether a user has this password; blocks for tens of milliseconds, rarely for seconds.

        `address` is where the request comes from. Whoever has failed too often is refused for a while.
        """
        access, user = self._access(), folded_name(user)
        stored, networks = access.users.get(user), access.networks.get(user, ())
        key = self._cache_key(user, password, stored)
        if self._is_known(key):
            return True
        try:
            is_right = self._gate.check(
                user, password, stored, address, known=lambda: self._is_known(key), networks=networks
            )
        except ThrottledError:
            self._report(AccessAction.THROTTLED, user if stored else NOBODY, address)
            return False
        if not is_right:
            self._report(AccessAction.FAILED, user if stored else NOBODY, address)
        elif key is not None:
            self._remember(self._right, key, CACHE_S)
            self._report_once(user, address)
        return is_right

    def stamp(self, user: str) -> str:
        """Give what changes when a user gets a new password or goes; empty for nobody. Never blocks."""
        return self._access().users.get(folded_name(user), "")

    def _report_once(self, user: str, address: str) -> None:
        place = f"{user} {network_of(address)}".encode("utf-8", "surrogatepass")
        with self._lock:
            is_reported = self._reported.get(place, -math.inf) > self._monotonic_s()
        if not is_reported:
            self._remember(self._reported, place, REPORTED_S)
            self._report(AccessAction.LOGIN, user, address)

    def _is_known(self, key: bytes | None) -> bool:
        if key is None:
            return False
        with self._lock:
            return self._right.get(key, -math.inf) > self._monotonic_s()

    def _remember(self, known: OrderedDict[bytes, float], key: bytes, time_s: float) -> None:
        with self._lock:
            known.pop(key, None)
            known[key] = self._monotonic_s() + time_s
            while len(known) > CACHE_LIMIT:
                known.popitem(last=False)

    def _cache_key(self, user: str, password: str, stored: str | None) -> bytes | None:
        """Bind what is remembered to the stored hash, which a changed password replaces."""
        if stored is None:
            return None
        text = f"{stored}\0{user}\0{password}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, "sha256")
