"""Setups and who may watch, each in a bucket of NATS of its own: the newest value, for whoever starts later.

Each service may read the buckets that it needs (configmaps/nats-users.conf). Readers look at a bucket when a
nudge says that one has changed, and each second in case a nudge was lost. When NATS has lost a bucket they
keep what they know, and a process that has published writes it again. Values hold secrets: they are never
logged.
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

ADDRESSES = "sightline-addresses"
"""Bucket of the setups with the cameras' addresses and passwords: for those who dial cameras."""

CAMERAS = "sightline-cameras"
"""Bucket of the same setups without addresses."""

ACCESS = "sightline-access"
"""Bucket of what a login is checked by."""

OLD_STREAM = "KV_sightline-setups"
"""Where an earlier version kept all of this together, readable for every service."""

NUDGE = "sightline.setups.changed"
LOOK_S = 1.0

Version = tuple[datetime | None, int]
"""When the bucket was made, and how often it was written since."""


class NatsSharedValue(Generic[T]):
    """Implements `SharedValue` with a bucket of its own, as this process knows it."""

    def __init__(
        self,
        bucket: str,
        encode: Callable[[T], bytes],
        decode: Callable[[bytes], T],
        empty: T,
        on_change: Callable[[T], None] | None = None,
    ) -> None:
        self.bucket = bucket
        self._stream, self._subject = f"KV_{bucket}", f"$KV.{bucket}.all"
        self._encode, self._decode = encode, decode
        self._local = LocalSharedValue(empty, on_change)
        self._lock = threading.Lock()
        self._data: bytes | None = None
        self._seen: Version | None = None
        self._unwritten = 0
        self.is_publisher = False
        self.wake: Callable[[], None] = lambda: None
        """Called when there is something to write, on the thread that publishes."""

    def publish(self, value: T) -> None:
        """Replace the value, here at once and in the bucket as soon as it can be reached."""
        try:
            data = self._encode(value)
        except BadMessageError as error:
            log.error("bucket %s cannot be written: %s", self.bucket, error)
            return
        with self._lock:
            self.is_publisher = True
            self._unwritten += 1
            self._put(value, data)
        self.wake()

    def newest(self) -> T:
        """Give the value as this process knows it."""
        return self._local.newest()

    def follow(self) -> AbstractAsyncContextManager[AsyncIterator[T]]:
        """Follow the value, whoever publishes it."""
        return self._local.follow()

    async def settle(self, jetstream: JetStreamContext) -> bool:
        """Write what is new here, then load what is new there; True when something was written.

        BadMessageError when the bucket holds what cannot be read.
        """
        version = await self._version(jetstream)
        if version is None:
            self._write_again()
        is_written = await self._write(jetstream, version)
        version = await self._version(jetstream)
        if version is not None and version != self._seen:
            await self._load(jetstream, version)
        return is_written

    async def _version(self, jetstream: JetStreamContext) -> Version | None:
        """Give the bucket's version; None when there is no bucket."""
        try:
            info = await jetstream.stream_info(self._stream)
        except NotFoundError:
            return None
        return info.created, info.state.last_seq

    async def _write(self, jetstream: JetStreamContext, version: Version | None) -> bool:
        with self._lock:
            number, data = self._unwritten, self._data
        if not number or data is None:
            return False
        if version is None:
            await jetstream.create_key_value(bucket=self.bucket, history=1, storage=StorageType.FILE)
        await jetstream.publish(self._subject, data)
        with self._lock:
            self._unwritten -= number
        return True

    async def _load(self, jetstream: JetStreamContext, version: Version) -> None:
        """Take over what is in the bucket, unless this process has something newer to write.

        What cannot be read is replaced by a process that has published: whoever starts later needs it.
        """
        try:
            data = (await jetstream.get_last_msg(self._stream, self._subject)).data
        except NotFoundError:
            self._write_again()
            return
        self._seen = version
        try:
            value = self._decode(data or b"")
        except BadMessageError as error:
            log.warning("what the bucket %s holds is refused: %s", self.bucket, error)
            self._write_again()
            raise
        with self._lock:
            if not self._unwritten:
                self._put(value, data or b"")

    def _write_again(self) -> None:
        """Note that the bucket has lost the value: a process that has published it writes it again."""
        with self._lock:
            if self.is_publisher and not self._unwritten:
                self._unwritten = 1

    def _put(self, value: T, data: bytes) -> None:
        self._data = data
        if not self._local.is_published or self._local.newest() != value:
            self._local.publish(value)


class SharedValues:
    """Keeps the values of this process and their buckets the same, for as long as `run` runs."""

    def __init__(self, client: Client, values: tuple[NatsSharedValue[Any], ...]) -> None:
        self._client, self._values = client, values
        self._jetstream = client.jetstream(timeout=REQUEST_TIMEOUT_S)
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._is_old_gone = False
        for value in values:
            value.wake = self.wake
        self.refused = 0
        """Values in the buckets that could not be read."""

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
        """Settle each value: one that fails keeps no other waiting."""
        results = await asyncio.gather(
            *(self._settle_one(value) for value in self._values), return_exceptions=True
        )
        if any(result is True for result in results):
            await self._client.publish(NUDGE)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        if not self._is_old_gone and any(value.is_publisher for value in self._values):
            await self._remove_old()

    async def _settle_one(self, value: NatsSharedValue[Any]) -> bool:
        try:
            return await value.settle(self._jetstream)
        except BadMessageError:
            self.refused += 1
            return False

    async def _remove_old(self) -> None:
        """Remove the bucket of an earlier version, which holds cameras' passwords for every reader."""
        with suppress(NotFoundError):
            await self._jetstream.delete_stream(OLD_STREAM)
            log.info("the bucket of an earlier version is removed: each service reads its own now")
        self._is_old_gone = True

    async def _on_nudge(self, _message: Msg) -> None:
        self._wake.set()
