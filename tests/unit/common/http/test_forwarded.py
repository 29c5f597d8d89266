"""The client's address behind proxies, whoever says what in front of them."""

import pytest
from starlette.datastructures import Headers

from services.common.http.forwarded import trusted_proxies

PROXY, CLIENT = "10.1.2.3", "198.51.100.4"


def _address(lines: list[str], trusted: str, peer: str = PROXY) -> str:
    headers = Headers(raw=[(b"x-forwarded-for", line.encode()) for line in lines])
    return trusted_proxies(trusted).client_address(headers, peer)


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ([], PROXY),
        ([""], PROXY),
        ([CLIENT], CLIENT),
        (["203.0.113.66", CLIENT], CLIENT),
        (["203.0.113.66, 203.0.113.67", f"203.0.113.68, {CLIENT}"], CLIENT),
        ([f"203.0.113.66, {CLIENT}, 10.1.2.4"], CLIENT),
        ([f"203.0.113.66, {CLIENT}", "10.1.2.4", "10.1.2.5"], CLIENT),
        ([f"{CLIENT}:5000"], CLIENT),
        (["[2001:db8::7]:5000"], "2001:db8::7"),
        (["2001:db8::7"], "2001:db8::7"),
        ([f"{CLIENT}, unknown"], PROXY),
        ([f"{CLIENT}, "], PROXY),
        ([f"{CLIENT}, unknown, 10.1.2.4"], "10.1.2.4"),
        (["10.1.2.5, 10.1.2.4"], "10.1.2.5"),
        ([", ".join([CLIENT] + ["10.1.2.4"] * 5000)], "10.1.2.4"),
    ],
)
def test_the_last_that_is_no_trusted_proxy_is_taken(lines: list[str], address: str) -> None:
    assert _address(lines, "10.1.2.0/24") == address


def test_who_is_not_named_is_not_believed() -> None:
    for trusted in ("", "10.1.3.0/24", "192.0.2.1, 2001:db8::/32"):
        assert _address([CLIENT], trusted) == PROXY
    assert _address([CLIENT], "192.0.2.1, 10.1.2.3") == CLIENT
    assert _address([CLIENT], "10.1.2.0/24", peer="::ffff:10.1.2.3") == CLIENT
    assert _address([CLIENT], "10.1.2.0/24", peer="") == ""


def test_whoever_connects_is_believed_one_hop_far() -> None:
    assert _address(["203.0.113.66", CLIENT], "direct", peer="192.0.2.200") == CLIENT
    assert _address(["203.0.113.66, 10.9.9.9"], "direct") == "10.9.9.9"
    assert _address([f"203.0.113.66, {CLIENT}, 10.9.9.9"], "direct, 10.9.9.0/24") == CLIENT


def test_of_several_words_the_nearest_proxy_has_the_last() -> None:
    headers = Headers(raw=[(b"x-forwarded-proto", b"http"), (b"x-forwarded-proto", b"http, https")])
    assert trusted_proxies(PROXY).last_word(headers, "x-forwarded-proto", PROXY) == "https"
    assert trusted_proxies("").last_word(headers, "x-forwarded-proto", PROXY) is None
    assert trusted_proxies(PROXY).last_word(Headers(), "x-forwarded-proto", PROXY) is None


@pytest.mark.parametrize("text", ["10.0.0.0/33", "proxy.example", "10.1.2.3 10.1.2.4", "direct/8"])
def test_settings_that_name_nobody(text: str) -> None:
    with pytest.raises(ValueError, match="give addresses or networks"):
        trusted_proxies(text)
