"""An HTTP server among other tasks: leaves signals to its owner, ends in bounded time, drops who stalls."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

STREAM_CLOSE_S = 2
"""How long live streams may take to notice that the server ends."""

REQUEST_TIMEOUT_S = 10.0
"""How long a new connection may take to say what it wants."""

KEEP_ALIVE_S = 75
"""How long an idle connection is kept: longer than proxies keep theirs (nginx: 60 s).

Whoever closes first may do so while the other's request is on its way.
"""

STALL_CHECK_S = 0.25
"""Most time between two looks at a connection that does not take its data."""


def _nothing() -> None:
    """End no stream in particular."""


class HttpServer(uvicorn.Server):
    """Serves one application on one socket.

    `end_streams` is called when the server is to end, so that endless answers come to an orderly end.
    A connection that takes nothing of what waits for it for `stall_timeout_s` is cut off; None: never.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        end_streams: Callable[[], None] = _nothing,
        stall_timeout_s: float | None = None,
        request_timeout_s: float = REQUEST_TIMEOUT_S,
        tls_cert: Path | None = None,
        tls_key: Path | None = None,
    ) -> None:
        self.stalled = 0
        """Connections that were cut off because they took nothing."""
        self._end_streams = end_streams
        super().__init__(
            uvicorn.Config(
                app,
                http=self._protocol_class(stall_timeout_s, request_timeout_s),
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

    def _protocol_class(self, stall_timeout: float | None, request_timeout: float) -> type[asyncio.Protocol]:
        server = self

        class _Protocol(_WatchedProtocol):
            stall_timeout_s, request_timeout_s = stall_timeout, request_timeout

            def on_stalled(self) -> None:
                server.stalled += 1

        return _Protocol

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


class _WatchedProtocol(H11Protocol):
    """Aborts a connection whose peer asks for nothing, or takes nothing of what is written for it.

    Closing would wait for the peer to take the rest: only aborting frees the memory. Where stalling is
    watched, the next part is taken only when the system has the whole of the one before.
    """

    stall_timeout_s: float | None = None
    request_timeout_s: float = REQUEST_TIMEOUT_S
    _request_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None

    def on_stalled(self) -> None:
        """Count a peer that took nothing."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.stall_timeout_s is not None:
            transport.set_write_buffer_limits(high=1, low=0)  # 0 would pause TLS while nothing waits
        self._request_timer = self.loop.call_later(self.request_timeout_s, self._check_request)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._request_timer, self._stall_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.stall_timeout_s is not None and self._stall_timer is None:
            self._watch(self.transport.get_write_buffer_size(), self.loop.time())

    def resume_writing(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
        super().resume_writing()

    def _check_request(self) -> None:
        if self.cycle is None:
            self.transport.abort()

    def _watch(self, waiting_bytes: int, since_s: float) -> None:
        """Look again soon: while writing is paused, what waits only becomes less."""
        assert self.stall_timeout_s is not None
        period_s = min(STALL_CHECK_S, self.stall_timeout_s / 4)
        self._stall_timer = self.loop.call_later(period_s, self._check_stall, waiting_bytes, since_s)

    def _check_stall(self, waiting_bytes: int, since_s: float) -> None:
        assert self.stall_timeout_s is not None
        left_bytes, now_s = self.transport.get_write_buffer_size(), self.loop.time()
        if left_bytes != waiting_bytes:
            self._watch(left_bytes, now_s)
        elif now_s - since_s < self.stall_timeout_s:
            self._watch(waiting_bytes, since_s)
        else:
            self.on_stalled()
            self.transport.abort()
