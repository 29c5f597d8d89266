"""Which requests are open, who may send what, and where a request comes from."""

import pytest

from services.common.access.accounts import User, UserRole
from services.web.auth.audit import change_of
from services.web.auth.caller import Caller, is_open, may, takes_token_in_query
from services.web.auth.origin import Origin, origin_of

HERE = Origin("192.0.2.1", False, "sightline:8080", None, True)


def caller(role: UserRole) -> Caller:
    return Caller(role, HERE, User("anna", role, "hash"), "session")


@pytest.mark.parametrize(
    ("method", "path", "open_"),
    [
        ("GET", "/", True),
        ("HEAD", "/index.html", True),
        ("GET", "/assets/index-1.js", True),
        ("GET", "/healthz", True),
        ("GET", "/metrics", True),
        ("POST", "/api/v1/session", True),
        ("DELETE", "/api/v1/session", True),
        ("POST", "/", False),
        ("POST", "/metrics", False),
        ("GET", "/api/v1/session/x", False),
        ("GET", "/api/v1/sessions", False),
        ("GET", "/api/v1/cameras", False),
        ("GET", "/api/v1/openapi.json", False),
        ("GET", "/assets", False),
        ("GET", "/anything", False),
        ("GET", "//healthz", False),
    ],
)
def test_what_is_open(method: str, path: str, open_: bool) -> None:
    assert is_open(method, path) is open_


@pytest.mark.parametrize(
    ("method", "path", "viewer_may"),
    [
        ("GET", "/api/v1/cameras", True),
        ("GET", "/api/v1/cameras/users/tracks", True),
        ("OPTIONS", "/api/v1/cameras", True),
        ("POST", "/api/v1/cameras", False),
        ("DELETE", "/api/v1/cameras/gate", False),
        ("GET", "/api/v1/users", False),
        ("GET", "/api/v1/users/", False),
        ("GET", "/api/v1/tokens", False),
        ("GET", "/api/v1/audit", False),
        ("PATCH", "/api/v1/users/anna", True),
        ("PATCH", "/api/v1/users/bert", False),
        ("DELETE", "/api/v1/users/anna", False),
        ("PURGE", "/api/v1/cameras", False),
    ],
)
def test_what_a_viewer_may(method: str, path: str, viewer_may: bool) -> None:
    assert may(caller(UserRole.VIEWER), method, path) is viewer_may
    assert may(caller(UserRole.ADMIN), method, path)


def test_a_token_stands_in_the_address_of_streams_only() -> None:
    for name in ("stream.mjpeg", "snapshot.jpg", "tracks"):
        assert takes_token_in_query("GET", f"/api/v1/cameras/gate/{name}")
        assert not takes_token_in_query("POST", f"/api/v1/cameras/gate/{name}")
    for path in ("/api/v1/cameras", "/api/v1/cameras/gate", "/api/v1/cameras/gate/tracks/x", "/api/v1/users"):
        assert not takes_token_in_query("GET", path)


def _origin(
    headers: dict[str, str], trusted: str = "", client: str = "192.0.2.7", scheme: str = "http"
) -> Origin:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return origin_of({"type": "http", "headers": raw, "client": (client, 5), "scheme": scheme}, trusted)


@pytest.mark.parametrize(
    ("headers", "foreign", "is_known"),
    [
        ({}, None, False),
        ({"origin": "http://cam.example:8080"}, None, True),
        ({"origin": "https://cam.example:8080"}, None, True),
        ({"origin": "http://CAM.example:8080"}, None, True),
        ({"origin": "http://cam.example"}, "http://cam.example", True),
        ({"origin": "http://evil.example:8080"}, "http://evil.example:8080", True),
        ({"origin": "http://cam.example:8080@evil.example"}, "http://cam.example:8080@evil.example", True),
        ({"origin": "null"}, "null", True),
        ({"origin": "file://"}, "file://", True),
        ({"origin": "http://[::1"}, "http://[::1", True),
        ({"referer": "http://cam.example:8080/page?x"}, None, True),
        ({"referer": "http://evil.example/cam.example:8080"}, "http://evil.example/cam.example:8080", True),
        ({"sec-fetch-site": "same-origin"}, None, True),
        ({"sec-fetch-site": "none"}, None, True),
        ({"sec-fetch-site": "same-site"}, "same-site", True),
        (
            {"sec-fetch-site": "cross-site", "origin": "http://cam.example:8080"},
            "http://cam.example:8080",
            True,
        ),
        ({"sec-fetch-site": "same-origin", "origin": "https://outside.example"}, None, True),
    ],
)
def test_the_page_that_sent_a_request(headers: dict[str, str], foreign: str | None, is_known: bool) -> None:
    origin = _origin({"host": "cam.example:8080", **headers})
    assert (origin.foreign, origin.is_known) == (foreign, is_known)


def test_standard_ports_may_be_left_out() -> None:
    for host, page in (("cam", "https://cam:443"), ("cam:443", "https://cam"), ("cam:80", "http://cam")):
        assert _origin({"host": host, "origin": page}).foreign is None


@pytest.mark.parametrize("trusted", ["", "10.0.0.0/8"])
def test_a_proxy_is_believed_only_where_it_is_named(trusted: str) -> None:
    headers = {
        "host": "inner:8080",
        "x-forwarded-for": "203.0.113.66, 198.51.100.4",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "cam.example",
        "origin": "https://cam.example",
    }
    origin = _origin(headers, trusted, client="10.1.2.3")
    if trusted:
        assert (origin.address, origin.is_https, origin.foreign) == ("198.51.100.4", True, None)
    else:
        assert (origin.address, origin.is_https, origin.foreign) == ("10.1.2.3", False, "https://cam.example")
    outside = _origin(headers, trusted, client="192.0.2.7")
    assert (outside.address, outside.is_https) == ("192.0.2.7", False)


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("POST", "/api/v1/cameras/gate", ("camera.add", "gate")),
        ("POST", "/api/v1/cameras", ("camera.add", "")),
        ("PATCH", "/api/v1/cameras/gate/lines/main", ("line.change", "gate/lines/main")),
        ("POST", "/api/v1/cameras/gate/lines", ("line.add", "gate/lines")),
        ("DELETE", "/api/v1/users/anna", ("user.remove", "anna")),
        ("DELETE", "/api/v1/tokens/12ab", ("token.remove", "12ab")),
    ],
)
def test_the_words_of_the_audit_log(method: str, path: str, said: tuple[str, str]) -> None:
    assert change_of(method, path) == said
