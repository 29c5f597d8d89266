"""The lease records in NATS: one key a role and camera, changed by compare-and-set only."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import api
from nats.js.errors import (
    BadRequestError,
    KeyNotFoundError,
    KeyWrongLastSequenceError,
    NoStreamResponseError,
)
from nats.js.kv import KeyValue

from services.common.leases.protocol import Role
from services.core.errors import BusUnavailableError
from services.core.types import CameraId

BUCKET = "sightline-leases"

REQUEST_TIMEOUT_S = 0.7
"""How long one request may take: reading and writing a record stay within two seconds."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of a camera's newest lease, also after its end: its epoch is the floor of the next."""

    member: str
    epoch: int
    is_released: bool = False


class LeaseRecords:
    """Reads and replaces records.

    `makes_bucket`: whether it makes the bucket where that is missing, for NATS may lose its disk; others
    wait until it is there.
    """

    def __init__(self, client: Client, makes_bucket: bool = True) -> None:
        self._client, self.makes_bucket = client, makes_bucket
        self._jetstream = client.jetstream(timeout=REQUEST_TIMEOUT_S)
        self._opened: KeyValue | None = None

    async def read(self, role: Role, camera: CameraId) -> tuple[Record | None, int]:
        """Give the record and its revision, (None, 0) without one.

        BusUnavailableError when nobody answers.
        """
        async with self._answered():
            bucket = await self._bucket()
            try:
                entry = await bucket.get(f"{role}.{camera}")
            except KeyNotFoundError as error:
                return None, error.entry.revision if error.entry is not None else 0
        return _decode(entry.value), entry.revision or 0

    async def write(self, role: Role, camera: CameraId, record: Record, revision: int) -> bool:
        """Replace the record of this revision, 0 for none; False when somebody else was faster.

        BusUnavailableError when nobody answers: then it may or may not have been written.
        """
        value = json.dumps({"member": record.member, "epoch": record.epoch, "released": record.is_released})
        async with self._answered():
            try:
                await self._update(f"{role}.{camera}", value.encode(), revision)
            except KeyWrongLastSequenceError:
                return False
        return True

    async def ensure_bucket(self) -> None:
        """Make the bucket if it is missing; BusUnavailableError when nobody answers."""
        async with self._answered():
            self._opened = None
            await self._bucket()

    async def _update(self, key: str, value: bytes, revision: int) -> None:
        bucket = await self._bucket()
        try:
            await bucket.update(key, value, last=revision)
        except NoStreamResponseError:
            self._opened = None
            bucket = await self._bucket()
            await bucket.update(key, value, last=0)

    async def _bucket(self) -> KeyValue:
        if self._opened is None and not self.makes_bucket:
            self._opened = await self._jetstream.key_value(BUCKET)
        elif self._opened is None:
            try:
                self._opened = await self._jetstream.create_key_value(
                    bucket=BUCKET, history=1, storage=api.StorageType.FILE
                )
            except BadRequestError:  # it is there, set up otherwise by whoever runs the server
                self._opened = await self._jetstream.key_value(BUCKET)
        return self._opened

    @asynccontextmanager
    async def _answered(self) -> AsyncIterator[None]:
        """Turn what can go wrong on the way into one error."""
        if not self._client.is_connected:
            raise BusUnavailableError("nats-away")
        try:
            yield
        except (NatsError, OSError, TimeoutError) as error:
            raise BusUnavailableError("nats-silent", reason=type(error).__name__) from error


def _decode(value: bytes | None) -> Record | None:
    """Read a record; None when it is none, so that the next owner replaces it."""
    try:
        fields = json.loads(value or b"")
        return Record(str(fields["member"]), int(fields["epoch"]), bool(fields["released"]))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
