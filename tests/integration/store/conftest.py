from tests.conftest_database import database_uri, own_server, repository

__all__ = ["database_uri", "own_server", "repository"]
