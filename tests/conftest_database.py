"""Fixtures over a real database: SIGHTLINE_TEST_MONGODB_URI, or a server that the run starts."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from services.common.database.repository import Repository
from tests.database_server import DatabaseServer

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
async def repository(database_uri: str) -> AsyncIterator[Repository]:
    """A prepared repository on an empty database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    repository = Repository(database_uri, name)
    await repository.prepare()
    yield repository
    await repository._link._client.drop_database(name)
    await repository.close()


@pytest.fixture
def own_server(tmp_path) -> Iterator[DatabaseServer]:
    """A server of the test's own, started, which it may kill."""
    server = DatabaseServer(tmp_path / "own")
    server.start()
    yield server
    server.end()
