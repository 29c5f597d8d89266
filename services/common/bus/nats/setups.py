"""Setups and who may watch, kept in a bucket of NATS: the newest value of each, for whoever starts later.

Readers look at the bucket when a nudge says that it has changed, and each second in case a nudge was lost.
When NATS has lost the bucket they keep what they know, and a process that has published writes it again.
Values hold the cameras' passwords: they are never logged.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from typing import Any, Generic, TypeVar

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import StorageType
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from services.common.bus.local import LocalSharedValue
from services.common.bus.nats.publishing import (
    BUS_ERRORS,
    POLL_S,
    REQUEST_TIMEOUT_S,
    listening,
    until_connected,
    while_connected,
)
from services.core.errors import BadMessageError

log = logging.getLogger(__name__)

T = TypeVar("T")

BUCKET = "sightline-setups"
STREAM = f"KV_{BUCKET}"
NUDGE = "sightline.setups.changed"
LOOK_S = 1.0

Version = tuple[datetime | None, int]
"""When the bucket was made, and how often it was written since."""


class NatsSharedValue(Generic[T]):
    """Implements `SharedValue` with one key of the bucket, as this process knows it."""

    def __init__(
        self,
        key: str,
        encode: Callable[[T], bytes],
        decode: Callable[[bytes], T],
        empty: T,
        on_change: Callable[[T], None] | None = None,
    ) -> None:
        self.key = key
        self._subject = f"$KV.{BUCKET}.{key}"
        self._encode, self._decode = encode, decode
        self._local = LocalSharedValue(empty, on_change)
        self._lock = threading.Lock()
        self._data: bytes | None = None
        self._is_publisher = False
        self._unwritten = 0
        self.wake: Callable[[], None] = lambda: None
        """Called when there is something to write, on the thread that publishes."""

    def publish(self, value: T) -> None:
        """Replace the value, here at once and in the bucket as soon as it can be reached."""
        try:
            data = self._encode(value)
        except BadMessageError as error:
            log.error("%s cannot be published: %s", self.key, error)
            return
        with self._lock:
            self._is_publisher = True
            self._unwritten += 1
            self._put(value, data)
        self.wake()

    def newest(self) -> T:
        """Give the value as this process knows it."""
        return self._local.newest()

    def follow(self) -> AbstractAsyncContextManager[AsyncIterator[T]]:
        """Follow the value, whoever publishes it."""
        return self._local.follow()

    async def write(self, jetstream: JetStreamContext) -> bool:
        """Write what is not in the bucket yet; True when there was something."""
        with self._lock:
            number, data = self._unwritten, self._data
        if not number or data is None:
            return False
        await jetstream.publish(self._subject, data)
        with self._lock:
            self._unwritten -= number
        return True

    async def load(self, jetstream: JetStreamContext) -> None:
        """Take over what is in the bucket, unless this process has something newer to write."""
        try:
            data = (await jetstream.get_last_msg(STREAM, self._subject)).data
        except NotFoundError:
            self.write_again()
            return
        try:
            value = self._decode(data or b"")
        except BadMessageError as error:
            log.warning("what the bucket holds as %s is refused: %s", self.key, error)
            raise
        with self._lock:
            if not self._unwritten:
                self._put(value, data or b"")

    def write_again(self) -> None:
        """Note that the bucket has lost the value: a process that has published it writes it again."""
        with self._lock:
            if self._is_publisher and not self._unwritten:
                self._unwritten = 1

    def _put(self, value: T, data: bytes) -> None:
        self._data = data
        if not self._local.is_published or self._local.newest() != value:
            self._local.publish(value)


class SharedValues:
    """Keeps the values of this process and the bucket the same, for as long as `run` runs."""

    def __init__(self, client: Client, values: tuple[NatsSharedValue[Any], ...]) -> None:
        self._client, self._values = client, values
        self._jetstream = client.jetstream(timeout=REQUEST_TIMEOUT_S)
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._seen: Version | None = None
        for value in values:
            value.wake = self.wake
        self.refused = 0
        """Values in the bucket that could not be read."""

    def wake(self) -> None:
        """Look at once. Callable from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._wake.set)
        except RuntimeError:
            log.debug("the bus has ended: nothing is written any more")

    async def run(self) -> None:
        """Write and load until cancelled."""
        async with listening(self._client, NUDGE, self._on_nudge):
            while True:
                await until_connected(self._client)
                self._wake.clear()
                try:
                    await while_connected(self._client, self._settle())
                except BUS_ERRORS as error:
                    log.debug("setups wait: %s", type(error).__name__)
                    await asyncio.sleep(POLL_S)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._wake.wait()

    async def _settle(self) -> None:
        """Write what is new here, then load what is new there."""
        version = await self._version()
        if version is None:
            for value in self._values:
                value.write_again()
        if any([await self._write(value, version) for value in self._values]):
            await self._client.publish(NUDGE)
        version = await self._version()
        if version is not None and version != self._seen:
            for value in self._values:
                await self._load(value)
            self._seen = version

    async def _load(self, value: NatsSharedValue[Any]) -> None:
        try:
            await value.load(self._jetstream)
        except BadMessageError:
            self.refused += 1

    async def _write(self, value: NatsSharedValue[Any], version: Version | None) -> bool:
        try:
            return await value.write(self._jetstream)
        except BUS_ERRORS:
            if version is not None:
                raise
            await self._make_bucket()
            return await value.write(self._jetstream)

    async def _make_bucket(self) -> None:
        await self._jetstream.create_key_value(bucket=BUCKET, history=1, storage=StorageType.FILE)

    async def _version(self) -> Version | None:
        """Give the bucket's version; None when there is no bucket."""
        try:
            info = await self._jetstream.stream_info(STREAM)
        except NotFoundError:
            return None
        return info.created, info.state.last_seq

    async def _on_nudge(self, _message: Msg) -> None:
        self._wake.set()
