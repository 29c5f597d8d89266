"""The sources that a camera's address can name."""

from dataclasses import dataclass
from pathlib import Path

from services.core.errors import StreamError
from services.ingest.apart.connection import ApartConnection
from services.ingest.paced import PacedConnection
from services.ingest.source import Connection, Source


@dataclass(frozen=True, slots=True)
class RtspSource:
    """A camera that is dialled by RTSP over TCP."""

    url: str

    def connect(self) -> Connection:
        """Open the session."""
        return ApartConnection.open(self.url)


@dataclass(frozen=True, slots=True)
class FileSource:
    """A video file, played at its own speed; each pass is a connection of its own."""

    path: Path

    def connect(self) -> Connection:
        """Open the file."""
        return PacedConnection(ApartConnection.open(str(self.path)))


def source_of(url: str) -> Source:
    """Give the source that an address names; StreamError when it names none."""
    if url.startswith(("rtsp://", "rtsps://")):
        return RtspSource(url)
    if url.startswith("demo://"):
        from services.ingest.demo.source import demo_source  # its scenes cost a service's start

        return demo_source(url)
    if "://" in url:
        raise StreamError(
            "this kind of address is not supported: give rtsp://, rtsps://, a file, demo://traffic "
            "or demo://masks"
        )
    return FileSource(Path(url))
