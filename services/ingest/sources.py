"""The sources that a camera's address can name, and whether anybody answers there."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from services.common.secrets import redact
from services.common.settings.cameras import CameraFiles
from services.common.video.source import Connection, PacedConnection, Source, SourceUnit
from services.core.camera_address import (
    DEFAULT_PORTS,
    AddressKind,
    check_place,
    dialled_address,
    has_encoded_login,
    kind_of,
    place_of,
    scheme_of,
)
from services.core.errors import BadInputError, StreamError
from services.core.sentences.sentence import Sentence, sentence
from services.ingest.apart.connection import ApartConnection
from services.ingest.dialling import OTHER_WAY, Dialler, Dialling, failure_of

PROBE_TIMEOUT_S = 0.5


class Opener(Protocol):
    """Opens an address in a process of its own; cameras as `dialling` says."""

    def __call__(self, url: str, *, dialling: Dialling = ...) -> ApartConnection:
        """Open it; StreamError when it cannot be opened."""


@dataclass(frozen=True, slots=True)
class _LearningConnection:
    """A session, of whose end the dialler learns."""

    inner: Connection
    learn: Callable[[Sentence], None]

    @property
    def resolution(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.inner.resolution

    def units(self) -> Iterator[SourceUnit]:
        """Give access units until the stream ends; StreamError when it breaks."""
        try:
            yield from self.inner.units()
        except StreamError as error:
            self.learn(error.sentence)
            raise

    def close(self) -> None:
        """Let go of the stream."""
        self.inner.close()


@dataclass(frozen=True, slots=True)
class RtspSource:
    """A camera that is dialled by RTSP: over TCP, or over UDP where that alone works."""

    url: str
    dialler: Dialler = field(default_factory=Dialler)

    def connect(self) -> Connection:
        """Open the session."""
        return _LearningConnection(self.open(ApartConnection.open), partial(self.dialler.learn, self.url))

    def open(self, opener: Opener) -> ApartConnection:
        """Open the session by an opener of one's own."""
        try:
            check_place(self.url)
        except BadInputError as error:
            raise StreamError(error.sentence) from None
        address, failures = dialled_address(self.url), []
        for dialling in self.dialler.ways(self.url):
            try:
                connection = opener(address, dialling=dialling)
            except StreamError as error:
                failures.append(error.sentence)
                self.dialler.learn(self.url, error.sentence)
                if error.sentence.code not in OTHER_WAY:
                    break
            else:
                self.dialler.remember(self.url, dialling.transport)
                return connection
        failure = failure_of(failures)
        if failure.code == "camera-login" and has_encoded_login(self.url):
            failure = sentence("camera-login-percent")
        raise StreamError(failure.masked(lambda text: redact(text, self.url, address)))


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
    url: str,
    files: CameraFiles | None = None,
    demo: Callable[[str], Source] | None = None,
    dialler: Dialler | None = None,
) -> Source:
    """Give the source that an address names; StreamError when it names none.

    `files` are the files that may be cameras; None leaves that to whoever gives the address. `demo` gives
    the source of a scripted scene; None: no scene is a camera here. `dialler` remembers how cameras are
    dialled; None: this one begins anew.
    """
    match kind_of(url):
        case AddressKind.NETWORK:
            return RtspSource(url, dialler or Dialler())
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
        return cls(place[0], place[1] or DEFAULT_PORTS[scheme_of(url)]) if place is not None else None

    def answers(self) -> bool:
        """Return whether somebody listens there; costs one connection and no more."""
        try:
            socket.create_connection((self.host, self.port), PROBE_TIMEOUT_S).close()
        except OSError:
            return False
        return True
