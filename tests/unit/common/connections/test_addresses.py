"""Addresses of both protocols: what they mean, how they are written, and what answers at them."""

import asyncio
import errno
import socket
from contextlib import suppress

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from services.common.connections import addresses
from services.common.connections.addresses import (
    address_to_open,
    host_and_port,
    is_every_address,
    is_loopback,
    loopback,
    plain_address,
)
from services.common.connections.listening import listen
from services.common.http.server import HttpServer
from services.common.video.hub import VideoHub
from services.core.errors import BadInputError
from services.ingest.video_server import VideoServer


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::FFFF:a00:1", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("", ""),
        ("a-host", "a-host"),
    ],
)
def test_an_address_of_ipv4_is_told_as_one(given: str, plain: str) -> None:
    assert plain_address(given) == plain


@pytest.mark.parametrize("host", ["::1", "[::1]", "127.0.0.1", "127.9.9.9", "::ffff:127.0.0.1", "LOCALHOST"])
def test_what_means_this_machine_alone(host: str) -> None:
    assert is_loopback(host) and not is_every_address(host)


@pytest.mark.parametrize(
    "host", ["::", "[::]", "0.0.0.0", "2001:db8::1", "fe80::1", "::ffff:10.0.0.1", "::2"]
)
def test_what_others_reach(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("host", "own", "text"),
    [
        ("127.0.0.1", None, "127.0.0.1:8080"),
        ("::1", None, "[::1]:8080"),
        ("[::1]", None, "[::1]:8080"),
        ("0.0.0.0", "192.168.1.5", "192.168.1.5:8080"),
        ("::", "2001:db8::5", "[2001:db8::5]:8080"),
        ("[::]", None, "localhost:8080"),
        ("sightline.example", None, "sightline.example:8080"),
    ],
)
def test_what_is_told_to_a_person_can_be_opened(host: str, own: str | None, text: str) -> None:
    assert address_to_open(host, 8080, lambda _: own) == text


def _answers(host: str, port: int) -> bool:
    with suppress(OSError):
        socket.create_connection((host, port), 2).close()
        return True
    return False


@pytest.mark.parametrize(
    ("host", "ipv4", "ipv6"),
    [
        ("::", True, True),
        ("[::]", True, True),
        ("::1", False, True),
        ("[::1]", False, True),
        ("0.0.0.0", True, False),
        ("127.0.0.1", True, False),
    ],
)
def test_at_which_addresses_a_port_answers(host: str, ipv4: bool, ipv6: bool) -> None:
    with listen(host, 0) as listening:
        port = listening.getsockname()[1]
        assert (_answers("127.0.0.1", port), _answers("::1", port)) == (ipv4, ipv6)


class _WithoutIpv6(socket.socket):
    """What sockets of a system without IPv6 are."""

    def __init__(self, family: int = socket.AF_INET) -> None:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        super().__init__(family)


def test_all_addresses_are_those_of_ipv4_where_there_is_no_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", _WithoutIpv6)
    with listen("::", 0) as listening:
        assert listening.family == socket.AF_INET
        assert listening.getsockname()[0] == "0.0.0.0"


class _WithoutIpv4(socket.socket):
    """What sockets of a machine are whose loopback has an address of IPv6 alone."""

    def bind(self, place: tuple[object, ...]) -> None:  # type: ignore[override]
        if self.family == socket.AF_INET:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        super().bind(place)


def test_a_machine_without_ipv4_reaches_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loopback() == "127.0.0.1"
    monkeypatch.setattr(addresses.socket, "socket", _WithoutIpv4)
    assert loopback() == "::1"
    both = [(family, 1, 6, "", (host, 0)) for family, host in ((2, "127.0.0.1"), (10, "::1"))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **named: both)
    with listen("localhost", 0) as listening:
        assert listening.getsockname()[0] == "::1"


def test_a_port_of_both_protocols_is_in_use_once() -> None:
    with listen("::", 0) as taken, pytest.raises(BadInputError, match="it is in use"):
        listen("::", taken.getsockname()[1])


async def _who(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["client"][0].encode()})


async def test_a_client_of_a_port_of_both_is_known_by_its_own_address() -> None:
    server = HttpServer(_who)
    with listen("::", 0) as listening:
        port = listening.getsockname()[1]
        task = asyncio.create_task(server.run_until_cancelled(listening))
        async with httpx.AsyncClient(trust_env=False) as client:
            found = [(await client.get(f"http://{host}:{port}/")).text for host in ("127.0.0.1", "[::1]")]
        task.cancel()
        await asyncio.wait([task])
    assert found == ["127.0.0.1", "::1"]


@pytest.mark.parametrize(("host", "reached"), [("::", ("127.0.0.1", "::1")), ("[::1]", ("::1",))])
async def test_video_is_served_at_both(host: str, reached: tuple[str, ...]) -> None:
    server = VideoServer(VideoHub(), "key")
    async with server.listening(host, 0) as port, httpx.AsyncClient(trust_env=False) as client:
        for address in reached:
            assert (await client.get(f"http://{host_and_port(address, port)}/gate")).status_code == 401
