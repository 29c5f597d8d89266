"""Serves the pictures of this process's cameras to other processes: WebSocket, `/<camera>`, by a key.

A camera that is not here (yet) makes its reader wait: leases are known before the first picture comes,
and a reader whose camera has moved leaves by itself, because it follows the lease and not this server.
"""

import asyncio
import hmac
import logging
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State

from services.common.connections.accepting import survive_exhaustion
from services.common.connections.addresses import host_and_port, plain_address
from services.common.connections.descriptors import affordable
from services.common.connections.listening import listen
from services.common.connections.places import Place, PlaceLimits, Places, Standing
from services.common.connections.sparing import SparingFilter
from services.common.metrics import Figure
from services.common.video.hub import LocalVideoReader, VideoHub
from services.common.video.wire import (
    MESSAGE_LIMIT_BYTES,
    SOCKET_BUFFER_BYTES,
    authorization,
    encode_unit,
)
from services.core.errors import BadInputError
from services.core.identifiers import ID_PATTERN
from services.core.types import CameraId

log = logging.getLogger(__name__)

SEND_TIMEOUT_S = 10.0
"""A reader that takes nothing for this long is cut off; it may come back."""

HANDSHAKE_TIMEOUT_S = 5.0
"""How long a client may take to ask for a camera and show the key."""

HANDSHAKE_LIMIT_BYTES = 16_384

CONNECTIONS = PlaceLimits(total=1000, per_client=500)
"""A reader for each camera and process; whoever has not shown the key gives way to the next."""

PING_S = 5.0
CLOSE_TIMEOUT_S = 0.5
REQUEST_LIMIT_BYTES = 1024
"""Readers have nothing to say."""

_library_log = logging.getLogger(f"{__name__}.websockets")
_library_log.setLevel(logging.WARNING)
_library_log.addFilter(SparingFilter(logging.ERROR))
"""At its lowest level the library would log the headers, and the key with them; it has a traceback for each
client that is no WebSocket."""


class _BoundedConnection(ServerConnection):
    """A connection that has a place; what it sends before it has shown the key is bounded."""

    places: Places
    _place: Place | None = None
    _received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername") or ("",)
        self._place = self.places.take(plain_address(str(peer[0])), self.transport.abort)
        if self._place is None:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self.protocol.state is State.CONNECTING:
            self._received += len(data)
            if self._received > HANDSHAKE_LIMIT_BYTES:
                self.transport.abort()
                return
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._place is not None:
            self.places.leave(self._place)
        super().connection_lost(exc)

    def admit(self) -> None:
        """Let it keep its place: it has shown the key."""
        if self._place is not None:
            self.places.set_standing(self._place, Standing.BUSY)


class VideoServer:
    """Sends each reader what its bounded queue holds; a slow one delays nobody."""

    def __init__(self, hub: VideoHub, key: str, limits: PlaceLimits = CONNECTIONS) -> None:
        if not key:
            raise BadInputError("the video server needs a key")
        self._hub = hub
        most = affordable(limits.total)
        self._places = Places(PlaceLimits(most, min(most, limits.per_client)))
        self._authorization = authorization(key).encode()
        self._readers: dict[LocalVideoReader, CameraId] = {}
        self._dropped: Counter[CameraId] = Counter()
        self.cut_off = 0
        """Readers that took nothing for too long."""

    @property
    def readers(self) -> int:
        """Readers that are connected now."""
        return len(self._readers)

    @property
    def dropped(self) -> int:
        """Pictures that readers lost because they were too slow, or that were too large to be sent."""
        return self._dropped_by_camera().total()

    def _dropped_by_camera(self) -> Counter[CameraId]:
        """Count by camera, and forget those that this process has no pictures of any more."""
        for camera in [camera for camera in self._dropped if not self._hub.has(camera)]:
            del self._dropped[camera]
        dropped = self._dropped.copy()
        for reader, camera in list(self._readers.items()):
            dropped[camera] += reader.dropped
        return dropped

    def figures(self) -> Iterator[Figure]:
        """Give the figures of the connections, and of what readers lost."""
        labels = {"port": "video"}
        yield Figure("sightline_connections", len(self._places), labels)
        yield Figure("sightline_connections_refused_total", self._places.refused, labels)
        cut = {**labels, "cause": "gave_way"}
        yield Figure("sightline_connections_cut_total", self._places.gave_way, cut)
        yield Figure("sightline_readers", self.readers, labels)
        yield Figure("sightline_readers_stalled_total", self.cut_off, labels)
        for camera, number in sorted(self._dropped_by_camera().items()):
            yield Figure("sightline_video_dropped_total", number, {"camera": camera})

    def _connection_class(self) -> type[_BoundedConnection]:
        class _Connection(_BoundedConnection):
            places = self._places

        return _Connection

    @asynccontextmanager
    async def listening(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        """Serve until the context ends, by TLS where a context is given; gives the port, which the system
        chooses for 0.

        BadInputError when nobody can listen there.
        """
        listening = listen(host, port, "--video-port")
        survive_exhaustion(asyncio.get_running_loop())
        try:
            server = await serve(
                self._serve_reader,
                sock=listening,
                ssl=tls,
                create_connection=self._connection_class(),
                open_timeout=HANDSHAKE_TIMEOUT_S,
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
            listening.close()
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
        assert isinstance(connection, _BoundedConnection)
        connection.admit()
        _bound_system_buffer(connection)
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        closed = asyncio.create_task(connection.wait_closed())
        closed.add_done_callback(lambda _: ready.set())

        def wake() -> None:
            with suppress(RuntimeError):  # the loop has ended, and the reader with it
                loop.call_soon_threadsafe(ready.set)

        with self._hub.reader(camera, wake) as reader:
            self._readers[reader] = camera
            try:
                await self._send_pictures(connection, reader, ready, closed)
            except ConnectionClosed:
                log.debug("a reader of camera %s has left", camera)
            except TimeoutError:
                self.cut_off += 1
                log.warning("a reader of camera %s took nothing for %g s: cut off", camera, SEND_TIMEOUT_S)
                connection.transport.abort()
            finally:
                del self._readers[reader]
                if reader.dropped:
                    self._dropped[camera] += reader.dropped
                    self._dropped_by_camera()
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
                self._dropped[unit.camera] += 1
                continue
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await connection.send(message)


def _bound_system_buffer(connection: ServerConnection) -> None:
    kernel_socket = connection.transport.get_extra_info("socket")
    kernel_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER_BYTES)
