from tests.conftest_database import database_uri, own_server, tables

__all__ = ["database_uri", "own_server", "tables"]
