"""Fixtures over a real database: SIGHTLINE_TEST_MONGODB_URI, or a server that the run starts."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.database_server import DatabaseServer
from tests.tables import Tables

_shared: list[DatabaseServer] = []


@pytest.fixture(scope="session")
def database_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server that all tests share, each with a database of its own."""
    given = os.environ.get("SIGHTLINE_TEST_MONGODB_URI")
    if given:
        yield given
        return
    if not _shared:
        server = DatabaseServer(tmp_path_factory.mktemp("database") / "data")
        server.start()
        _shared.append(server)
    yield _shared[0].uri
    _shared[0].end()


@pytest.fixture
async def tables(database_uri: str) -> AsyncIterator[Tables]:
    """The parts over an empty database, prepared."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    tables = Tables(database_uri, name)
    await tables.prepare()
    yield tables
    await tables.drop()
    await tables.close()


@pytest.fixture
def own_server(tmp_path) -> Iterator[DatabaseServer]:
    """A server of the test's own, started, which it may kill."""
    server = DatabaseServer(tmp_path / "own")
    server.start()
    yield server
    server.end()
