"""What comes from the process of a source before anybody knows how large its pictures are."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from services.core.codecs import Codec
from services.core.errors import StreamError
from services.ingest.apart.connection import SIZE_WAIT_S, ApartConnection
from services.ingest.apart.wire import HEAD, HEVC, KEYFRAME, UNIT, Kind


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Process:
    """A connection whose process is played by the test."""

    def __init__(self, connection: ApartConnection, channel: socket.socket, clock: Clock) -> None:
        self.connection, self.clock, self._channel = connection, clock, channel

    def send(self, data: bytes, size: tuple[int, int], flags: int = 0) -> None:
        self._message(Kind.UNIT, UNIT.pack(flags, 0.0, *size) + data)

    def end(self) -> None:
        self._message(Kind.ENDED, b"")

    def _message(self, kind: Kind, body: bytes) -> None:
        self._channel.sendall(HEAD.pack(kind, len(body)) + body)


@pytest.fixture
def process() -> Iterator[Process]:
    ours, theirs = socket.socketpair()
    child = subprocess.Popen([sys.executable, "-c", ""])
    clock = Clock()
    connection = ApartConnection((0, 0), child, ours, _now_s=clock)
    with theirs:
        yield Process(connection, theirs, clock)
    connection.close()


def test_nothing_is_given_before_the_size_is_known(process: Process):
    process.send(b"middle", (0, 0))
    process.send(b"key", (640, 360), KEYFRAME | HEVC)
    process.send(b"next", (640, 360), HEVC)
    process.end()
    units = list(process.connection.units())
    assert [unit.data for unit in units] == [b"key", b"next"]
    assert {unit.codec for unit in units} == {Codec.HEVC}
    assert process.connection.resolution == (640, 360)


def test_a_camera_that_never_says_its_size_is_told_why(process: Process):
    units = process.connection.units()
    process.send(b"key", (640, 360), KEYFRAME)
    assert next(units).codec is Codec.H264
    process.clock.now_s += SIZE_WAIT_S + 1
    process.send(b"middle", (0, 0))
    with pytest.raises(StreamError, match="no key frame for 60 s"):
        next(units)
