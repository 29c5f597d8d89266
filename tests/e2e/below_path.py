"""A reverse proxy that shows a service below a path, as people's own proxies do: it takes the path off."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

MOST_HEAD = 65_536


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, asyncio.CancelledError):
        pass
    finally:
        writer.close()


def _without_path(head: bytes, path: str) -> bytes | None:
    """Take the path off the first line; a connection serves one request, but for what is upgraded."""
    first, _, rest = head.partition(b"\r\n")
    method, target, version = first.decode("latin-1").split(" ", 2)
    if target != path and not target.startswith(f"{path}/"):
        return None
    lines = [line for line in rest.split(b"\r\n") if line]
    if not any(line.lower().startswith(b"upgrade:") for line in lines):
        lines = [line for line in lines if not line.lower().startswith(b"connection:")]
        lines.append(b"Connection: close")
    start = f"{method} {target[len(path) :] or '/'} {version}".encode("latin-1")
    return b"\r\n".join([start, *lines, b"", b""])


@contextmanager
def below_path(url: str, path: str) -> Iterator[str]:
    """Serve a service at another port, below a path; gives the address."""
    to = urlsplit(url)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = _without_path(await reader.readuntil(b"\r\n\r\n"), path)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            writer.close()
            return
        if head is None:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            writer.close()
            return
        up_reader, up_writer = await asyncio.open_connection(to.hostname, to.port, limit=MOST_HEAD)
        up_writer.write(head)
        await asyncio.gather(_pipe(reader, up_writer), _pipe(up_reader, writer))

    async def stop() -> None:
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    starting = asyncio.start_server(on_connection, "127.0.0.1", 0)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result(10)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{path}/"
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
