"""Readers of one process, each with a bounded mailbox on its event loop, filled from any thread."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Keeps the newest items of one reader: a slow one loses the oldest, and nobody waits for it."""

    def __init__(self, limit: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._items: deque[T] = deque(maxlen=limit)
        self._limit = limit
        self._wake = asyncio.Event()
        self.dropped = 0
        """Items that were lost because the reader was slow."""

    def __len__(self) -> int:
        return len(self._items)

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


class Readers(Generic[T]):
    """All who read one thing, as long as they do. Safe for threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._mailboxes: list[Mailbox[T]] = []
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._mailboxes)

    @property
    def dropped(self) -> int:
        """Items that slow readers have lost, those that have ended included."""
        with self._lock:
            return self._dropped + sum(mailbox.dropped for mailbox in self._mailboxes)

    @property
    def waiting(self) -> int:
        """Items that the slowest reader has not taken yet."""
        with self._lock:
            return max(map(len, self._mailboxes), default=0)

    def put(self, item: T) -> None:
        """Hand an item to each reader."""
        with self._lock:
            mailboxes = list(self._mailboxes)
        for mailbox in mailboxes:
            mailbox.put(item)

    def open(self) -> Mailbox[T]:
        """Add a reader, on the running event loop."""
        mailbox = Mailbox[T](self._limit)
        with self._lock:
            self._mailboxes.append(mailbox)
        return mailbox

    def close(self, mailbox: Mailbox[T]) -> None:
        """Remove a reader."""
        with self._lock:
            self._mailboxes.remove(mailbox)
            self._dropped += mailbox.dropped

    @contextmanager
    def reading(self) -> Iterator[Mailbox[T]]:
        """Be a reader until the end of the context."""
        mailbox = self.open()
        try:
            yield mailbox
        finally:
            self.close(mailbox)
