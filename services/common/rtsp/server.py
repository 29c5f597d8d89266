"""An RTSP server (TCP and UDP) whose streams come and go, each filled only while somebody watches it.

Each client is answered on one of a few threads of GStreamer's. A client that takes its pictures too
slowly loses some and is in the end cut off by GStreamer; it delays nobody. Whoever watches nothing gives
way to others, and is ended after a while; whoever may not watch any more is ended within seconds.
"""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from services.common.access.credentials import Check
from services.common.connections.descriptors import affordable
from services.common.connections.listening import listen
from services.common.connections.places import PlaceLimits, Places, Standing
from services.common.metrics import Figure
from services.common.rtsp.accepting import RtspAcceptor
from services.common.rtsp.access import Door, Grant, make_authentication
from services.common.rtsp.client import RtspClient
from services.common.rtsp.gstreamer import load_gstreamer, require_elements
from services.common.rtsp.mounts import RtspMounts
from services.common.settings.files import RtspConnectionSettings

log = logging.getLogger(__name__)

THREAD_LIMIT = 16
"""Threads that answer requests: a password that is being checked holds up few others, and no pictures."""

REQUEST_LIMIT_BYTES = 16_384

PIPELINES_EACH = 3
"""What one connection may have set up at once, each with threads and descriptors of its own: players set up
one, and another one when the first transport does not work."""

HOUSEKEEPING_MS = 1000
"""Time between two looks at all clients: whoever is not allowed any more watches for no longer."""

ENDING_FACTOR = 2
"""Connections that have given way are still there until their thread has ended them: at most so many more."""

STOP_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class RtspLimits:
    """The bounds of one port."""

    connections: int = 64
    """At once; fewer where the system allows few file descriptors."""
    client_connections: int = 32
    """At once from one address."""
    idle_s: float = 20.0
    """A connection that has watched nothing for this long is closed."""


def rtsp_limits(settings: RtspConnectionSettings) -> RtspLimits:
    """Give the bounds of a port by its settings."""
    return RtspLimits(settings.rtsp_connection_limit, settings.rtsp_client_connection_limit)


