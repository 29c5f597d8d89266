"""Settings of the services: the shipped files name every key with its default, but for a container's own."""

import socket
from functools import partial
from pathlib import Path

import pytest

from services.cli.serve.settings import DetectorSettings, IngestSettings, RtspSettings, StoreSettings
from services.common.connections.addresses import address_for_others, is_loopback, named_addresses
from services.common.settings.files import Settings, load_settings
from services.common.settings.service import (
    MONGODB_URI_VARIABLE,
    given_mongodb_uri,
    mongodb_uri,
    nats_url,
    reachable_host,
)
from services.core.errors import BadInputError
from services.web.settings import WebSettings

CONFIGMAPS = Path(__file__).resolve().parents[4] / "configmaps"
SERVICES: dict[str, type[Settings]] = {
    "ingest": IngestSettings,
    "detector": DetectorSettings,
    "store": StoreSettings,
    "web": WebSettings,
    "rtsp": RtspSettings,
}


@pytest.mark.parametrize(("name", "kind"), SERVICES.items())
def test_the_shipped_file_names_every_key_with_its_default(name: str, kind: type[Settings]) -> None:
    path = CONFIGMAPS / f"{name}.yaml"
    shipped = load_settings(kind, path, {})
    assert set(kind.model_fields) == shipped.model_fields_set
    of_containers = {"host": "127.0.0.1"}
    if "file_camera_folders" in kind.model_fields:
        assert shipped.given["file_camera_folders"] == (Path("/videos"),)
        of_containers["file_camera_folders"] = ()
    assert shipped.model_copy(update=of_containers) == kind()
    assert shipped.given["host"] == "::"


@pytest.mark.parametrize("name", SERVICES)
def test_an_unknown_key_is_named_with_its_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.yaml"
    path.write_text("host: 127.0.0.1\nhots: x\n", encoding="utf-8")
    with pytest.raises(BadInputError, match=rf"{name}.yaml, line 2: unknown key 'hots' \(known: "):
        load_settings(SERVICES[name], path, {})


@pytest.mark.parametrize(
    ("host", "insecure", "wants_login"),
    [("127.0.0.1", False, False), ("0.0.0.0", False, True), ("0.0.0.0", True, False), ("::1", False, False)],
)
def test_a_login_is_wanted_where_others_can_come(host: str, insecure: bool, wants_login: bool) -> None:
    assert DetectorSettings(host=host, insecure=insecure).wants_login is wants_login


def test_addresses_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "uri"
    secret.write_text("mongodb://u:p@host\n", encoding="utf-8")
    assert nats_url({"SIGHTLINE_NATS_URL": " nats://a:4222 "}) == "nats://a:4222"
    assert mongodb_uri({f"{MONGODB_URI_VARIABLE}_FILE": str(secret)}) == "mongodb://u:p@host"
    assert given_mongodb_uri({f"{MONGODB_URI_VARIABLE}_FILE": str(secret)}) == "mongodb://u:p@host"
    assert given_mongodb_uri({}) is None
    secret.write_text("", encoding="utf-8")
    with pytest.raises(BadInputError, match="is empty"):
        mongodb_uri({f"{MONGODB_URI_VARIABLE}_FILE": str(secret)})
    with pytest.raises(BadInputError, match="cannot be read: No such file"):
        mongodb_uri({f"{MONGODB_URI_VARIABLE}_FILE": str(tmp_path / "none")})
    with pytest.raises(BadInputError, match="set SIGHTLINE_NATS_URL to an address like nats://"):
        nats_url({})


def test_the_address_for_others() -> None:
    assert reachable_host("0.0.0.0", "ingest.example") == "ingest.example"
    assert reachable_host("10.0.0.7", None) == "10.0.0.7"
    assert reachable_host("0.0.0.0", None) not in ("0.0.0.0", "")


@pytest.mark.parametrize(
    ("host", "ways", "named", "found"),
    [
        ("0.0.0.0", {"nats": "10.0.0.7"}, ["127.0.1.1", "192.168.1.5"], "10.0.0.7"),
        ("0.0.0.0", {"nats": "127.0.0.1"}, ["127.0.1.1", "192.168.1.5"], "192.168.1.5"),
        ("0.0.0.0", {"192.0.2.1": "192.168.1.5"}, ["127.0.1.1"], "192.168.1.5"),
        ("0.0.0.0", {"nats": "fd00::7", "192.0.2.1": "10.0.0.7"}, ["::1", "fe80::1"], "10.0.0.7"),
        ("::", {"nats": "fd00::7"}, ["127.0.1.1"], "fd00::7"),
        ("", {"nats": "10.0.0.7"}, [], "10.0.0.7"),
        ("0.0.0.0", {"nats": "127.0.0.1"}, ["127.0.1.1"], "127.0.0.1"),
        ("::", {}, ["::1"], "::1"),
    ],
)
def test_no_machine_gives_others_an_address_that_means_themselves(
    host: str, ways: dict[str, str], named: list[str], found: str, caplog: pytest.LogCaptureFixture
) -> None:
    own = partial(address_for_others, near_end=ways.get, named=lambda: named)
    assert reachable_host(host, None, "nats", own) == found
    assert ("advertise_host" in caplog.text) == is_loopback(found)


def test_the_name_of_a_stock_debian_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    debian = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.1.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **named: debian)
    assert named_addresses() == ["127.0.1.1"]
    assert address_for_others("0.0.0.0", near_end=lambda host: None) is None
