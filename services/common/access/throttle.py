"""Whoever guesses passwords waits, twice as long after each failure."""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE_FAILURES = 5
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 300.0
FORGET_S = 900.0
"""A key whose last failure is older than this begins anew."""

KEY_LIMIT = 10_000
"""Keys remembered at once; beyond it the one that failed the longest ago is forgotten."""


@dataclass(slots=True)
class _Failures:
    number: int
    last_s: float
    blocked_until_s: float


class Throttle:
    """Counts failures by key within a bound of memory. Callable from any thread."""

    def __init__(
        self,
        free_failures: int = FREE_FAILURES,
        key_limit: int = KEY_LIMIT,
        monotonic_s: Callable[[], float] = time.monotonic,
        longest_wait_s: float = LONGEST_WAIT_S,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        self._free_failures, self._key_limit, self._monotonic_s = free_failures, key_limit, monotonic_s
        self._first_wait_s, self._longest_wait_s = first_wait_s, longest_wait_s
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Give the time for which a key may not try; 0 when it may."""
        with self._lock:
            found = self._failures.get(key)
            return max(0.0, found.blocked_until_s - self._monotonic_s()) if found else 0.0

    def book(self, key: str) -> float:
        """Take the next try of a key, or give the time until it is due.

        A key that is slowed down has one try at a time: others wait as if this one had failed.
        """
        now_s = self._monotonic_s()
        with self._lock:
            found = self._failures.get(key)
            if found is None or now_s - found.last_s > FORGET_S or found.number < self._free_failures:
                return 0.0
            if found.blocked_until_s > now_s:
                return found.blocked_until_s - now_s
            found.blocked_until_s = now_s + self._first_wait_s
            return 0.0

    def failed(self, key: str) -> None:
        """Count a failure; from the bound on each doubles the wait."""
        now_s = self._monotonic_s()
        with self._lock:
            found = self._failures.pop(key, None)
            is_new = found is None or now_s - found.last_s > FORGET_S
            number = 1 if found is None or is_new else found.number + 1
            beyond = number - self._free_failures
            doubled_s = self._first_wait_s * 2.0 ** min(max(beyond, 0), 30)
            wait_s = min(self._longest_wait_s, doubled_s) if beyond >= 0 else 0.0
            self._failures[key] = _Failures(number, now_s, now_s + wait_s)
            while len(self._failures) > self._key_limit:
                self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget a key's failures."""
        with self._lock:
            self._failures.pop(key, None)


def network_of(address: str) -> str:
    """Give what one guesser can change at will as one: the address, of IPv6 its network of 64 bits."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
