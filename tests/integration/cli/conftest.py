"""Fixtures of a real database."""

from tests.conftest_database import database_uri

__all__ = ["database_uri"]
