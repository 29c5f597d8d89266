"""The secrets themselves: what belongs together agrees, nothing repeats, nothing shows."""

import re
from urllib.parse import urlsplit

from services.cli.bootstrap.material import make_secrets
from services.common.access.passwords import check_new_password

FILES = {
    "mongodb": ["root-password"],
    "mongodb-store": ["password", "uri"],
    "mongodb-web": ["password", "uri"],
    "nats": ["auth.conf", "url"],
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
    nats = made["nats"]
    url = urlsplit(nats["url"])
    assert (url.username, url.hostname, url.port) == ("sightline", "nats", 4222)
    assert f'  user: sightline\n  password: "{url.password}"\n' in nats["auth.conf"]


def test_passwords_are_long_new_and_need_no_quoting() -> None:
    def passwords() -> list[str]:
        root, store, web, nats, admin = (secret.files for secret in make_secrets())
        url = urlsplit(nats["url"])
        accounts = [store["password"], web["password"], str(url.password)]
        return [root["root-password"], *accounts, admin["password"]]

    known = passwords() + passwords()
    assert len(set(known)) == len(known)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{20,}", password) for password in known)
    assert check_new_password(known[4]) == known[4]


def test_a_secret_shows_no_value() -> None:
    for secret in make_secrets():
        assert not [value for value in secret.files.values() if value in repr(secret)]
