"""The secrets that the services share, as they are made once at the first start."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

DATABASE_ACCOUNTS = ("store", "web")
"""Services with an account of their own in MongoDB, which configmaps/mongodb-init.js makes."""

NATS_USERS = ("ingest", "detector", "store", "web", "rtsp")
"""Services with a user of their own at NATS, whose permissions are those of configmaps/nats-users.conf."""

PASSWORD_BYTES = 32
ADMIN_PASSWORD_BYTES = 15
"""People type this one: 20 characters."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A named set of files. Its text shows no value."""

    name: str
    files: Mapping[str, str] = field(repr=False)


class SecretSink(Protocol):
    """A place that keeps secrets."""

    def create(self, secret: Secret) -> bool:
        """Keep a secret whole, or leave what has its name as it is; return whether it was kept."""
        ...


def make_secrets() -> tuple[Secret, ...]:
    """Make new passwords, whose characters can stand as they are in an address and in a file of NATS."""
    return (
        Secret("mongodb", {"root-password": secrets.token_urlsafe(PASSWORD_BYTES)}),
        *map(_database_account, DATABASE_ACCOUNTS),
        *map(_nats_user, NATS_USERS),
        Secret("admin", {"password": secrets.token_urlsafe(ADMIN_PASSWORD_BYTES)}),
    )


def _database_account(service: str) -> Secret:
    """The password of a service's account, and the address with it."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    uri = f"mongodb://{service}:{password}@mongodb:27017/sightline?authSource=sightline"
    return Secret(f"mongodb-{service}", {"password": password, "uri": uri})


def _nats_user(service: str) -> Secret:
    """The password of a service's user as a file of NATS defines it, and the address with it."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    fragment = f'{service}_password: "{password}"\n'
    return Secret(f"nats-{service}", {"auth.conf": fragment, "url": f"nats://{service}:{password}@nats:4222"})
