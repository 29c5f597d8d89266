"""An HTTP server among other tasks: leaves signals to its owner, ends in bounded time, drops who stalls."""

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from services.common.connections.accepting import Acceptor
from services.common.connections.descriptors import affordable
from services.common.connections.places import Place, PlaceLimits, Places
from services.common.connections.sparing import SparingFilter
from services.common.http.bounds import HEAD_LIMIT_BYTES, Clients, HttpLimits, Peers, RequestBounds
from services.common.http.guard import PORT_HEADERS
from services.common.http.protocol import BoundedProtocol, Cause
from services.common.http.sockets import (
    MESSAGE_LIMIT_BYTES,
    PING_INTERVAL_S,
    PONG_TIMEOUT_S,
    BoundedSocket,
)
from services.common.http.stalling import StallWatch
from services.common.metrics import Figure
from services.common.queues import QueueState

logging.getLogger("uvicorn.error").addFilter(SparingFilter())

STREAM_CLOSE_S = 2
"""How long live streams may take to notice that the server ends."""

RECEIVE_BUFFER_BYTES = 65_536
"""What the system may keep of what one client sends: requests are small."""

KEEP_ALIVE_S = 75
"""How long an idle connection is kept: longer than proxies keep theirs (nginx: 60 s).

Whoever closes first may do so while the other's request is on its way.
"""


def _nothing() -> None:
    """End no stream in particular."""


class HttpServer(uvicorn.Server):
    """Serves one application on one socket.

    `end_streams` is called when the server is to end, so that endless answers come to an orderly end.
    `headers` are those of answers that the application never sees, such as for too many requests.
    `sockets` are the paths at which a request may become a WebSocket; elsewhere that wish is passed over.
    A connection that takes nothing of what waits for it for `stall_timeout_s` is cut off; None: never.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        end_streams: Callable[[], None] = _nothing,
        stall_timeout_s: float | None = None,
        limits: HttpLimits | None = None,
        clients: Clients | None = None,
        headers: Mapping[str, str] = PORT_HEADERS,
        sockets: Collection[str] = (),
        tls_cert: Path | None = None,
        tls_key: Path | None = None,
    ) -> None:
        self.stalled = 0
        """Connections that were cut off because they took nothing."""
        self._cut: Counter[Cause] = Counter()
        self._end_streams = end_streams
        self._limits, self._clients = limits or HttpLimits(), clients or Peers()
        most = self._most = affordable(self._limits.connections)
        self._places = Places(PlaceLimits(most, self._limits.client_connections, self._limits.reserve))
        self._headers, self._sockets = headers, frozenset(sockets)
        self._bounds = RequestBounds(app, self._limits, self._clients, headers)
        super().__init__(
            uvicorn.Config(
                self._bounds,
                http=self._protocol_class(stall_timeout_s),
                ws=self._socket_class(stall_timeout_s) if sockets else "none",
                ws_max_size=MESSAGE_LIMIT_BYTES,
                ws_ping_interval=PING_INTERVAL_S,
                ws_ping_timeout=PONG_TIMEOUT_S,
                ws_per_message_deflate=False,
                h11_max_incomplete_event_size=HEAD_LIMIT_BYTES,
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=STREAM_CLOSE_S,
                ssl_certfile=tls_cert,
                ssl_keyfile=tls_key,
            )
        )

    def _protocol_class(self, stall_timeout: float | None) -> type[asyncio.Protocol]:
        server = self

        class _Protocol(_WatchedProtocol):
            stall_timeout_s, limits, own_headers = stall_timeout, server._limits, server._headers
            sockets = server._sockets

            def on_stalled(self) -> None:
                server.stalled += 1

            def on_cut(self, cause: Cause) -> None:
                server._cut[cause] += 1

        return _Protocol

    def _socket_class(self, stall_timeout: float | None) -> type[asyncio.Protocol]:
        server = self

        class _Socket(_WatchedSocket):
            stall_timeout_s = stall_timeout

            def on_stalled(self) -> None:
                server.stalled += 1

        return _Socket

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept, each connection in a place of its own."""
        await super().startup(sockets=[])
        for listening in sockets or []:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            is_proxy = self._clients.is_proxy
            tls = self.config.ssl, self._limits.handshake_s
            acceptor = Acceptor(listening, self._places, self._make_protocol, is_proxy, *tls)
            self.servers.append(acceptor)  # type: ignore[arg-type]  # has of a server what is called

    def _make_protocol(self, place: Place) -> asyncio.Protocol:
        kind = self.config.http_protocol_class
        protocol = kind(self.config, self.server_state, self.lifespan.state)  # type: ignore[call-arg]
        assert isinstance(protocol, BoundedProtocol)
        protocol.take_place(self._places, place)
        return protocol

    def queue(self, name: str) -> QueueState:
        """Give how many of the connections that the port may have are open."""
        refused = self._places.refused + self._bounds.refused
        return QueueState(name, len(self._places), self._most, refused, "refuse")

    def figures(self, port: str) -> Iterator[Figure]:
        """Give the figures of the connections; `port` names it."""
        labels = {"port": port}
        yield Figure("sightline_connections", len(self._places), labels)
        yield Figure(
            "sightline_connections_refused_total", self._places.refused + self._bounds.refused, labels
        )
        ended = {
            "head": self._cut["head"],
            "body": self._cut["body"] + self._bounds.too_slow + self._bounds.too_large,
            "pipeline": self._cut["pipeline"],
            "gave_way": self._places.gave_way,
        }
        for cause, number in ended.items():
            yield Figure("sightline_connections_cut_total", number, {**labels, "cause": cause})

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the owner, who has more to end than the server."""
        yield

    def stop(self) -> None:
        """Take no more requests, and end those that there are."""
        self._end_streams()
        self.should_exit = True

    async def run_until_cancelled(self, listening: socket.socket) -> None:
        """Serve until cancelled or stopped; then wait, within its bound, until all answers have ended."""
        serving = asyncio.create_task(self.serve([listening]))
        try:
            await asyncio.shield(serving)
        finally:
            self.stop()
            try:
                await asyncio.wait([serving])
            finally:
                serving.cancel()
                self._abort_connections()

    @property
    def waiting_bytes(self) -> int:
        """What waits within this process for peers to take it, of all connections."""
        return sum(transport.get_write_buffer_size() for transport in self._transports())

    def _transports(self) -> Iterator[asyncio.Transport]:
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if isinstance(transport, asyncio.Transport):
                yield transport

    def _abort_connections(self) -> None:
        """Let no peer that does not read keep a socket of an ended server."""
        for transport in self._transports():
            transport.abort()


class _WatchedProtocol(StallWatch, BoundedProtocol):
    """A connection of requests."""


class _WatchedSocket(StallWatch, BoundedSocket):
    """A connection that has become a WebSocket."""
