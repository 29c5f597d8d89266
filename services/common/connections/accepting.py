"""Accepts the connections of one port on the event loop: bounded, also before TLS is agreed on.

asyncio's own server knows no bound, and where descriptors are exhausted it writes a log line for each of its
attempts, thousands a second.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any

from services.common.connections.addresses import plain_address
from services.common.connections.descriptors import EXHAUSTED, SpareDescriptor
from services.common.connections.places import Place, Places
from services.common.connections.sparing import Sparing
from services.common.tasks import kept_running, watched

log = logging.getLogger(__name__)

RETRY_S = 0.05
"""Wait before the next attempt where no descriptor is left: time for a client to ask and be answered."""

TLS_END_TIMEOUT_S = 2.0

ROOM_MADE = 8
"""Idle connections that are ended where no descriptor is left."""

EXHAUSTED_TEXT = (
    "no file descriptor is left: connections wait, idle ones are ended (raise the limit with "
    "`ulimit -n`, or LimitNOFILE of the service)"
)

_exhausted = Sparing()
"""One for the process: its descriptors are those of all ports."""


def log_exhausted() -> None:
    """Log once that there is no descriptor; callable from any thread."""
    if _exhausted.is_new():
        log.error(EXHAUSTED_TEXT)


def survive_exhaustion(loop: asyncio.AbstractEventLoop) -> None:
    """Have servers of libraries that accept by asyncio say once, and not each time, that none is left."""
    before = loop.get_exception_handler()
    if getattr(before, "is_calm", False):
        return

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in EXHAUSTED and "socket" in context:
            log_exhausted()
        elif before is not None:
            before(loop, context)
        else:
            loop.default_exception_handler(context)

    handle.is_calm = True  # type: ignore[attr-defined]
    loop.set_exception_handler(handle)


class Acceptor:
    """Gives each connection that finds a place to a protocol of its own."""

    def __init__(
        self,
        listening: socket.socket,
        places: Places,
        make_protocol: Callable[[Place], asyncio.Protocol],
        is_proxy: Callable[[str], bool],
        tls: ssl.SSLContext | None,
        handshake_timeout_s: float,
    ) -> None:
        """Begin to accept; `is_proxy` says whose connections are not counted as one client's."""
        self._listening, self._places = listening, places
        self._make_protocol, self._is_proxy = make_protocol, is_proxy
        self._tls, self._handshake_timeout_s = tls, handshake_timeout_s
        self._spare = SpareDescriptor()
        self._beginning: set[asyncio.Task[None]] = set()
        listening.setblocking(False)
        name = f"accepting at port {listening.getsockname()[1]}"
        self._accepting = watched(kept_running(self._run, name), name)

    def close(self) -> None:
        """Accept nobody any more."""
        asyncio.get_running_loop().remove_reader(self._listening.fileno())
        self._accepting.cancel()
        for task in self._beginning:
            task.cancel()
        self._spare.release()

    async def wait_closed(self) -> None:
        """Wait until nothing of it runs."""
        await asyncio.wait({self._accepting, *self._beginning})

    async def _run(self) -> None:
        while True:
            await self._until_somebody_waits()
            try:
                connection, peer = self._listening.accept()
            except OSError as error:
                await self._on_error(error)
            else:
                self._begin_or_close(connection, plain_address(str(peer[0])))

    async def _until_somebody_waits(self) -> None:
        """Wait for a client: without a free descriptor, accepting fails also where nobody waits."""
        loop, handle, waits = asyncio.get_running_loop(), self._listening.fileno(), asyncio.Event()

        def on_client() -> None:
            loop.remove_reader(handle)
            waits.set()

        loop.add_reader(handle, on_client)
        await waits.wait()

    async def _on_error(self, error: OSError) -> None:
        """Go on after an error: one that is no lack of descriptors was that of a client that has left."""
        if error.errno not in EXHAUSTED:
            return
        log_exhausted()
        if not self._spare.release():
            await asyncio.sleep(RETRY_S)
            self._places.make_room(ROOM_MADE)

    def _begin_or_close(self, connection: socket.socket, peer: str) -> None:
        """Begin a connection; one that fails beside all plans is closed, so that its client does not wait."""
        try:
            connection.setblocking(False)
            self._begin(connection, peer, is_scarce=not self._spare.hold())
        except BaseException:
            connection.close()
            raise

    def _begin(self, connection: socket.socket, peer: str, is_scarce: bool) -> None:
        starting: list[asyncio.Task[None]] = []
        protocols: list[asyncio.Protocol] = []

        def end() -> None:
            transport = getattr(protocols[0], "transport", None) if protocols else None
            if transport is not None:
                transport.abort()
            else:
                starting[0].cancel()

        place = self._places.take(None if self._is_proxy(peer) else peer, end, is_scarce)
        if place is None:
            connection.close()
            return
        task = watched(self._start(connection, place, protocols), f"a connection of {peer}")
        starting.append(task)
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)

    async def _start(
        self, connection: socket.socket, place: Place, protocols: list[asyncio.Protocol]
    ) -> None:
        """Agree on TLS where it is wanted, and hand the connection over."""
        protocol = self._make_protocol(place)
        options = {}
        if self._tls is not None:
            options = {
                "ssl_handshake_timeout": self._handshake_timeout_s,
                "ssl_shutdown_timeout": TLS_END_TIMEOUT_S,
            }
        is_begun = False
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: protocol, connection, ssl=self._tls, **options
            )
            is_begun = True
            protocols.append(protocol)
        except OSError as error:
            log.debug("a connection ended before it began: %s", error)
        finally:
            if not is_begun:
                self._places.leave(place)
                connection.close()
