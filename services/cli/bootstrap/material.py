"""The secrets that the services share, as they are made once at the first start."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

USER = "sightline"
"""The name by which services log in at NATS."""

DATABASE_ACCOUNTS = ("store", "web")
"""Services with an account of their own in MongoDB, which configmaps/mongodb-init.js makes."""

PASSWORD_BYTES = 32
ADMIN_PASSWORD_BYTES = 15
"""People type this one: 20 characters."""

NATS_AUTHORIZATION = """\
authorization {{
  user: {user}
  password: "{password}"
}}
"""


@dataclass(frozen=True, slots=True)
class Secret:
    """A named set of files. Its text shows no value."""

    name: str
    files: Mapping[str, str] = field(repr=False)


class SecretSink(Protocol):
    """A place that keeps secrets."""

    def create(self, secret: Secret) -> bool:
        """Keep a secret whole, or leave what has its name as it is; tell whether it was kept."""
        ...


def make_secrets() -> tuple[Secret, ...]:
    """Make new passwords, whose characters can stand as they are in an address and in a file of NATS."""
    nats = secrets.token_urlsafe(PASSWORD_BYTES)
    return (
        Secret("mongodb", {"root-password": secrets.token_urlsafe(PASSWORD_BYTES)}),
        *map(_database_account, DATABASE_ACCOUNTS),
        Secret(
            "nats",
            {
                "auth.conf": NATS_AUTHORIZATION.format(user=USER, password=nats),
                "url": f"nats://{USER}:{nats}@nats:4222",
            },
        ),
        Secret("admin", {"password": secrets.token_urlsafe(ADMIN_PASSWORD_BYTES)}),
    )


def _database_account(service: str) -> Secret:
    """The password of a service's account, and the address with it."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    uri = f"mongodb://{service}:{password}@mongodb:27017/sightline?authSource=sightline"
    return Secret(f"mongodb-{service}", {"password": password, "uri": uri})
