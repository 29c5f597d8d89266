"""Tells whether a camera's address answers at all, so that a camera that is back is dialled at once."""

import socket
from dataclasses import dataclass

from services.core.camera_address import place_of

RTSP_PORT = 554
PROBE_TIMEOUT_S = 0.5


@dataclass(frozen=True, slots=True)
class Presence:
    """The network address behind a camera's URL."""

    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Presence | None":
        """Give the address of a network camera, None for files and scenes."""
        place = place_of(url)
        return cls(place[0], place[1] or RTSP_PORT) if place is not None else None

    def answers(self) -> bool:
        """Tell whether somebody listens there; costs one connection and no more."""
        try:
            socket.create_connection((self.host, self.port), PROBE_TIMEOUT_S).close()
        except OSError:
            return False
        return True
