"""Bytes as strangers send them to a port: damaged requests, and what comes back."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

from hypothesis import strategies as st

ANSWER_S = 0.15
"""How long a damaged request may wait for its answer before its sender leaves; a good one waits longer."""

GOOD_ANSWER_S = 10.0

_PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"\r\n",
            b"\n",
            b"\r\n\r\n",
            b"\x00",
            b"\xff" * 8,
            b"%00%ff%",
            b"A" * 20_000,
            b"/" * 300,
            b"Content-Length: 99999999999999999999\r\n",
            b"Content-Length: -1\r\n",
            b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            b"Authorization: Basic \xff\xfe\r\n",
            b"Authorization: Basic Og==\r\n",
            b"Authorization: Bearer \r\nAuthorization: Basic YTpi\r\n",
            b"X-Forwarded-For: " + b"1," * 5000 + b"\r\n",
            b"Range: bytes=0-99999999999\r\n",
            b"CSeq: 99999999999999999999\r\n",
            b"Upgrade: websocket\r\n",
        ]
    ),
)


def damaged(*whole: bytes) -> st.SearchStrategy[bytes]:
    """Good requests with pieces put in and cut out, or none of them at all."""

    @st.composite
    def one(draw: st.DrawFn) -> bytes:
        data = draw(st.sampled_from(whole))
        for _ in range(draw(st.integers(1, 3))):
            at, cut = draw(st.integers(0, len(data))), draw(st.sampled_from([0, 0, 0, 1, 5, 40]))
            data = data[:at] + draw(_PIECES) + data[at + cut :]
        return data

    return st.one_of(one(), one(), one(), st.binary(max_size=2000))


def send(port: int, data: bytes, wait_s: float = ANSWER_S) -> bytes:
    """Send bytes, and give the beginning of the answer; nothing where none comes in time."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=GOOD_ANSWER_S) as client:
        with suppress(ConnectionError):
            client.sendall(data)
        client.settimeout(wait_s)
        with suppress(OSError):
            while len(answer) < 4096 and (part := client.recv(4096)):
                answer += part
                client.settimeout(min(wait_s, 0.02))
    return answer


def is_our_error(answer: bytes) -> bool:
    """Tell whether an answer says that something went wrong within the service."""
    return b" 500 " in answer.partition(b"\r\n")[0]


@contextmanager
def in_thread(serve: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """Run a service on an event loop of its own, for the length of a test."""
    loop, failed = asyncio.new_event_loop(), []

    async def run() -> None:
        try:
            await serve()
        except Exception as error:
            failed.append(error)
            raise

    def work() -> None:
        asyncio.set_event_loop(loop)
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()

    task = loop.create_task(run())
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(20)
        assert not thread.is_alive() and not failed
