"""Serves the pictures of this process's cameras to other processes: WebSocket, `/<camera>`, by a key.

A camera that is not here (yet) makes its reader wait: leases are known before the first picture comes,
and a reader whose camera has moved leaves by itself, because it follows the lease and not this server.
"""

import asyncio
import hmac
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from services.common.addresses import host_and_port
from services.common.video import LocalVideoReader, VideoHub
from services.common.video_wire import (
    MESSAGE_LIMIT_BYTES,
    SOCKET_BUFFER_BYTES,
    authorization,
    encode_unit,
)
from services.core.errors import BadInputError
from services.core.lines import ID_PATTERN
from services.core.types import CameraId

log = logging.getLogger(__name__)

SEND_TIMEOUT_S = 10.0
"""A reader that takes nothing for this long is cut off; it may come back."""

PING_S = 5.0
CLOSE_TIMEOUT_S = 0.5
REQUEST_LIMIT_BYTES = 1024
"""Readers have nothing to say."""

_library_log = logging.getLogger(f"{__name__}.websockets")
_library_log.setLevel(logging.WARNING)
"""At its lowest level the library would log the headers, and the key with them."""


class VideoServer:
    """Sends each reader what its bounded queue holds; a slow one delays nobody."""

    def __init__(self, hub: VideoHub, key: str) -> None:
        if not key:
            raise BadInputError("the video server needs a key")
        self._hub = hub
        self._authorization = authorization(key).encode()
        self._readers: set[LocalVideoReader] = set()
        self._dropped = 0
        self.cut_off = 0
        """Readers that took nothing for too long."""

    @property
    def readers(self) -> int:
        """Readers that are connected now."""
        return len(self._readers)

    @property
    def dropped(self) -> int:
        """Pictures that readers lost because they were too slow, or that were too large to be sent."""
        return self._dropped + sum(reader.dropped for reader in self._readers)

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[int]:
        """Serve until the context ends; gives the port, which the system chooses for 0.

        BadInputError when nobody can listen there.
        """
        try:
            server = await serve(
                self._serve_reader,
                host,
                port,
                process_request=self._refuse,
                compression=None,
                server_header=None,
                ping_interval=PING_S,
                ping_timeout=PING_S,
                close_timeout=CLOSE_TIMEOUT_S,
                max_size=REQUEST_LIMIT_BYTES,
                logger=_library_log,
            )
        except OSError as error:
            where = host_and_port(host, port)
            raise BadInputError(f"video cannot be served at {where}: {error.strerror or error}") from None
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await server.wait_closed()

    def _refuse(self, connection: ServerConnection, request: Request) -> Response | None:
        """Give the answer to a request that may not be served."""
        given = request.headers.get_all("Authorization")
        key = given[0].encode("utf-8", "surrogateescape") if len(given) == 1 else b""
        if not hmac.compare_digest(key, self._authorization):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "the key is wrong\n")
        if ID_PATTERN.fullmatch(request.path.removeprefix("/")) is None:
            return connection.respond(HTTPStatus.NOT_FOUND, "ask for /<camera>\n")
        return None

    async def _serve_reader(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        camera = CameraId(connection.request.path[1:])
        _bound_system_buffer(connection)
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        closed = asyncio.create_task(connection.wait_closed())
        closed.add_done_callback(lambda _: ready.set())

        def wake() -> None:
            with suppress(RuntimeError):  # the loop has ended, and the reader with it
                loop.call_soon_threadsafe(ready.set)

        with self._hub.reader(camera, wake) as reader:
            self._readers.add(reader)
            try:
                await self._send_pictures(connection, reader, ready, closed)
            except ConnectionClosed:
                log.debug("a reader of camera %s has left", camera)
            except TimeoutError:
                self.cut_off += 1
                log.warning("a reader of camera %s took nothing for %g s: cut off", camera, SEND_TIMEOUT_S)
                connection.transport.abort()
            finally:
                self._readers.discard(reader)
                self._dropped += reader.dropped
                closed.cancel()

    async def _send_pictures(
        self,
        connection: ServerConnection,
        reader: LocalVideoReader,
        ready: asyncio.Event,
        closed: asyncio.Task[None],
    ) -> None:
        """Send until the connection has closed; TimeoutError when the reader takes nothing."""
        while not closed.done():
            ready.clear()
            unit = reader.read(0)
            if unit is None:
                await ready.wait()
                continue
            message = encode_unit(unit)
            if len(message) > MESSAGE_LIMIT_BYTES:
                self._dropped += 1
                continue
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await connection.send(message)


def _bound_system_buffer(connection: ServerConnection) -> None:
    kernel_socket = connection.transport.get_extra_info("socket")
    kernel_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER_BYTES)
