"""The server of all services: it ends in bounded time and holds nobody's connection for nothing."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from services.common.connections.listening import listen
from services.common.connections.places import Place
from services.common.http.bounds import HttpLimits
from services.common.http.server import HttpServer


async def _endless(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with one byte, and then with nothing, without end."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x", "more_body": True})
    await asyncio.Event().wait()


async def _reading(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without end for as long as the client is there."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


async def _serve(server: HttpServer) -> "tuple[asyncio.Task[None], int]":
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    return asyncio.create_task(server.run_until_cancelled(listening)), port


async def test_it_ends_in_bounded_time_though_an_answer_does_not() -> None:
    task, port = await _serve(HttpServer(_endless))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    assert (await asyncio.wait_for(reader.readuntil(b"x"), 5)).endswith(b"\r\n\r\nx")
    task.cancel()
    begun_s = time.monotonic()
    await asyncio.wait([task], timeout=10)
    assert task.cancelled()
    assert time.monotonic() - begun_s < 4
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 2) == b""
    writer.close()


async def test_a_fault_at_one_connection_does_not_end_the_accepting_of_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("services.common.tasks.RESTART_S", 0.01)
    server, failures = HttpServer(PlainTextResponse("ok")), iter([True])
    take = server._places.take

    def take_once_broken(*given: Any) -> Place | None:
        if next(failures, False):
            raise RuntimeError("nobody foresaw this")
        return take(*given)

    monkeypatch.setattr(server._places, "take", take_once_broken)
    task, port = await _serve(server)
    for answer in (b"", b"ok"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert (await asyncio.wait_for(reader.read(), 5)).endswith(answer)
        writer.close()
    assert f"accepting at port {port} failed and starts again" in caplog.text
    task.cancel()
    await asyncio.wait([task], timeout=10)


async def test_what_is_no_request_is_answered_with_the_headers_of_the_port() -> None:
    task, port = await _serve(HttpServer(PlainTextResponse("ok")))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"NONSENSE\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"cross-origin-resource-policy: same-site" in answer.lower()
    writer.close()
    task.cancel()
    await asyncio.wait([task], timeout=10)


async def test_who_connects_and_asks_for_nothing_is_cut_off() -> None:
    task, port = await _serve(HttpServer(_endless, limits=HttpLimits(head_s=0.3)))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HT")
    begun_s = time.monotonic()
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    assert 0.2 < time.monotonic() - begun_s < 3
    writer.close()
    task.cancel()
    await asyncio.wait([task], timeout=5)


async def test_a_connection_is_kept_for_longer_than_proxies_and_clients_keep_theirs() -> None:
    task, port = await _serve(HttpServer(PlainTextResponse("here")))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for idle_s in (5.5, 0):
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        assert (await asyncio.wait_for(reader.readuntil(b"here"), 5)).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(idle_s)
    task.cancel()
    assert await asyncio.wait_for(reader.read(), 3) == b""
    await asyncio.wait([task], timeout=5)
    writer.close()


async def test_it_can_be_stopped_without_being_cancelled() -> None:
    ended: list[bool] = []
    server = HttpServer(_endless, end_streams=lambda: ended.append(True))
    task, _ = await _serve(server)
    while not server.started:
        await asyncio.sleep(0.01)
    server.stop()
    await asyncio.wait_for(task, 3)
    assert ended


async def _flood(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with more than any system keeps, part after part."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(400):
        await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate that nobody trusts."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=here -days 1"
    subprocess.run([*command.split(), "-out", certificate, "-keyout", key], check=True, capture_output=True)
    return certificate, key


@pytest.mark.parametrize("is_tls", [False, True])
async def test_a_reader_that_takes_nothing_is_cut_off_and_one_that_is_slow_or_idle_is_not(
    is_tls: bool, tmp_path: Path
) -> None:
    tls = dict(zip(("tls_cert", "tls_key"), _certificate(tmp_path), strict=True)) if is_tls else {}
    server = HttpServer(_flood, stall_timeout_s=0.8, **tls)
    task, port = await _serve(server)
    context = ssl._create_unverified_context() if is_tls else None
    clients = [await asyncio.open_connection("127.0.0.1", port, ssl=context) for _ in range(3)]
    for _, writer in clients[:2]:
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    (slow, _), (_, stalled), (idle, idle_writer) = clients
    stalled.transport.pause_reading()
    taken = 0
    async with asyncio.timeout(20):
        while chunk := await slow.read(2_000_000):
            taken += len(chunk)
            await asyncio.sleep(0.02)
            if chunk.endswith(b"0\r\n\r\n"):
                break
        while not server.stalled:
            await asyncio.sleep(0.05)
    assert (taken > 400 * 100_000, server.stalled) == (True, 1)
    idle_writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    assert (await asyncio.wait_for(idle.readline(), 5)).startswith(b"HTTP/1.1 200")
    for _, writer in clients:
        writer.transport.abort()
    task.cancel()
    await asyncio.wait([task], timeout=10)


async def test_a_short_answer_is_not_held_back_until_the_client_acknowledges_its_head() -> None:
    with listen("127.0.0.1", 0) as listening:
        async with asyncio.timeout(5):
            accepting = asyncio.to_thread(listening.accept)
            _, writer = await asyncio.open_connection("127.0.0.1", listening.getsockname()[1])
            accepted, _ = await accepting
    with accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    writer.close()


async def test_answers_that_are_broken_off_for_their_requests_body_are_told_once(caplog) -> None:
    task, port = await _serve(HttpServer(_reading, limits=HttpLimits(body_bytes=10)))
    for _ in range(3):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        await asyncio.wait_for(reader.readuntil(b"x"), 5)
        writer.write(b"14\r\n" + b"y" * 20 + b"\r\n")
        with contextlib.suppress(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 5)
        writer.close()
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert len([message for message in caplog.messages if "without completing" in message]) == 1
