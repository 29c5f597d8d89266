"""A client's connection to an RTSP server, which any thread may end."""

import errno
import os
import socket
import struct
import threading
import time
from collections.abc import Callable

from services.common.connections.places import Place
from services.common.rtsp.access import Grant

RECEIVED_AT = 128
"""Where the system says, in its structure of 64-bit numbers, how many bytes have come."""

REQUESTS_BYTES, REQUESTS_BYTES_S = 65_536, 1024
"""What requests and reports may come to: so much at once, and so much more for each second. GStreamer
itself would keep the lines of a request without end."""


class RtspClient:
    """Ends a connection by shutting its socket down: GStreamer's own thread of it then finds and closes it.

    GStreamer's `close` may be called by no other thread: one that is reading would read for ever.
    """

    def __init__(self, accepted: socket.socket, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        """Take a connection before GStreamer does; OSError when there is no descriptor for it."""
        self._monotonic_s = monotonic_s
        self._since_s = monotonic_s()
        self._socket = socket.socket(fileno=os.dup(accepted.fileno()))
        self._lock = threading.Lock()
        self.place: Place | None = None
        self.grant: Grant | None = None
        """What opened the door; None where there is none, or nothing has opened it yet."""

    @property
    def sends_too_much(self) -> bool:
        """Whether more has come than requests can need."""
        with self._lock:
            if self._socket.fileno() < 0:
                return False
            info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, RECEIVED_AT + 8)
        if len(info) < RECEIVED_AT + 8:
            return False
        (received,) = struct.unpack_from("Q", info, RECEIVED_AT)
        age_s = self._monotonic_s() - self._since_s
        return bool(received > REQUESTS_BYTES + REQUESTS_BYTES_S * age_s)

    def close(self) -> None:
        """End the connection soon, whatever waits to be sent. Called from any thread."""
        with self._lock:
            if self._socket.fileno() < 0:
                return
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                if error.errno != errno.ENOTCONN:
                    raise

    def release(self) -> None:
        """Let go of the socket when GStreamer has closed it: the other side sees its end no earlier."""
        with self._lock:
            self._socket.close()
