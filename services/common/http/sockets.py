"""One WebSocket within bounds: what its client sends, by size and number, and whether it still answers."""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Close, CloseCode

from services.common.connections.places import Place, Places, Standing

MESSAGE_LIMIT_BYTES = 16_384
"""Of one message of a client."""

FRAMES_PER_S = 20.0
MOST_FRAMES = 100
"""Frames that a client may send at once; so many a second are added to what it may."""

SLICE_BYTES = 4096
"""What is read of a client before its frames are counted: each costs the most when it holds nothing."""

PING_INTERVAL_S = 20.0
PONG_TIMEOUT_S = 20.0
"""How long a client may leave a ping without an answer."""

CLOSE_TIMEOUT_S = 2.0
"""How long a client may take to answer that the connection is closed."""

SILENT = 4408
"""The code of a connection whose client does not answer any more."""

HEAD_LINES = 100
HEAD_LINE_BYTES = 8000
"""What the library takes at most of the head of a request."""


def fits_handshake(method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]) -> bool:
    """Return whether the library can read a request that asks for a WebSocket; a body has no place in one."""
    names = {name for name, _ in headers}
    longest = max((len(name) + len(value) for name, value in headers), default=0)
    return (
        method == b"GET"
        and not names & {b"content-length", b"transfer-encoding"}
        and len(headers) <= HEAD_LINES
        and max(longest, len(target)) <= HEAD_LINE_BYTES
    )


class BoundedSocket(WebSocketsSansIOProtocol):
    """Ends a WebSocket whose client sends too much or nothing at all, and keeps the standing of its place."""

    places: Places
    place: Place

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.close_timeout = CLOSE_TIMEOUT_S
        self._frames_left = float(MOST_FRAMES)
        self._counted_s = self.loop.time()

    def take_place(self, places: Places, place: Place) -> None:
        """Note the place that the connection has had since it was a request: it gives way to nobody now."""
        self.places, self.place = places, place
        places.set_standing(place, Standing.BUSY)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place free."""
        self.places.leave(self.place)
        super().connection_lost(exc)

    def on_task_complete(self, task: "asyncio.Task[None]") -> None:
        """Let a connection that is only being closed give way to others."""
        super().on_task_complete(task)
        self.places.set_standing(self.place, Standing.STRANGER)

    def data_received(self, data: bytes) -> None:
        """Read what came in pieces, so that very many frames are noticed after few."""
        if self.handshake_initiated and not self.handshake_complete:
            self.transport.abort()  # nobody may send before the answer
            return
        for start in range(0, len(data), SLICE_BYTES):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + SLICE_BYTES])

    def handle_events(self) -> None:
        """Handle the frames that came, if there are not too many."""
        if self.handshake_initiated and not self._may_send(len(self.conn.events)):
            self._fail(CloseCode.POLICY_VIOLATION, "too many messages")
            return
        super().handle_events()

    async def send(self, message: Any) -> None:
        """Send a message; ClientDisconnected once the connection is being closed from here.

        A handshake that is refused is complete with the answer: it is no fault of this service.
        """
        await self.writable.wait()
        if self.handshake_complete and self.close_sent:
            raise ClientDisconnected
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True

    def _may_send(self, frames: int) -> bool:
        now_s = self.loop.time()
        grown = (now_s - self._counted_s) * FRAMES_PER_S
        self._frames_left = min(float(MOST_FRAMES), self._frames_left + grown) - frames
        self._counted_s = now_s
        return self._frames_left >= 0

    def send_receive_event_to_app(self) -> None:
        """Hand a message on, if what is said to be text is text."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self._fail(CloseCode.INVALID_DATA, "this is no text in UTF-8")
                return
        super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        """End a connection whose client does not answer."""
        self.pong_timer = None
        if not self.close_sent and not self.transport.is_closing():
            self._fail(SILENT, "the client does not answer")

    def shutdown(self) -> None:
        """End because the server does."""
        self.stop_keepalive()
        if self.handshake_complete and not self.close_sent:
            self._fail(CloseCode.GOING_AWAY, "the server stops")
        elif not self.handshake_complete and self.initial_response is None:
            self.conn.send_response(self.conn.reject(HTTPStatus.SERVICE_UNAVAILABLE, ""))
            self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()

    def _fail(self, code: int, reason: str) -> None:
        """Say why, and close without waiting for an answer."""
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        if self.conn.close_sent is None:
            self.conn.fail(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        self.transport.close()


def close_reason(text: str) -> str:
    """Cut a text to what the frame that closes a connection can carry."""
    limit = 123
    cut = text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")
    Close(CloseCode.NORMAL_CLOSURE, cut).check()
    return cut
