"""What the project's one script for mongosh does, since no JavaScript runs here."""

from pathlib import Path
from typing import Any

from pymongo import MongoClient

SCRIPT = Path("/docker-entrypoint-initdb.d/mongodb-init.js")
SECRETS = Path("/etc/sightline/secrets")
DATABASE = "sightline"
SERVICES = ("store", "web")


def make_user(client: MongoClient[Any], database: str, name: str, password: str, roles: list[str]) -> None:
    """Make an account, or set the password and the roles of the one that is there."""
    known = client[database].command("usersInfo", name)["users"]
    given = [{"role": role, "db": database} for role in roles]
    client[database].command("updateUser" if known else "createUser", name, pwd=password, roles=given)


def make_service_accounts(client: MongoClient[Any]) -> None:
    """Make the accounts of the services with the passwords of their secrets."""
    for name in SERVICES:
        password = (SECRETS / f"mongodb-{name}" / "password").read_text().strip()
        make_user(client, DATABASE, name, password, ["readWrite"])
