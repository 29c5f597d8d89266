from collections.abc import AsyncIterator

import pytest

from tests.conftest_database import database_uri, own_server, tables
from tests.tables import Tables
from tests.web_app import Web, web_over

__all__ = ["database_uri", "own_server", "tables", "web"]


@pytest.fixture
async def web(tables: Tables) -> AsyncIterator[Web]:
    async with web_over(tables) as web:
        yield web
