"""One HTTP connection within bounds: heads, bodies and further requests by size and time."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from services.common.connections.places import Place, Places, Standing
from services.common.http.bounds import (
    HEAD_LIMIT_BYTES,
    MOST_PARTS,
    PIPELINE_LIMIT_BYTES,
    HttpLimits,
    probes_only,
)
from services.common.http.guard import PORT_HEADERS
from services.common.http.problems import problem
from services.common.http.sockets import BoundedSocket, fits_handshake
from services.core.sentences.sentence import sentence

RESERVE_HEAD_S = 2.0
"""How long a connection beyond the limit may take to ask whether the service is healthy."""

GRACE_S = 1.0
"""The application answers a late body first; only then the connection is ended."""

LINGER_S = 2.0
"""How long what a client still sends is thrown away, so that it can read why it was refused."""

Cause = Literal["head", "body", "pipeline"]


class _BoundedConnection(h11.Connection):
    """Reads requests; a body of very many parts, and one whose length is given in two ways, is no request.

    Of two lengths a proxy may believe the other one: what is a body here would be a request there.
    """

    _parts = 0

    def next_event(self) -> Any:
        """Give what comes next; RemoteProtocolError for what is no request."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._parts = 0
            names = {name for name, _ in event.headers}
            if {b"content-length", b"transfer-encoding"} <= names:
                raise h11.RemoteProtocolError("two lengths")
        elif isinstance(event, h11.Data):
            self._parts += 1
            if self._parts > MOST_PARTS:
                raise h11.RemoteProtocolError("too many parts")
        return event


class BoundedProtocol(H11Protocol):
    """Ends a connection whose request takes too long to come, and keeps the standing of its place."""

    limits = HttpLimits()
    own_headers: Mapping[str, str] = PORT_HEADERS
    """Of answers that the application never sees."""
    places: Places
    place: Place
    _timer: asyncio.TimerHandle | None = None
    _waits_for: Cause | None = None
    _thrown_away = 0
    _is_lingering = False
    sockets: Collection[str] = ()
    """Paths at which a request may become a WebSocket, also below a path that a proxy passes on."""
    _is_socket = False

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.conn = _BoundedConnection(h11.SERVER, HEAD_LIMIT_BYTES)

    def on_cut(self, cause: Cause) -> None:
        """Count a connection that is ended."""

    def take_place(self, places: Places, place: Place) -> None:
        """Note its place, before the connection begins."""
        self.places, self.place = places, place
        if place.is_reserve:
            self.app = probes_only(self.app, self.own_headers)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait_for("head", RESERVE_HEAD_S if self.place.is_reserve else self.limits.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place free."""
        self._wait_for(None)
        self.places.leave(self.place)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless nobody wants it any more."""
        if self._is_lingering:
            return
        if self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY:
            self._thrown_away += len(data)
            if self._thrown_away > self.limits.body_bytes:
                self.on_cut("body")
                self.close_gently()
                return
        super().data_received(data)
        if self.flow.read_paused and self.conn.their_state is h11.DONE:
            self._bound_pipeline()

    def handle_events(self) -> None:
        """Handle what is there, and see what is waited for now."""
        before = self.cycle
        super().handle_events()
        if self._is_socket:
            return
        if self.cycle is not before:
            self._thrown_away = 0
            self._wait_for(None)
            self.cycle.transport = _Outlet(self.transport, self.close_gently)
            self.cycle.keep_alive = self.cycle.keep_alive and not self.place.is_reserve
        self._look()

    def _should_upgrade(self) -> bool:
        """Let a request become a WebSocket where there are some; elsewhere it is answered as any other."""
        if not self.scope["path"].endswith(tuple(self.sockets)) or self.place.is_reserve:
            return False
        method, target = self.scope["method"].encode("ascii"), self.scope["raw_path"]
        target += b"?" + self.scope["query_string"]
        is_newest = self.scope["http_version"] == "1.1"
        return (
            self._get_upgrade() == b"websocket" and is_newest and fits_handshake(method, target, self.headers)
        )

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection with its place over to the protocol of WebSockets."""
        self._wait_for(None)
        self._is_socket = True
        make = self.ws_protocol_class

        def with_place(**named: Any) -> BoundedSocket:
            assert make is not None, "there are WebSockets"
            protocol = make(**named)
            assert isinstance(protocol, BoundedSocket)
            protocol.take_place(self.places, self.place)
            return protocol

        self.ws_protocol_class = with_place  # type: ignore[assignment]  # is only called
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """Wait for the next request, if there is to be one."""
        super().on_response_complete()
        if self._is_lingering:
            self._unset_keepalive_if_required()
        elif not self.transport.is_closing():
            self._look()

    def close_gently(self) -> None:
        """Close; where the client still sends a body, let it read the answer first."""
        if self.transport.is_closing() or self._is_lingering:
            return
        if self.conn.their_state is not h11.SEND_BODY:
            self.transport.close()
            return
        self._is_lingering = True
        self._wait_for(None)
        self.places.set_standing(self.place, Standing.STRANGER)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._timer = self.loop.call_later(LINGER_S, self.transport.abort)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request; where an answer has begun, end the connection."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        answer = problem(400, sentence("request-invalid"), self.own_headers)
        headers = [*answer.raw_headers, (b"connection", b"close")]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=bytes(answer.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _look(self) -> None:
        """Set the deadline that fits what the client does, and its standing."""
        their = self.conn.their_state
        is_answered = self.cycle is None or self.cycle.response_complete
        if their is h11.IDLE:
            if self._waits_for == "body":
                self._wait_for(None)
            if self._waits_for is None and self.conn.trailing_data[0]:
                self._wait_for("head", self.limits.head_s)
        elif their is h11.SEND_BODY:
            if self._waits_for != "body":
                self._wait_for("body", self.limits.body_s + GRACE_S)
        else:
            self._wait_for(None)
            if not is_answered:
                self.places.set_standing(self.place, Standing.BUSY)
        if is_answered and self.cycle is not None:
            self.places.set_standing(self.place, Standing.KNOWN)

    def _wait_for(self, cause: Cause | None, timeout_s: float = 0.0) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waits_for = cause
        if cause is not None:
            self._timer = self.loop.call_later(timeout_s, self._cut, cause)

    def _cut(self, cause: Cause) -> None:
        self.on_cut(cause)
        self.transport.abort()

    def _bound_pipeline(self) -> None:
        """End a connection that sends further requests without waiting for an answer."""
        if len(self.conn.trailing_data[0]) > PIPELINE_LIMIT_BYTES:
            self._cut("pipeline")


class _Outlet(asyncio.Transport):
    """What one answer is written to; closing it lets the client read the answer."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        super().__init__()
        self._transport, self._close = transport, close

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write a part."""
        self._transport.write(data)

    def is_closing(self) -> bool:
        """Return whether nothing more can be written."""
        return self._transport.is_closing()

    def close(self) -> None:
        """End the connection after the answer."""
        self._close()
