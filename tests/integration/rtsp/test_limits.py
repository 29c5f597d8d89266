"""What bounds the RTSP server: strangers keep nobody out, and cost little."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import psutil
import pytest

from services.common.rtsp.server import RtspLimits
from services.ingest.relay import RelayServer
from tests.makers import GATE
from tests.processes import REPOSITORY, wait_until
from tests.rtsp_clients import PaintedCamera, take, watching

pytestmark = pytest.mark.rtsp


@contextmanager
def relaying(hub, **limits: float) -> Iterator[RelayServer]:
    server = RelayServer(hub, "127.0.0.1", 0, limits=RtspLimits(**limits))
    server.start()
    try:
        server.set_cameras([GATE], GATE)
        yield server
    finally:
        server.stop()


def connect(relay: RelayServer, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", relay.port), 5, (source, 0))


def options(client: socket.socket) -> bytes:
    """The answer to a request that everybody may make; empty when the connection is closed."""
    try:
        client.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        return client.recv(1000)
    except ConnectionError:
        return b""


def figure(relay: RelayServer, name: str, cause: str = "") -> float:
    return next(
        figure.value
        for figure in relay.figures()
        if figure.name == f"sightline_{name}" and figure.labels.get("cause", "") == cause
    )


def is_ended(client: socket.socket, within_s: float) -> bool:
    client.settimeout(within_s)
    try:
        while client.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


IDLE = b"", b"DESCRIBE rtsp://127.0.0.1/ga", b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"
"""What strangers send who then wait: nothing, a part of a request, or a whole one."""


@pytest.mark.parametrize("addresses", [1, 40])
def test_idle_strangers_keep_nobody_out(hub, gate: PaintedCamera, addresses: int) -> None:
    wait_until(lambda: gate.sent, 5, "the camera sends")
    with relaying(hub) as relay, ExitStack() as stack:
        for number in range(150):
            client = stack.enter_context(closing(connect(relay, f"127.0.1.{1 + number % addresses}")))
            client.sendall(IDLE[number % len(IDLE)])
        with watching(f"rtsp://127.0.0.1:{relay.port}/gate") as frames:
            take(frames, 5)
            for number in range(150):
                stack.enter_context(closing(connect(relay, f"127.0.2.{1 + number % addresses}")))
            take(frames, 10)
        wait_until(lambda: figure(relay, "connections") <= 64, 5, "no more than the limit")
        assert figure(relay, "connections_cut_total", "gave_way") > 150


def test_whoever_watches_gives_way_to_nobody(hub, gate: PaintedCamera) -> None:
    wait_until(lambda: gate.sent, 5, "the camera sends")
    with relaying(hub, connections=2) as relay:
        url = f"rtsp://127.0.0.1:{relay.port}/gate"
        with watching(url) as first, watching(url) as second:
            take(first, 3)
            take(second, 3)
            with connect(relay) as third:
                assert options(third) == b""
            assert relay.refused == 1
            take(first, 10)
        wait_until(lambda: relay.watchers == 0, 5, "they are gone")
        with watching(url) as again:
            take(again, 3)


def test_one_address_has_no_more_than_its_share(hub, gate: PaintedCamera) -> None:
    wait_until(lambda: gate.sent, 5, "the camera sends")
    with (
        relaying(hub, client_connections=1) as relay,
        watching(f"rtsp://127.0.0.1:{relay.port}/gate") as frames,
    ):
        take(frames, 3)
        with connect(relay) as second, connect(relay, "127.0.0.9") as other:
            assert options(second) == b""
            assert options(other).startswith(b"RTSP/1.0 200")


def test_a_connection_that_watches_nothing_is_ended_and_a_watcher_goes_on(hub, gate: PaintedCamera) -> None:
    wait_until(lambda: gate.sent, 5, "the camera sends")
    with (
        relaying(hub, idle_s=0.5) as relay,
        watching(f"rtsp://127.0.0.1:{relay.port}/gate") as frames,
        ExitStack() as stack,
    ):
        strangers = [stack.enter_context(connect(relay)) for _ in IDLE]
        for stranger, begun in zip(strangers, IDLE, strict=True):
            stranger.sendall(begun)
        take(frames, 25)
        assert all(is_ended(stranger, 5) for stranger in strangers)
        take(frames, 10)
        assert figure(relay, "connections_cut_total", "idle") == len(IDLE)


def test_who_sets_up_and_never_plays_is_ended_though_it_goes_on_asking(hub, gate: PaintedCamera) -> None:
    wait_until(lambda: gate.sent, 5, "the camera sends")
    with relaying(hub, idle_s=2.0) as relay, connect(relay) as client:
        base = f"rtsp://127.0.0.1:{relay.port}/gate"

        def request(method: str, path: str = "", *lines: str) -> str:
            head = "\r\n".join((f"{method} {base}{path} RTSP/1.0", "CSeq: 1", *lines))
            client.sendall(f"{head}\r\n\r\n".encode())
            return client.recv(10_000).decode(errors="replace")

        assert " 200 " in request("DESCRIBE")
        answer = request("SETUP", "/stream=0", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        session = next(line for line in answer.splitlines() if line.startswith("Session:"))
        end_s = time.monotonic() + 15
        try:
            while request("GET_PARAMETER", "", session.partition(";")[0]):
                assert time.monotonic() < end_s
                time.sleep(0.2)
        except OSError:
            pass
        wait_until(lambda: relay.feeds == 0, 5, "nothing runs for it")


@pytest.mark.parametrize(
    "transport", ["RTP/AVP/TCP;unicast;interleaved=0-1", "RTP/AVP;unicast;client_port=49000-49001"]
)
def test_one_connection_sets_up_a_few_streams_and_no_more(hub, gate: PaintedCamera, transport: str) -> None:
    wait_until(lambda: gate.sent, 5, "the camera sends")
    process = psutil.Process()
    with relaying(hub) as relay, connect(relay) as client:
        threads, descriptors = process.num_threads(), process.num_fds()
        answers = []
        for number in range(40):
            client.sendall(
                f"SETUP rtsp://127.0.0.1:{relay.port}/gate/stream=0 RTSP/1.0\r\nCSeq: {number}\r\n"
                f"Transport: {transport}\r\n\r\n".encode()
            )
            answers.append(client.recv(10_000).decode().split()[1])
        assert set(answers[:3]) == {"200"} and set(answers[3:]) == {"453"}
        assert process.num_threads() - threads < 40
        assert process.num_fds() - descriptors < 60


def test_a_request_without_end_costs_little(hub) -> None:
    with relaying(hub) as relay, connect(relay) as client:
        before = psutil.Process().memory_info().rss
        client.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n")
        end_s = time.monotonic() + 15
        with pytest.raises(OSError, match=r"reset|Broken|timed out"):
            while time.monotonic() < end_s:
                client.sendall(b"X: " + b"y" * 1000 + b"\r\n")
        assert time.monotonic() < end_s
        assert psutil.Process().memory_info().rss - before < 50_000_000
        assert figure(relay, "connections_cut_total", "head") == 1


EXHAUSTED = """
import logging, os, sys, time
from services.common.rtsp.server import RtspServer
logging.basicConfig(level="INFO", format="%(message)s")
server = RtspServer("127.0.0.1", 0, None, [])
print(server.port, flush=True)
held = []
for line in sys.stdin:
    if held:
        while held:
            os.close(held.pop())
    else:
        try:
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            pass
    print(time.process_time(), flush=True)
server.stop()
"""


def is_answered(address: tuple[str, int]) -> bool:
    with socket.create_connection(address, 5) as client:
        return options(client).startswith(b"RTSP/1.0 200")


def test_used_up_descriptors_are_told_once_and_cost_no_processor_time(rtsp_python: str) -> None:
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"ulimit -n 100; exec {sys.executable} -c '{EXHAUSTED}'"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None

    def tell() -> float:
        process.stdin.write("\n")
        process.stdin.flush()
        return float(process.stdout.readline())

    try:
        address = "127.0.0.1", int(process.stdout.readline())
        wait_until(lambda: is_answered(address), 10, "it answers")
        used_s = tell()
        waiting = [socket.create_connection(address, 5) for _ in range(20)]
        time.sleep(3)
        used_s = tell() - used_s
        assert used_s < 1.0
        wait_until(lambda: is_answered(address), 10, "it answers again")
        for client in waiting:
            client.close()
    finally:
        _, errors = process.communicate(timeout=20)
    assert errors.count("no file descriptor is left") == 1
    assert len(errors.splitlines()) < 5
