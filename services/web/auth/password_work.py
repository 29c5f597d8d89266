"""Passwords off the event loop: two threads of their own, and a bounded number that waits for them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from services.common.access.accounts import User
from services.common.access.passwords import HASHED_AT_ONCE, WAITING_LIMIT, PasswordGate, hash_password
from services.core.errors import ThrottledError

T = TypeVar("T")


class PasswordWork:
    """Hashes and checks passwords without holding up requests."""

    def __init__(self, gate: PasswordGate | None = None) -> None:
        self._gate = gate or PasswordGate()
        self._threads = ThreadPoolExecutor(HASHED_AT_ONCE, "password")
        self._waiting = 0

    async def check(self, name: str, password: str, user: User | None, address: str) -> bool:
        """Return whether it is the password of the user of this name, None for nobody.

        ThrottledError for whoever guesses.
        """
        stored, networks = (user.password_hash, user.networks) if user is not None else (None, ())
        return await self._run(lambda: self._gate.check(name, password, stored, address, networks=networks))

    async def hash(self, password: str) -> str:
        """Hash a new password."""
        return await self._run(lambda: hash_password(password))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_LIMIT:
            raise ThrottledError("login-busy", 1.0)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
