"""One source, many readers: what a camera gives is made once and only while somebody reads it.

Everything happens on one event loop. A reader that is slow loses the oldest of what waits for it, and
nobody waits for a reader.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from services.common.tasks import watched
from services.core.errors import SightlineError, StreamError

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)

READER_LIMIT = 200
"""Readers of a port at once."""

RESTART_S = 1.0
"""Wait before a source that failed is opened again."""


class RelayReader:
    """A bounded mailbox that loses the oldest; iterating ends when the source is ended."""

    def __init__(self, limit: int, on_close: Callable[["RelayReader"], None]) -> None:
        self._items: deque[bytes] = deque(maxlen=limit)
        self._wake = asyncio.Event()
        self._is_ended = False
        self._on_close = on_close
        self.dropped = 0

    def put(self, item: bytes) -> None:
        """Add an item, in place of the oldest where the mailbox is full."""
        self.dropped += len(self._items) == self._items.maxlen
        self._items.append(item)
        self._wake.set()

    def end(self) -> None:
        """Let the reader come to its end after what waits."""
        self._is_ended = True
        self._wake.set()

    def close(self) -> None:
        """Give the place free."""
        self._on_close(self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give items from now on."""
        while True:
            while self._items:
                yield self._items.popleft()
            if self._is_ended:
                return
            self._wake.clear()
            await self._wake.wait()


@dataclass
class _Channel:
    """The readers of one source and the task that fills their mailboxes."""

    task: asyncio.Task[None]
    readers: list[RelayReader] = field(default_factory=list)


class Relay(Generic[K]):
    """Hands each source's items to its readers; `open_source` opens one by its key."""

    def __init__(
        self,
        open_source: Callable[[K], AsyncGenerator[bytes, None]],
        mailbox_limit: int,
        reader_limit: int = READER_LIMIT,
    ) -> None:
        self._open_source = open_source
        self._mailbox_limit, self._reader_limit = mailbox_limit, reader_limit
        self._channels: dict[K, _Channel] = {}
        self._dropped = 0
        self.refused = 0
        """Readers that found no place."""

    @property
    def readers(self) -> int:
        """Readers of all sources now."""
        return sum(len(channel.readers) for channel in self._channels.values())

    @property
    def dropped(self) -> int:
        """Items that slow readers lost."""
        now = sum(reader.dropped for channel in self._channels.values() for reader in channel.readers)
        return self._dropped + now

    def open(self, key: K) -> RelayReader:
        """Follow a source from now on, until the reader is closed; StreamError when no place is free."""
        if self.readers >= self._reader_limit:
            self.refused += 1
            raise StreamError("watchers-limit", most=self._reader_limit)
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = _Channel(watched(self._run(key), f"relay-{key}"))
        reader = RelayReader(self._mailbox_limit, lambda reader: self._leave(key, channel, reader))
        channel.readers.append(reader)
        return reader

    def end(self, is_over: Callable[[K], bool]) -> None:
        """Bring the readers of sources that are over to their end."""
        for key, channel in self._channels.items():
            if is_over(key):
                for reader in channel.readers:
                    reader.end()

    def _leave(self, key: K, channel: _Channel, reader: RelayReader) -> None:
        if reader not in channel.readers:
            return
        channel.readers.remove(reader)
        self._dropped += reader.dropped
        if not channel.readers:
            channel.task.cancel()
            del self._channels[key]

    async def _run(self, key: K) -> None:
        """Fill the mailboxes; a source that fails is opened again, and its readers wait meanwhile."""
        logged = ""
        while True:
            try:
                async with aclosing(self._open_source(key)) as items:
                    async for item in items:
                        for reader in self._channels[key].readers:
                            reader.put(item)
            except SightlineError as error:
                if str(error) != logged:
                    log.warning("a stream is opened again and again until it works: %s", error)
                logged = str(error)
            except Exception:
                log.exception("a stream failed and is opened again")
            await asyncio.sleep(RESTART_S)
