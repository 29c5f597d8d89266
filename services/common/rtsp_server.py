"""An RTSP server (TCP and UDP) whose streams come and go, each filled only while somebody watches it.

Each client is answered on one of a few threads of GStreamer's. A client that takes its pictures too
slowly loses some and is in the end cut off by GStreamer; it delays nobody.
"""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from services.common.gstreamer import load_gstreamer, require_elements
from services.common.http_access import Check
from services.common.listening import ensure_free
from services.common.rtsp_access import Door, make_authentication
from services.common.rtsp_client import RtspClient
from services.common.rtsp_mounts import RtspMounts
from services.core.errors import BadInputError

log = logging.getLogger(__name__)

CLIENT_LIMIT = 64
"""Connections at once; more are refused."""

THREAD_LIMIT = 16
"""Threads that answer requests: a password that is being checked holds up few others, and no pictures."""

REQUEST_LIMIT_BYTES = 16_384
IDLE_S = 20.0
"""A connection that has set nothing up for this long is closed."""

HOUSEKEEPING_S = 2
STOP_TIMEOUT_S = 5.0


class RtspServer:
    """Listens from when it is made until `stop`."""

    def __init__(
        self, host: str, port: int, check: Check | None, elements: Sequence[str], option: str = "--port"
    ) -> None:
        """Listen on a port (0: any free one) for whom `check` knows (None: everybody).

        SightlineError when GStreamer or one of its elements is missing; BadInputError, which names the
        option that gives another, when the port cannot be had.
        """
        self._gstreamer = load_gstreamer()
        require_elements(self._gstreamer, elements)
        ensure_free(host, port, option)
        self._lock = threading.Condition(threading.Lock())
        self._clients: dict[Any, RtspClient] = {}
        self._watching: set[Any] = set()
        self.refused = 0
        """Connections beyond the limit."""
        self._server = self._make_server(host, port, Door(check))
        self.mounts = RtspMounts(self._gstreamer, self._server.get_mount_points())
        glib = self._gstreamer.glib
        self._context = glib.MainContext()
        self._loop = glib.MainLoop(self._context)
        self._sources = [self._accepting(host, port), self._housekeeping()]
        self.port = int(self._server.get_bound_port())
        self._thread = threading.Thread(target=self._loop.run, name=f"rtsp-{self.port}", daemon=True)
        self._thread.start()

    @property
    def watchers(self) -> int:
        """Clients that watch now."""
        with self._lock:
            return len(self._watching)

    def stop(self) -> None:
        """End the server's thread, so that nobody else is let in, and then all clients."""
        for source in self._sources:
            source.destroy()
        self._sources.clear()
        self._quit()
        self._thread.join(STOP_TIMEOUT_S)
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

    def _make_server(self, host: str, port: int, door: Door) -> Any:
        server = self._gstreamer.server.RTSPServer()
        server.set_address(host.strip("[]"))
        server.set_service(str(port))
        server.set_content_length_limit(REQUEST_LIMIT_BYTES)
        server.get_thread_pool().set_max_threads(THREAD_LIMIT)
        server.set_auth(make_authentication(self._gstreamer, door, self._has_room))
        server.connect("client-connected", self._on_client)
        return server

    def _accepting(self, host: str, port: int) -> Any:
        try:
            source = self._server.create_source(None)
        except self._gstreamer.glib.Error as error:
            raise BadInputError(f"cannot listen on {host} port {port}: {error.message}") from None
        source.attach(self._context)
        return source

    def _housekeeping(self) -> Any:
        source = self._gstreamer.glib.timeout_source_new_seconds(HOUSEKEEPING_S)
        source.set_callback(self._keep_house)
        source.attach(self._context)
        return source

    def _has_room(self) -> bool:
        with self._lock:
            if len(self._clients) < CLIENT_LIMIT:
                return True
            self.refused += 1
        log.warning("an RTSP client was refused: %d are connected", CLIENT_LIMIT)
        return False

    def _on_client(self, _server: Any, client: Any) -> None:
        with self._lock:
            self._clients[client] = RtspClient(client)
        for signal in ("pre-describe-request", "pre-setup-request"):
            client.connect(signal, self._on_request)
        client.connect("play-request", self._on_play)
        client.connect("teardown-request", self._on_teardown)
        client.connect("closed", self._on_closed)

    def _on_request(self, client: Any, context: Any) -> Any:
        with self._lock:
            connection = self._clients[client]
        self.mounts.watch(context.uri.abspath, connection)
        return self._gstreamer.rtsp.RTSPStatusCode.OK

    def _on_play(self, client: Any, context: Any) -> None:
        with self._lock:
            self._watching.add(client)
        self.mounts.ask_for_keyframe(context.uri.abspath)

    def _on_teardown(self, client: Any, _context: Any) -> None:
        with self._lock:
            self._watching.discard(client)

    def _on_closed(self, client: Any) -> None:
        with self._lock:
            connection = self._clients.pop(client)
            connection.release()
            self._watching.discard(client)
            self._lock.notify_all()
        self.mounts.forget(connection)

    def _keep_house(self, *_: object) -> bool:
        """Forget sessions of clients that vanished, and close connections that ask for nothing."""
        self._server.get_session_pool().cleanup()
        before_s = time.monotonic() - IDLE_S
        with self._lock:
            old = [(client, own) for client, own in self._clients.items() if own.since_s < before_s]
        for client, connection in old:
            if not client.session_filter(None):
                connection.close()
        return True
