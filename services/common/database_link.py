"""The connection to MongoDB or a server that speaks its protocol, and what its failures mean."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)
from pymongo.uri_parser import parse_uri
from pymongo.write_concern import WriteConcern

from services.common.secrets import redact
from services.core.errors import BadInputError, DatabaseUnavailableError, DiskFullError

Document = dict[str, Any]

DATABASE_NAME = "sightline"
SELECTION_TIMEOUT_MS = 2000
ANSWER_TIMEOUT_MS = 30_000
DURABLE = WriteConcern(w="majority", j=True, wtimeout=10_000)
"""A write that was acknowledged survives the sudden end of the server."""

LOGIN_REFUSED = (13, 18)
_DISK_FULL = (14_031,)
_DISK_FULL_TEXTS = ("no space left on device", "disk quota exceeded", "outofdiskspace")
"""What a full disk looks like where the code only says that something inside failed."""


def _unexplained() -> str | None:
    """Know nothing of the database beside what it answers."""
    return None


class DatabaseLink:
    """One client; everything that lasts is written durably. Bound to the event loop that uses it first."""

    def __init__(self, uri: str, database: str | None = None) -> None:
        try:
            parts = parse_uri(uri, validate=True, warn=False)
            self._client: AsyncMongoClient[Document] = AsyncMongoClient(
                uri,
                serverSelectionTimeoutMS=SELECTION_TIMEOUT_MS,
                connectTimeoutMS=SELECTION_TIMEOUT_MS,
                socketTimeoutMS=ANSWER_TIMEOUT_MS,
                tz_aware=True,
                appname="sightline",
            )
        except (InvalidURI, ConfigurationError, ValueError) as error:
            raise BadInputError(f"the database's address cannot be used: {redact(str(error), uri)}") from None
        name = database or parts.get("database") or DATABASE_NAME
        self._uri = uri
        self.explain: Callable[[], str | None] = _unexplained
        """Tells why the database fails, where that is known on this machine."""
        self._database = self._client.get_database(name, write_concern=DURABLE)
        self.address = ", ".join(f"{host}:{port}" if port else host for host, port in parts["nodelist"])

    def collection(self, name: str) -> AsyncCollection[Document]:
        """Give a collection that writes durably."""
        return self._database[name]

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
            return DiskFullError(self.explain() or f"the disk of the database at {self.address} is full")
        if isinstance(error, OperationFailure) and error.code in LOGIN_REFUSED:
            return DatabaseUnavailableError(f"the database at {self.address} refuses the login")
        known = self.explain()
        if known is not None:
            return DatabaseUnavailableError(known)
        if isinstance(error, ConnectionFailure):
            return DatabaseUnavailableError(f"the database at {self.address} does not answer")
        return DatabaseUnavailableError(self._failed(error))

    def _failed(self, error: PyMongoError) -> str:
        return f"the database at {self.address} failed: {redact(str(error), self._uri)[:300]}"


def _is_disk_full(error: PyMongoError) -> bool:
    """Tell a full disk by its code, in an answer or in the failures of single documents, or by its text."""
    details = getattr(error, "details", None) or {}
    failures = [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
    codes = {getattr(error, "code", None), *(failure.get("code") for failure in failures)}
    text = " ".join([str(error), *(str(failure.get("errmsg", "")) for failure in failures)]).lower()
    return not codes.isdisjoint(_DISK_FULL) or any(known in text for known in _DISK_FULL_TEXTS)