class RtspServer:
    """Listens from when it is made until `stop`."""

    def __init__(
        self,
        host: str,
        port: int,
        check: Check | None,
        elements: Sequence[str],
        option: str = "--port",
        limits: RtspLimits | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Listen on a port (0: any free one) for whom `check` knows (None: everybody).

        SightlineError when GStreamer or one of its elements is missing; BadInputError, which names the
        option that gives another, when the port cannot be had.
        """
        self._gstreamer = load_gstreamer()
        require_elements(self._gstreamer, elements)
        listening = listen(host, port, option)
        self.port = int(listening.getsockname()[1])
        self._limits, self._monotonic_s = limits or RtspLimits(), monotonic_s
        self._most = affordable(self._limits.connections)
        self._places = Places(PlaceLimits(self._most, self._limits.client_connections), monotonic_s)
        self._lock = threading.Condition(threading.Lock())
        self._clients: dict[Any, RtspClient] = {}
        self._arriving: RtspClient | None = None
        self._watching: set[Any] = set()
        self._ended = {"idle": 0, "head": 0, "access": 0}
        self._door = Door(check)
        self._server = self._make_server()
        self.mounts = RtspMounts(self._gstreamer, self._server.get_mount_points())
        glib = self._gstreamer.glib
        self._context = glib.MainContext()
        self._loop = glib.MainLoop(self._context)
        self._acceptor = RtspAcceptor(
            self._gstreamer, self._context, listening, self._places, self._hand_over
        )
        self._housekeeping = self._keep_house_regularly()
        self._thread = threading.Thread(target=self._loop.run, name=f"rtsp-{self.port}", daemon=True)
        self._thread.start()

    @property
    def watchers(self) -> int:
        """Clients that watch now."""
        with self._lock:
            return len(self._watching)

    @property
    def refused(self) -> int:
        """Connections beyond the most at once, while all others watched."""
        return self._places.refused

    def figures(self, port: str) -> Iterator[Figure]:
        """Give the figures of the connections; `port` names it."""
        labels = {"port": port}
        yield Figure("sightline_readers", self.watchers, labels)
        yield Figure("sightline_connections", len(self._places), labels)
        yield Figure("sightline_connections_refused_total", self._places.refused, labels)
        for cause, number in {**self._ended, "gave_way": self._places.gave_way}.items():
            yield Figure("sightline_connections_cut_total", number, {**labels, "cause": cause})

    def stop(self) -> None:
        """End the server's thread, so that nobody else is let in, and then all clients."""
        self._housekeeping.destroy()
        self._quit()
        self._thread.join(STOP_TIMEOUT_S)
        self._acceptor.stop()
        for name in self.mounts.names:
            self.mounts.remove(name)
        with self._lock:
            clients = list(self._clients.values())
        for client in clients:
            client.close()
        if not self._wait_until_empty(STOP_TIMEOUT_S):
            log.warning("clients or pipelines of RTSP did not end in time")

    def _wait_until_empty(self, timeout_s: float) -> bool:
        """Wait until the last client and pipeline have ended; False when the time did not suffice."""
        end_s = time.monotonic() + timeout_s
        with self._lock:
            are_gone = self._lock.wait_for(lambda: not self._clients, timeout_s)
        return self.mounts.wait_until_empty(max(0.0, end_s - time.monotonic())) and are_gone

    def _quit(self) -> None:
        """End the loop from within: a loop that has not begun yet would miss it."""
        source = self._gstreamer.glib.idle_source_new()
        source.set_callback(lambda *_: self._loop.quit())
        source.attach(self._context)

    def _make_server(self) -> Any:
        server = self._gstreamer.server.RTSPServer()
        server.set_content_length_limit(REQUEST_LIMIT_BYTES)
        server.get_thread_pool().set_max_threads(THREAD_LIMIT)
        server.set_auth(make_authentication(self._gstreamer, self._door, self._on_admitted))
        server.connect("client-connected", self._on_client)
        return server

    def _keep_house_regularly(self) -> Any:
        source = self._gstreamer.glib.timeout_source_new(HOUSEKEEPING_MS)
        source.set_callback(self._keep_house)
        source.attach(self._context)
        return source

    def _hand_over(self, connection: RtspClient, accepted: socket.socket, peer: tuple[str, int]) -> None:
        """Let GStreamer answer a connection, which has a place, unless too many have not ended yet."""
        with self._lock:
            is_behind = len(self._clients) >= ENDING_FACTOR * self._most
        if is_behind:
            self._leave(connection)
            connection.release()
            return
        self._arriving = connection
        handle = self._gstreamer.gio.Socket.new_from_fd(accepted.detach())
        self._server.transfer_connection(handle, peer[0], peer[1], None)

    def _on_client(self, _server: Any, client: Any) -> None:
        connection, self._arriving = self._arriving, None
        assert connection is not None, "only what has a place is handed over"
        with self._lock:
            self._clients[client] = connection
        client.connect("pre-describe-request", self._on_request)
        client.connect("pre-setup-request", self._on_setup)
        client.connect("play-request", self._on_play)
        client.connect("teardown-request", self._on_teardown)
        client.connect("closed", self._on_closed)

    def _on_admitted(self, client: Any, grant: Grant) -> None:
        with self._lock:
            connection = self._clients[client]
        connection.grant = grant
        if connection.place is not None and connection.place.standing is Standing.STRANGER:
            self._places.set_standing(connection.place, Standing.KNOWN)

    def _on_request(self, client: Any, context: Any) -> Any:
        with self._lock:
            connection = self._clients[client]
        self.mounts.watch(context.uri.abspath, connection)
        return self._gstreamer.rtsp.RTSPStatusCode.OK

    def _on_setup(self, client: Any, context: Any) -> Any:
        pipelines = sum(len(session.filter(None)) for session in client.session_filter(None))
        if pipelines >= PIPELINES_EACH:
            return self._gstreamer.rtsp.RTSPStatusCode.NOT_ENOUGH_BANDWIDTH
        return self._on_request(client, context)

    def _on_play(self, client: Any, context: Any) -> None:
        self._note_watching(client, True)
        self.mounts.ask_for_keyframe(context.uri.abspath)

    def _on_teardown(self, client: Any, _context: Any) -> None:
        self._note_watching(client, False)

    def _note_watching(self, client: Any, is_watching: bool) -> None:
        with self._lock:
            place = self._clients[client].place
            (self._watching.add if is_watching else self._watching.discard)(client)
        if place is not None:
            self._places.set_standing(place, Standing.BUSY if is_watching else Standing.KNOWN)

    def _on_closed(self, client: Any) -> None:
        with self._lock:
            connection = self._clients.pop(client)
            connection.release()
            self._watching.discard(client)
            self._lock.notify_all()
        self._leave(connection)
        self.mounts.forget(connection)

    def _leave(self, connection: RtspClient) -> None:
        if connection.place is not None:
            self._places.leave(connection.place)

    def _keep_house(self, *_: object) -> bool:
        """Look after all clients; a fault that got out would end the source, and nobody would do so again."""
        try:
            self._look_after_clients()
        except Exception:
            log.exception("looking after the clients of RTSP failed and is tried again")
        return True

    def _look_after_clients(self) -> None:
        """Forget sessions of clients that vanished, and end connections that may not go on."""
        self._server.get_session_pool().cleanup()
        with self._lock:
            clients = list(self._clients.items())
        for client, connection in clients:
            cause = self._over(client, connection)
            if cause is not None:
                self._ended[cause] += 1
                connection.close()

    def _over(self, client: Any, connection: RtspClient) -> str | None:
        """Say why a connection may not go on: what opened the door is gone, or it only costs."""
        place = connection.place
        if connection.grant is not None and not self._door.still_holds(connection.grant):
            return "access"
        if connection.sends_too_much:
            return "head"
        if place is None or self._monotonic_s() - place.since_s < self._limits.idle_s:
            return None
        is_watching = place.standing is Standing.BUSY and client.session_filter(None)
        return None if is_watching else "idle"
