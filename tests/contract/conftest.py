from collections.abc import AsyncIterator

import pytest

from services.common.database.repository import Repository
from tests.conftest_database import database_uri, own_server, repository
from tests.web_app import Web, web_over

__all__ = ["database_uri", "own_server", "repository", "web"]


@pytest.fixture
async def web(repository: Repository) -> AsyncIterator[Web]:
    async with web_over(repository) as web:
        yield web
