"""User and password of a request, as HTTP and RTSP send them."""

import base64

import pytest

from services.common.access.credentials import authorization, basic_credentials


def header(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (header("ann:secret"), ("ann", "secret")),
        (header("ann:se:cr:et").replace("Basic", "basic"), ("ann", "se:cr:et")),
        (header("änn:schlüssel"), ("änn", "schlüssel")),
        (header(":token"), ("", "token")),
        (header("nobody"), None),
        ("Basic ?", None),
        ("Basic /w==", None),
        ("Digest abc", None),
        ("", None),
    ],
)
def test_credentials_of_a_request(given: str, expected: tuple[str, str] | None) -> None:
    scheme, value = authorization([given])
    assert (basic_credentials(value) if scheme == "basic" else None) == expected


def test_two_headers_say_nothing() -> None:
    assert authorization([header("ann:secret"), header("bob:secret")]) == ("", "")
    assert authorization([]) == ("", "")
