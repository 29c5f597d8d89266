"""The sources that a camera's address can name, and whether anybody answers there."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.common.secrets import redact
from services.common.settings.cameras import CameraFiles
from services.common.video.source import Connection, PacedConnection, Source
from services.core.camera_address import AddressKind, kind_of, place_of
from services.core.errors import BadInputError, StreamError
from services.ingest.apart.connection import ApartConnection

RTSP_PORT = 554
PROBE_TIMEOUT_S = 0.5

Opener = Callable[[str], ApartConnection]
"""Opens an address in a process of its own."""


@dataclass(frozen=True, slots=True)
class RtspSource:
    """A camera that is dialled by RTSP over TCP."""

    url: str

    def connect(self) -> Connection:
        """Open the session."""
        return self.open(ApartConnection.open)

    def open(self, opener: Opener) -> ApartConnection:
        """Open the session by an opener of one's own."""
        scheme, _, rest = self.url.partition(":")
        try:
            return opener(f"{scheme.lower()}:{rest}")
        except StreamError as error:
            raise StreamError(error.sentence.masked(lambda text: redact(text, self.url))) from None


@dataclass(frozen=True, slots=True)
class FileSource:
    """A video file, played at its own speed; each pass is a connection of its own."""

    path: str
    files: CameraFiles | None = None
    """Which files may be opened; None: all."""

    def connect(self) -> Connection:
        """Open the file, to be played at its own speed."""
        return PacedConnection(self.open(ApartConnection.open))

    def open(self, opener: Opener) -> ApartConnection:
        """Open it where it really lies; FFmpeg takes only a whole path for a path whatever its name."""
        try:
            real = self.files.real_path(self.path) if self.files is not None else Path(self.path).absolute()
        except BadInputError as error:
            raise StreamError(error.sentence) from None
        return opener(str(real))


def source_of(
    url: str, files: CameraFiles | None = None, demo: Callable[[str], Source] | None = None
) -> Source:
    """Give the source that an address names; StreamError when it names none.

    `files` are the files that may be cameras; None leaves that to whoever gives the address. `demo` gives
    the source of a scripted scene; None: no scene is a camera here.
    """
    match kind_of(url):
        case AddressKind.NETWORK:
            return RtspSource(url)
        case AddressKind.DEMO if demo is not None:
            return demo(url)
        case AddressKind.FILE:
            return FileSource(url, files)
    raise StreamError("stream-kind-unsupported")


@dataclass(frozen=True, slots=True)
class Presence:
    """The network address behind a camera's URL: a camera that is back there is dialled at once."""

    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Presence | None":
        """Give the address of a network camera, None for files and scenes."""
        place = place_of(url)
        return cls(place[0], place[1] or RTSP_PORT) if place is not None else None

    def answers(self) -> bool:
        """Return whether somebody listens there; costs one connection and no more."""
        try:
            socket.create_connection((self.host, self.port), PROBE_TIMEOUT_S).close()
        except OSError:
            return False
        return True
