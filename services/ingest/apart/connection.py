"""A stream that is opened in a process of its own, with little memory and processor time (docs/adr/0021).

FFmpeg puts descriptions, packets and pictures together before anybody sees them. What it takes for that is
bounded by the process around it: a camera that sends too much ends its own process and nothing else.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from services.common.video.source import SourceUnit
from services.core.camera_address import secrets_of
from services.core.codecs import Codec
from services.core.errors import StreamError
from services.core.limits import TRIAL_LIMIT_BYTES, UNIT_LIMIT_BYTES
from services.core.sentences.sentence import sentence
from services.ingest.apart.limits import OPENING_S
from services.ingest.apart.wire import (
    DAMAGED,
    HAS_TIME,
    HEAD,
    HEVC,
    KEYFRAME,
    SIZE,
    TEXT_LIMIT_BYTES,
    UNIT,
    Exit,
    Kind,
    sentence_of,
)
from services.ingest.dialling import USUAL_DIALLING, Dialling

OPEN_MARGIN_S = 15.0
"""The process gives up by itself so long before nobody waits for it, also on a machine that is busy."""

READ_DEADLINE_S = 10.0

SIZE_WAIT_S = 60.0
"""So long the first key frame may take of a camera that says nowhere else how large its pictures are."""

END_DEADLINE_S = 0.5

LIMITS_BYTES = {Kind.UNIT: UNIT.size + 2 * UNIT_LIMIT_BYTES, Kind.PICTURE: TRIAL_LIMIT_BYTES}
"""A key frame may have got its headers on top; all else is a text."""

ROOT = Path(__file__).resolve().parents[3]

_LAUNCHER = """
import os, sys
sys.path.append(sys.argv[1])
from services.ingest.apart.child import main
os._exit(main())
"""

SECRETS = "SIGHTLINE_"
"""Variables of this name carry the passwords of databases, and others addresses of cameras with theirs; who
reads strangers' streams needs none."""

TOO_MUCH_MEMORY = {
    False: sentence("stream-opening-memory"),
    True: sentence("stream-reading-memory"),
}
TOO_MUCH_WORK = {
    False: sentence("stream-opening-work", seconds=OPENING_S),
    True: sentence("stream-reading-work"),
}
"""By whether the stream had been opened."""


@dataclass(slots=True)
class ApartConnection:
    """An open stream whose process gives its access units."""

    resolution: tuple[int, int]
    """Width and height in pixels, as the newest access unit has them; 0 before the first one."""
    _process: subprocess.Popen[bytes]
    _socket: socket.socket
    picture: bytes | None = None
    """The first picture as a JPEG, where it was asked for and has come."""
    _has_opened: bool = False
    _now_s: Callable[[], float] = time.monotonic

    @classmethod
    def open(
        cls,
        url: str,
        wants_picture: bool = False,
        on_start: Callable[["ApartConnection"], None] = lambda connection: None,
        dialling: Dialling = USUAL_DIALLING,
    ) -> "ApartConnection":
        """Start the process and have it open an address; StreamError says why it cannot.

        `on_start` is given the connection before it is open, to be able to end it by `abort`; `dialling` says
        how a camera is dialled.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = _start(theirs)
            except OSError as error:
                ours.close()
                raise StreamError("stream-no-process", reason=str(error.strerror)) from None
        connection = cls((0, 0), process, ours)
        try:
            on_start(connection)
            connection._begin(url, wants_picture, dialling)
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def pid(self) -> int:
        """The process that reads the stream."""
        return self._process.pid

    def _begin(self, url: str, wants_picture: bool, dialling: Dialling) -> None:
        self._socket.settimeout(dialling.limit_s + dialling.patience_s + OPEN_MARGIN_S)
        how = dialling.transport, dialling.patience_s, dialling.minds_numbers
        request = [url, wants_picture, *how]
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError:
            raise self._end() from None
        _, body = self._receive()
        self.resolution = SIZE.unpack(body)
        self._has_opened = True
        self._socket.settimeout(READ_DEADLINE_S)

    def units(self) -> Iterator[SourceUnit]:
        """Give access units until the stream ends; StreamError when it breaks or sends too much.

        Those from before the first key frame are given only where the size of their pictures is known: nobody
        could decode them.
        """
        give_up_s = self._now_s() + SIZE_WAIT_S
        while True:
            kind, body = self._receive()
            if kind is Kind.ENDED:
                return
            if kind is Kind.PICTURE:
                self.picture = bytes(body)
                continue
            flags, stream_s, width, height = UNIT.unpack_from(body)
            self.resolution = width, height
            if not all(self.resolution):
                if self._now_s() > give_up_s:
                    raise StreamError("stream-no-size", seconds=SIZE_WAIT_S)
                continue
            data = bytes(memoryview(body)[UNIT.size :])
            time_s = stream_s if flags & HAS_TIME else None
            codec = Codec.HEVC if flags & HEVC else Codec.H264
            yield SourceUnit(data, bool(flags & KEYFRAME), time_s, bool(flags & DAMAGED), codec)

    def _receive(self) -> tuple[Kind, bytearray]:
        """Give the next message that is no failure; StreamError for one."""
        number, length = HEAD.unpack(self._exactly(HEAD.size))
        kind = Kind(number)
        if length > LIMITS_BYTES.get(kind, TEXT_LIMIT_BYTES):
            raise StreamError("stream-reader-flood", bytes=length)
        body = self._exactly(length)
        if kind is Kind.REFUSED:
            raise StreamError(sentence_of(body))
        if kind is Kind.FAULT:
            raise RuntimeError(f"the reader of a camera's stream failed:\n{body.decode(errors='replace')}")
        return kind, body

    def _exactly(self, length: int) -> bytearray:
        data = bytearray(length)
        view = memoryview(data)
        try:
            while view:
                count = self._socket.recv_into(view)
                if not count:
                    raise self._end()
                view = view[count:]
        except TimeoutError:
            raise StreamError("camera-timeout") from None
        except ConnectionError:
            raise self._end() from None
        return data

    def _end(self) -> StreamError:
        """Say why the process is gone."""
        try:
            code = self._process.wait(END_DEADLINE_S)
        except subprocess.TimeoutExpired:
            return StreamError("stream-silent")
        if code == Exit.MEMORY:
            return StreamError(TOO_MUCH_MEMORY[self._has_opened])
        if code == Exit.PROCESSOR:
            return StreamError(TOO_MUCH_WORK[self._has_opened])
        return StreamError("stream-reader-ended", exit=code)

    def abort(self) -> None:
        """End the process at once. Callable from any thread: what waits for it fails."""
        self._process.kill()

    def close(self) -> None:
        """End the session in order, or else its process. Safe to call again."""
        self._socket.close()
        try:
            self._process.wait(END_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _start(channel: socket.socket) -> subprocess.Popen[bytes]:
    """Start the process in a session of its own, so that Ctrl-C reaches only its parent.

    It ends when the other end of its socket closes, which the system does also for a parent that is killed.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(SECRETS) and not secrets_of(value)
    }
    return subprocess.Popen(
        [sys.executable, "-I", "-B", "-c", _LAUNCHER, str(ROOT)],
        stdin=channel.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**environment, "MALLOC_ARENA_MAX": "1"},
        start_new_session=True,
    )
