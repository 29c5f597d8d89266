"""Passwords off the event loop: two threads of their own, and a bounded number that waits for them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from services.common.passwords import HASHED_AT_ONCE, WAITING_LIMIT, PasswordGate, hash_password
from services.core.errors import ThrottledError

T = TypeVar("T")


class PasswordWork:
    """Hashes and checks passwords without holding up requests."""

    def __init__(self, gate: PasswordGate | None = None) -> None:
        self._gate = gate or PasswordGate()
        self._threads = ThreadPoolExecutor(HASHED_AT_ONCE, "password")
        self._waiting = 0

    async def check(self, user: str, password: str, password_hash: str | None, address: str) -> bool:
        """Tell whether it is the user's password; ThrottledError for whoever guesses."""
        return await self._run(lambda: self._gate.check(user, password, password_hash, address))

    async def hash(self, password: str) -> str:
        """Hash a new password."""
        return await self._run(lambda: hash_password(password))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_LIMIT:
            raise ThrottledError("too many log in at this moment: try again", 1.0)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
