"""Accepts the connections of an RTSP port in the thread of its GLib loop, before GStreamer sees them.

GStreamer's own way of accepting knows no bound for an address, lets nobody give way, and goes round without
pause while no file descriptor is left.
"""

import logging
import socket
from collections.abc import Callable
from typing import Any

from services.common.connections.accepting import ROOM_MADE, log_exhausted
from services.common.connections.addresses import plain_address
from services.common.connections.descriptors import EXHAUSTED, ensure_left
from services.common.connections.places import Places
from services.common.connections.sparing import Sparing
from services.common.rtsp.client import RtspClient
from services.common.rtsp.gstreamer import GStreamer

log = logging.getLogger(__name__)

HEADROOM = 16
"""Descriptors that have to be left for one more client: GLib ends the process where a thread lacks one."""

RETRY_MS = 250
"""Wait before the next attempt where no descriptor is left."""


class RtspAcceptor:
    """Gives whoever finds a place to `hand_over`, which is called in the thread of the loop."""

    def __init__(
        self,
        gstreamer: GStreamer,
        context: Any,
        listening: socket.socket,
        places: Places,
        hand_over: Callable[[RtspClient, socket.socket, tuple[str, int]], None],
    ) -> None:
        """Accept from when the loop runs until `stop`; the listening socket is closed then."""
        self._gstreamer, self._context = gstreamer, context
        self._listening, self._places, self._hand_over = listening, places, hand_over
        self._refusals = Sparing()
        listening.setblocking(False)
        self._source = self._attach()

    def stop(self) -> None:
        """Accept nobody any more."""
        self._source.destroy()
        self._listening.close()

    def _attach(self, *_: object) -> Any:
        glib = self._gstreamer.glib
        source = glib.unix_fd_source_new(self._listening.fileno(), glib.IOCondition.IN)
        source.set_callback(self._on_client)
        source.attach(self._context)
        return source

    def _on_client(self, *_: object) -> bool:
        """Accept one client; False ends the source, which comes back after a while."""
        try:
            accepted, peer = self._listening.accept()
            with accepted:
                self._admit(accepted, (plain_address(str(peer[0])), int(peer[1])))
        except OSError as error:
            if error.errno not in EXHAUSTED:
                return True  # this client left before it was accepted
            log_exhausted()
            self._places.make_room(ROOM_MADE)
            self._pause()
            return False
        except Exception:  # would end the source, and nobody would ever be accepted again
            log.exception("an RTSP client could not be accepted")
        return True

    def _admit(self, accepted: socket.socket, peer: tuple[str, int]) -> None:
        ensure_left(HEADROOM)
        client = RtspClient(accepted)
        client.place = self._places.take(peer[0], client.close)
        if client.place is None:
            client.release()
            if self._refusals.is_new():
                log.warning("an RTSP client was refused: as many watch as may at once")
            return
        self._hand_over(client, accepted, peer)

    def _pause(self) -> None:
        source = self._gstreamer.glib.timeout_source_new(RETRY_MS)
        source.set_callback(self._resume)
        source.attach(self._context)
        self._source = source

    def _resume(self, *_: object) -> bool:
        self._source = self._attach()
        return False
