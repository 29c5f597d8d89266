"""A bounded mailbox of one reader on an event loop, filled from any thread."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Keeps the newest items: a slow reader loses the oldest, and nobody waits for it."""

    def __init__(self, limit: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._items: deque[T] = deque(maxlen=limit)
        self._limit = limit
        self._wake = asyncio.Event()
        self.dropped = 0
        """Items that were lost because the reader was slow."""

    def put(self, item: T) -> None:
        """Append, at the cost of the oldest item when it is full. Callable from any thread."""
        if len(self._items) >= self._limit:
            self.dropped += 1
        self._items.append(item)
        if self._wake.is_set():
            return
        try:
            self._loop.call_soon_threadsafe(self._wake.set)
        except RuntimeError:  # the reader's loop has ended, and the reader with it
            self._items.clear()

    async def read(self) -> AsyncIterator[T]:
        """Give items as they come, for ever."""
        while True:
            while self._items:
                yield self._items.popleft()
            self._wake.clear()
            if not self._items:
                await self._wake.wait()
