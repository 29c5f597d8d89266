"""Fixtures of a real database."""

from tests.conftest_database import database_uri, own_server

__all__ = ["database_uri", "own_server"]
