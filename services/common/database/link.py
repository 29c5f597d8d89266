"""The connection to MongoDB or a server that speaks its protocol, and what its failures mean."""

import asyncio
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.collection import Collection
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)
from pymongo.uri_parser import parse_uri
from pymongo.write_concern import WriteConcern

from services.common.connections.cluster_tls import CA_VARIABLE, client_context
from services.common.secrets import redact
from services.core.errors import BadInputError, DatabaseUnavailableError, DiskFullError
from services.core.sentences.sentence import Sentence, sentence

Document = dict[str, Any]

DATABASE_NAME = "sightline"
SELECTION_TIMEOUT_MS = 2000
ANSWER_TIMEOUT_MS = 30_000
CLIENT_OPTIONS: dict[str, Any] = {
    "serverSelectionTimeoutMS": SELECTION_TIMEOUT_MS,
    "connectTimeoutMS": SELECTION_TIMEOUT_MS,
    "socketTimeoutMS": ANSWER_TIMEOUT_MS,
    "tz_aware": True,
    "appname": "sightline",
}
DURABLE = WriteConcern(w="majority", j=True, wtimeout=10_000)
"""A write that was acknowledged survives the sudden end of the server."""

NOT_ALLOWED, LOGIN_REFUSED = 13, 18
_COMMAND = re.compile(r"execute command \{ ?(\w{1,40})")
_TEXT_LIMIT = 300
_DISK_FULL = (14_031,)
_DISK_FULL_TEXTS = ("no space left on device", "disk quota exceeded", "outofdiskspace")
"""What foreign servers write of a full disk where their code only says that something inside failed."""


def _unexplained() -> Sentence | None:
    """Know nothing of the database beside what it answers."""
    return None


def _tls_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for TLS as everywhere in the cluster, unless the address says itself whether and how.

    BadInputError when the certificates of the authority cannot be used.
    """
    if "tls" in given or client_context() is None:
        return {}
    return {"tls": True, "tlsCAFile": os.environ[CA_VARIABLE]}


class DatabaseLink:
    """One client; everything that lasts is written durably. Bound to the event loop that uses it first."""

    def __init__(
        self, uri: str, database: str | None = None, explain: Callable[[], Sentence | None] = _unexplained
    ) -> None:
        """`explain` gives the reason why the database fails, where that is known on this machine."""
        try:
            parts = parse_uri(uri, validate=True, warn=False)
            self._options = CLIENT_OPTIONS | _tls_options(parts["options"])
            self._client: AsyncMongoClient[Document] = AsyncMongoClient(uri, **self._options)
        except (InvalidURI, ConfigurationError, ValueError) as error:
            raise BadInputError(f"the database's address cannot be used: {redact(str(error), uri)}") from None
        name = database or parts.get("database") or DATABASE_NAME
        self._uri, self._name = uri, name
        self._reading: MongoClient[Document] | None = None
        self._lock, self._is_closed = threading.Lock(), False
        self._explain = explain
        self._database = self._client.get_database(name, write_concern=DURABLE)
        self.address = ", ".join(f"{host}:{port}" if port else host for host, port in parts["nodelist"])

    def collection(self, name: str) -> AsyncCollection[Document]:
        """Give a collection that writes durably."""
        return self._database[name]

    def reading(self, name: str) -> Collection[Document]:
        """Give a collection for reads in a thread of the caller's, for what would hold up an event loop.

        Its client is made at the first call and has connections of its own. DatabaseUnavailableError once
        the link is closed.
        """
        with self._lock:
            if self._is_closed:
                raise DatabaseUnavailableError("process-ends")
            if self._reading is None:
                self._reading = MongoClient(self._uri, **self._options)
            return self._reading[self._name][name]

    async def command(self, command: Mapping[str, Any]) -> Document:
        """Run a database command."""
        with self.guarded():
            return dict(await self._database.command(dict(command)))

    async def ping(self) -> None:
        """Ask whether the database answers; DatabaseUnavailableError when it does not."""
        await self.command({"ping": 1})

    async def close(self) -> None:
        """Let go of all connections."""
        await self._client.close()
        with self._lock:
            reading, self._is_closed = self._reading, True
        if reading is not None:
            await asyncio.to_thread(reading.close)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn each failure of the driver into DatabaseUnavailableError, with a text without secrets.

        A server that refuses (full disk, no rights) is treated like one that is away: the cause lies
        outside, it may pass, and what has not been written is tried again.
        """
        try:
            yield
        except PyMongoError as error:
            raise self._meaning(error) from error

    def _meaning(self, error: PyMongoError) -> DatabaseUnavailableError:
        if _is_disk_full(error):
            return DiskFullError(self._explain() or sentence("database-full", address=self.address))
        if isinstance(error, OperationFailure) and error.code == LOGIN_REFUSED:
            return DatabaseUnavailableError("database-login", address=self.address)
        if isinstance(error, OperationFailure) and error.code == NOT_ALLOWED:
            return DatabaseUnavailableError(self._not_allowed(error))
        known = self._explain()
        if known is not None:
            return DatabaseUnavailableError(known)
        if isinstance(error, ConnectionFailure):
            return DatabaseUnavailableError("database-silent", address=self.address)
        return DatabaseUnavailableError(self._failed(error))

    def _not_allowed(self, error: OperationFailure) -> Sentence:
        """Say what the account may not do; the server says the same code where nobody has logged in."""
        text = str(error)[:_TEXT_LIMIT]
        if "authentication" in text:
            return sentence("database-wants-login", address=self.address)
        command = _COMMAND.search(text)
        if command is None:
            return sentence("database-rights-unnamed", address=self.address, database=self._database.name)
        return sentence(
            "database-rights", address=self.address, command=command[1], database=self._database.name
        )

    def _failed(self, error: PyMongoError) -> Sentence:
        reason = redact(str(error), self._uri)[:_TEXT_LIMIT]
        return sentence("database-failed", address=self.address, reason=reason)


def _is_disk_full(error: PyMongoError) -> bool:
    """Recognise a full disk by its code, in an answer or in failures of single documents, or by its text."""
    details = getattr(error, "details", None) or {}
    failures = [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
    codes = {getattr(error, "code", None), *(failure.get("code") for failure in failures)}
    text = " ".join([str(error), *(str(failure.get("errmsg", "")) for failure in failures)]).lower()
    return not codes.isdisjoint(_DISK_FULL) or any(known in text for known in _DISK_FULL_TEXTS)
