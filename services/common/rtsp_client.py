"""A client's connection to an RTSP server, which any thread may end."""

import errno
import os
import socket
import threading
import time
from typing import Any


class RtspClient:
    """Ends a connection by shutting its socket down: GStreamer's own thread of it then finds and closes it.

    GStreamer's `close` may be called by no other thread: one that is reading would read for ever.
    """

    def __init__(self, client: Any) -> None:
        """Take GStreamer's client when it has connected, before it is answered."""
        self.since_s = time.monotonic()
        handle = client.get_connection().get_read_socket().get_fd()
        self._socket = socket.socket(fileno=os.dup(handle))
        self._lock = threading.Lock()

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
