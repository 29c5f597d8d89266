"""A real server attacked by raw sockets: it stays small, answers others, and comes back."""

import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.processes import REPOSITORY, wait_until

MEGABYTE = 1_000_000
GET = b"GET %s HTTP/1.1\r\nHost: here\r\n\r\n"
HEALTH = GET % b"/healthz"


@dataclass
class Server:
    """The attacked process."""

    port: int
    process: "subprocess.Popen[str]"
    log: Path

    def connect(self, source: str = "127.0.0.1", timeout_s: float = 10) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout_s, (source, 0))

    def ask(self, request: bytes = HEALTH, source: str = "127.0.0.1") -> bytes:
        """The beginning of the answer to a request on a connection of its own; empty where there is none."""
        with self.connect(source) as client:
            return answer(client, request)

    def memory_bytes(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def tell(self) -> None:
        """Have it use up all descriptors, or let go of them."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


@contextmanager
def server(folder: Path, **options: object) -> Iterator[Server]:
    log = folder / "server.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bounded_server", json.dumps(options)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        assert process.stdout is not None
        yield Server(int(process.stdout.readline()), process, log)
    finally:
        process.communicate(timeout=20)


Shared = Callable[..., Server]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """Servers that are started once for all tests that want the same bounds."""
    with ExitStack() as stack:
        known: dict[str, Server] = {}

        def find(**options: object) -> Server:
            key = json.dumps(options, sort_keys=True)
            if key not in known:
                known[key] = stack.enter_context(server(tmp_path_factory.mktemp("server"), **options))
            return known[key]

        yield find


def answer(client: socket.socket, request: bytes) -> bytes:
    """The answer to a request, of an endless one its head; empty where the connection is ended."""
    got = b""
    try:
        client.sendall(request)
        while not is_whole(got):
            part = client.recv(65_536)
            if not part:
                return got
            got += part
    except OSError:
        return got
    return got


def is_whole(got: bytes) -> bool:
    head, end, body = got.partition(b"\r\n\r\n")
    length = next((line[16:] for line in head.split(b"\r\n") if line.startswith(b"content-length: ")), b"0")
    return bool(end) and len(body) >= int(length)


def is_ended(client: socket.socket, within_s: float) -> bool:
    """Whether the server ends a connection, after what it has still sent."""
    client.settimeout(within_s)
    try:
        while client.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def head(path: bytes, *lines: bytes) -> bytes:
    return b"\r\n".join((b"POST %s HTTP/1.1" % path, b"Host: here", *lines, b"", b""))


@pytest.mark.parametrize("form", ["told", "chunked"])
@pytest.mark.parametrize("path", [b"/take", b"/refuse", b"/api/v1/session"])
def test_half_a_gigabyte_is_refused_and_kept_nowhere(shared: Shared, path: bytes, form: str) -> None:
    part = bytes(MEGABYTE)
    running = shared()
    running.ask()
    before = highest = running.memory_bytes()
    with running.connect() as client:
        told = b"Content-Length: 500000000" if form == "told" else b"Transfer-Encoding: chunked"
        client.sendall(head(path, told))
        try:
            for _ in range(500):
                framed = part if form == "told" else b"%x\r\n" % MEGABYTE + part + b"\r\n"
                client.sendall(framed)
                highest = max(highest, running.memory_bytes())
        except OSError:
            pass
        if not (form == "chunked" and path == b"/refuse"):
            client.settimeout(5)
            assert client.recv(65_536).startswith(b"HTTP/1.1 413 ")
    assert highest - before < 50 * MEGABYTE
    assert running.ask().startswith(b"HTTP/1.1 200")


def test_the_refusal_is_a_problem_and_tells_the_limit(shared: Shared) -> None:
    running = shared()
    for path, limit in ((b"/api/v1/session", 65_536), (b"/take", MEGABYTE)):
        fitting = head(path, b"Content-Length: %d" % limit) + bytes(limit)
        assert running.ask(fitting).startswith(b"HTTP/1.1 200")
        refused = running.ask(head(path, b"Content-Length: %d" % (limit + 1)))
        assert refused.startswith(b"HTTP/1.1 413 ")
        assert b"application/problem+json" in refused and b"at most %d bytes" % limit in refused


def test_many_bodies_at_once_are_bounded_together(shared: Shared) -> None:
    running = shared()
    with ExitStack() as stack:
        running.ask()
        before = running.memory_bytes()
        for number in range(100):
            client = stack.enter_context(closing(running.connect(f"127.0.0.{2 + number % 9}")))
            client.sendall(head(b"/take", b"Content-Length: %d" % MEGABYTE))
            try:
                client.sendall(bytes(900_000))
            except OSError:
                continue
        time.sleep(0.5)
        assert running.memory_bytes() - before < 50 * MEGABYTE
        refused = running.ask(head(b"/take", b"Content-Length: %d" % MEGABYTE) + bytes(MEGABYTE))
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert running.ask().startswith(b"HTTP/1.1 200")


def drip(client: socket.socket, data: bytes, pause_s: float) -> bytes:
    """What comes back while a request is sent byte by byte."""
    client.settimeout(pause_s)
    for byte in data:
        try:
            client.sendall(bytes([byte]))
            got = client.recv(65_536)
        except TimeoutError:
            continue
        except OSError:
            return b""
        return got
    raise AssertionError("it was taken to the end")


@pytest.mark.parametrize("path", [b"/take", b"/api/v1/session"])
def test_a_body_that_comes_byte_by_byte_ends_with_408(shared: Shared, path: bytes) -> None:
    running = shared(limits={"body_s": 0.5})
    with running.connect() as client:
        client.sendall(head(path, b"Content-Length: 1000"))
        begun_s = time.monotonic()
        assert drip(client, bytes(1000), 0.05).startswith(b"HTTP/1.1 408 ")
        assert is_ended(client, 5)
        assert time.monotonic() - begun_s < 10


def test_a_body_that_nobody_reads_has_its_deadline_too(shared: Shared) -> None:
    running = shared(limits={"body_s": 0.5})
    with running.connect() as client:
        assert answer(client, head(b"/refuse", b"Content-Length: 1000")).startswith(b"HTTP/1.1 401")
        assert drip(client, bytes(1000), 0.05) == b""


@pytest.mark.parametrize("answered_before", [0, 1, 3])
@pytest.mark.parametrize("begun", [b"GE", b"GET /healthz HTTP/1.1\r\nHost: he"])
def test_a_request_that_is_begun_and_not_ended_is_cut(
    shared: Shared, answered_before: int, begun: bytes
) -> None:
    running = shared(limits={"head_s": 0.5})
    with running.connect() as client:
        for _ in range(answered_before):
            assert answer(client, HEALTH).startswith(b"HTTP/1.1 200")
        client.sendall(begun)
        assert is_ended(client, 5)


def test_a_begun_request_behind_a_whole_one_is_cut(shared: Shared) -> None:
    running = shared(limits={"head_s": 0.5})
    with running.connect() as client:
        assert answer(client, HEALTH + b"GET /heal").startswith(b"HTTP/1.1 200")
        assert is_ended(client, 5)


def test_a_head_that_comes_byte_by_byte_is_cut_and_an_idle_connection_kept(shared: Shared) -> None:
    running = shared(limits={"head_s": 0.5})
    with running.connect() as idle:
        assert answer(idle, HEALTH).startswith(b"HTTP/1.1 200")
        with running.connect() as client:
            answer(client, HEALTH)
            assert drip(client, HEALTH * 20, 0.05) == b""
        assert answer(idle, HEALTH).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("line", [b"X: " + b"y" * 200_000, b"X: y\r\n" * 20_000])
def test_a_head_without_end_is_refused(shared: Shared, line: bytes) -> None:
    running = shared()
    with running.connect() as client:
        got = answer(client, b"GET / HTTP/1.1\r\nHost: here\r\n" + line)
        assert got[:12] in (b"HTTP/1.1 400", b"")
        assert is_ended(client, 5)


def test_whoever_sends_requests_without_waiting_is_cut(shared: Shared) -> None:
    running = shared()
    with running.connect() as client:
        client.sendall(GET % b"/endless")
        try:
            for _ in range(200):
                client.sendall(HEALTH * 1000)
        except OSError:
            pass
        assert is_ended(client, 5)


def test_some_requests_sent_at_once_are_answered_one_by_one(shared: Shared) -> None:
    running = shared()
    with running.connect() as client:
        got = answer(client, HEALTH * 20)
        client.settimeout(5)
        while got.count(b"HTTP/1.1 200") < 20:
            got += client.recv(65_536)


def test_idle_strangers_keep_nobody_out(tmp_path: Path) -> None:
    limits = {"connections": 20, "client_connections": 10}
    with server(tmp_path, limits=limits) as running, ExitStack() as stack:
        for number in range(100):
            stack.enter_context(closing(running.connect(f"127.0.1.{number % 10}")))
        for source in ("127.0.0.1", "127.0.1.3"):
            assert running.ask(GET % b"/take", source).startswith(b"HTTP/1.1 200")
        assert len(psutil.Process(running.process.pid).net_connections()) < 45


def test_one_address_has_no_more_than_its_share_and_health_is_answered_beyond(tmp_path: Path) -> None:
    limits = {"connections": 20, "client_connections": 5}
    with server(tmp_path, limits=limits) as running, ExitStack() as stack:
        for _ in range(5):
            client = stack.enter_context(closing(running.connect()))
            assert answer(client, GET % b"/endless").startswith(b"HTTP/1.1 200")
        assert running.ask(GET % b"/take").startswith(b"HTTP/1.1 503 ")
        assert running.ask().startswith(b"HTTP/1.1 200")
        assert running.ask(GET % b"/take", "127.0.0.2").startswith(b"HTTP/1.1 200")


def test_health_is_answered_though_every_place_is_taken(tmp_path: Path) -> None:
    limits = {"connections": 10, "client_connections": 5, "reserve": 4}
    with server(tmp_path, limits=limits) as running, ExitStack() as stack:
        for number in range(10):
            client = stack.enter_context(closing(running.connect(f"127.0.0.{2 + number % 2}")))
            assert answer(client, GET % b"/endless").startswith(b"HTTP/1.1 200")
        for _ in range(30):
            stack.enter_context(closing(running.connect("127.0.0.9")))
        refused = running.ask(GET % b"/take", "127.0.0.9")
        assert refused.startswith(b"HTTP/1.1 503 ") and b"application/problem+json" in refused
        assert running.ask().startswith(b"HTTP/1.1 200")


def test_behind_the_proxy_the_told_address_has_its_share(tmp_path: Path) -> None:
    def through(client: bytes, path: bytes) -> bytes:
        return b"GET %s HTTP/1.1\r\nHost: here\r\nX-Forwarded-For: %s\r\n\r\n" % (path, client)

    limits = {"connections": 30, "client_connections": 5}
    with server(tmp_path, limits=limits, proxy="127.0.0.7") as running, ExitStack() as stack:
        for _ in range(5):
            client = stack.enter_context(closing(running.connect("127.0.0.7")))
            assert answer(client, through(b"192.0.2.1", b"/endless")).startswith(b"HTTP/1.1 200")
        refused = running.ask(through(b"192.0.2.1", b"/take"), "127.0.0.7")
        assert refused.startswith(b"HTTP/1.1 429 ") and b"application/problem+json" in refused
        assert running.ask(through(b"192.0.2.2", b"/take"), "127.0.0.7").startswith(b"HTTP/1.1 200")
        assert running.ask(through(b"192.0.2.1", b"/healthz"), "127.0.0.7").startswith(b"HTTP/1.1 200")


def test_used_up_descriptors_are_told_once_and_health_is_answered(tmp_path: Path) -> None:
    with server(tmp_path, descriptors=100) as running, ExitStack() as stack:
        assert running.ask(GET % b"/take").startswith(b"HTTP/1.1 200")
        running.tell()
        before_s = sum(psutil.Process(running.process.pid).cpu_times()[:2])
        for number in range(60):
            stack.enter_context(closing(running.connect(f"127.0.0.{2 + number % 9}")))
        time.sleep(3)
        assert running.ask().startswith(b"HTTP/1.1 200")
        used_s = sum(psutil.Process(running.process.pid).cpu_times()[:2]) - before_s
        assert used_s < 1.5
        lines = running.log.read_text().splitlines()
        assert len([line for line in lines if "no file descriptor is left" in line]) == 1
        assert len(lines) < 10
        running.tell()
        wait_until(lambda: running.ask(GET % b"/take").startswith(b"HTTP/1.1 200"), 10, "it answers again")


def test_more_connections_than_descriptors_do_not_use_them_up(tmp_path: Path) -> None:
    with server(tmp_path, descriptors=200) as running, ExitStack() as stack:
        for number in range(600):
            stack.enter_context(closing(running.connect(f"127.0.0.{2 + number % 200}")))
        assert running.ask(GET % b"/take").startswith(b"HTTP/1.1 200")
        assert running.ask().startswith(b"HTTP/1.1 200")
        assert running.log.read_text() == ""


def test_invalid_requests_are_told_once(tmp_path: Path) -> None:
    with server(tmp_path) as running:
        for _ in range(50):
            got = running.ask(b"\x16\x03\x01 nonsense\r\n\r\n")
            assert got.startswith(b"HTTP/1.1 400") and b"application/problem+json" in got
            running.ask(
                b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
            )
        assert len(running.log.read_text().splitlines()) <= 3


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A certificate of this machine's own making, as the server's options."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return {"tls_cert": str(cert), "tls_key": str(key)}


def secured(client: socket.socket) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(client)


@pytest.mark.parametrize("begun", [b"", b"\x16\x03\x01\x02\x00"])
def test_who_does_not_agree_on_tls_is_cut(shared: Shared, certificate: dict[str, str], begun: bytes) -> None:
    limits = {"handshake_s": 0.5}
    running = shared(limits=limits, **certificate)
    with running.connect() as client:
        client.sendall(begun)
        assert is_ended(client, 5)


def test_with_tls_idle_strangers_keep_nobody_out_and_bodies_are_bounded(
    tmp_path: Path, certificate: dict[str, str]
) -> None:
    limits = {"connections": 20, "client_connections": 10, "handshake_s": 60}
    with server(tmp_path, limits=limits, **certificate) as running, ExitStack() as stack:
        for number in range(100):
            stack.enter_context(closing(running.connect(f"127.0.1.{number % 10}")))
        with secured(running.connect()) as client:
            assert answer(client, HEALTH).startswith(b"HTTP/1.1 200")
            told = head(b"/take", b"Content-Length: 500000000")
            assert answer(client, told).startswith(b"HTTP/1.1 413 ")
        assert len(psutil.Process(running.process.pid).net_connections()) < 45


def test_a_body_of_very_many_parts_costs_little(shared: Shared) -> None:
    chunked = b"Transfer-Encoding: chunked"
    running = shared()
    assert running.ask(head(b"/take", chunked) + b"1\r\n \r\n" * 5000 + b"0\r\n\r\n").endswith(b"5000}")
    process = psutil.Process(running.process.pid)
    began = sum(process.cpu_times()[:2])
    with running.connect() as client:
        got = answer(client, head(b"/api/v1/session", chunked) + b"1\r\n \r\n" * 65_000)
    assert got == b"" or got.startswith(b"HTTP/1.1 400 ")
    assert sum(process.cpu_times()[:2]) - began < 0.15
    assert running.ask().startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("length", [b"5", b"300"])
def test_a_body_whose_length_is_told_in_two_ways_is_no_request(shared: Shared, length: bytes) -> None:
    """A proxy in front may believe the other one, and let a second request through unseen."""
    lines = b"Content-Length: " + length, b"Transfer-Encoding: chunked"
    running = shared()
    with running.connect() as client:
        client.sendall(head(b"/take", *lines) + b"0\r\n\r\n" + HEALTH)
        client.settimeout(5)
        got = b""
        while part := client.recv(65_536):
            got += part
    assert got.startswith(b"HTTP/1.1 400 ") and got.count(b"HTTP/1.1") == 1
