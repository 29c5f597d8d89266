"""The secrets themselves: what belongs together agrees, nothing repeats, nothing shows."""

import re
from urllib.parse import urlsplit

from services.cli.bootstrap.material import DATABASE_ACCOUNTS, NATS_USERS, make_secrets
from services.common.access.passwords import check_new_password

FILES = {
    "mongodb": ["root-password"],
    "mongodb-store": ["password", "uri"],
    "mongodb-web": ["password", "uri"],
    "nats-ingest": ["auth.conf", "url"],
    "nats-detector": ["auth.conf", "url"],
    "nats-store": ["auth.conf", "url"],
    "nats-web": ["auth.conf", "url"],
    "nats-rtsp": ["auth.conf", "url"],
    "admin": ["password"],
}


def test_names_are_those_that_the_pods_mount() -> None:
    assert {secret.name: list(secret.files) for secret in make_secrets()} == FILES


def test_addresses_hold_the_passwords_that_the_servers_are_given() -> None:
    made = {secret.name: secret.files for secret in make_secrets()}
    for service in ("store", "web"):
        files = made[f"mongodb-{service}"]
        uri = urlsplit(files["uri"])
        login = (uri.username, uri.password, uri.netloc.rpartition("@")[2])
        assert login == (service, files["password"], "mongodb:27017")
        assert (uri.path, uri.query) == ("/sightline", "authSource=sightline")
    for service in NATS_USERS:
        files = made[f"nats-{service}"]
        url = urlsplit(files["url"])
        assert (url.username, url.hostname, url.port) == (service, "nats", 4222)
        assert files["auth.conf"] == f'{service}_password: "{url.password}"\n'


def test_passwords_are_long_new_and_need_no_quoting() -> None:
    def passwords() -> list[str]:
        made = {secret.name: secret.files for secret in make_secrets()}
        accounts = [made[f"mongodb-{service}"]["password"] for service in DATABASE_ACCOUNTS]
        users = [str(urlsplit(made[f"nats-{user}"]["url"]).password) for user in NATS_USERS]
        return [made["admin"]["password"], made["mongodb"]["root-password"], *accounts, *users]

    known = passwords() + passwords()
    assert len(set(known)) == len(known)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{20,}", password) for password in known)
    assert check_new_password(known[0]) == known[0]


def test_a_secret_shows_no_value() -> None:
    for secret in make_secrets():
        assert not [value for value in secret.files.values() if value in repr(secret)]
