"""The process of one source: opens it, and sends its access units to the process that started it.

It is started anew for each connection, by `ApartConnection`; its standard input is the socket between them.
"""

import json
import os
import socket
import traceback
from functools import partial

from services.common.secrets import redact
from services.common.video.source import SourceUnit
from services.core.camera_address import AddressKind, kind_of
from services.core.codecs import Codec
from services.core.errors import StreamError
from services.core.sentences.sentence import Sentence, sentence
from services.ingest.apart.limits import OPENING_BYTES, OPENING_FILE_BYTES, PICTURE_BYTES, Watch
from services.ingest.apart.wire import (
    DAMAGED,
    HAS_TIME,
    HEAD,
    HEVC,
    KEYFRAME,
    REQUEST_LIMIT_BYTES,
    SIZE,
    TEXT_LIMIT_BYTES,
    UNIT,
    Exit,
    Kind,
    body_of,
)
from services.ingest.container import ContainerConnection
from services.ingest.dialling import Dialling, Transport
from services.ingest.loss import LossListener, listen_for_loss
from services.ingest.still import still_of


class _Starter:
    """The process that started this one."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def request(self) -> tuple[str, bool, Dialling]:
        """Give the address to open, whether a picture is wanted of it, and how a camera is dialled.

        It stands in no command line, since it carries a password.
        """
        with self._connection.makefile("rb") as reader:
            url, wants_picture, *how = json.loads(reader.readline(REQUEST_LIMIT_BYTES))
        transport, patience_s, minds_numbers = how
        dialling = Dialling(Transport(transport), float(patience_s), bool(minds_numbers))
        return str(url), bool(wants_picture), dialling

    def send(self, kind: Kind, *parts: bytes) -> None:
        """Send a message."""
        body = b"".join(parts)
        self._connection.sendall(HEAD.pack(kind, len(body)) + body)

    def send_text(self, kind: Kind, text: str) -> None:
        """Send a text."""
        self.send(kind, text.encode()[-TEXT_LIMIT_BYTES:])

    def refuse(self, what: Sentence) -> None:
        """Say why a source is not read, and end this process in the midst of whatever it does."""
        self.send(Kind.REFUSED, body_of(what))
        os._exit(0)

    def send_unit(self, unit: SourceUnit, resolution: tuple[int, int]) -> None:
        """Send an access unit."""
        flags = KEYFRAME * unit.is_keyframe | HAS_TIME * (unit.stream_s is not None)
        flags |= DAMAGED * unit.is_damaged | HEVC * (unit.codec is Codec.HEVC)
        self.send(Kind.UNIT, UNIT.pack(flags, unit.stream_s or 0.0, *resolution), unit.data)


def _loss(starter: _Starter, dialling: Dialling) -> LossListener | None:
    """Give what listens for packets that never came; None where their numbers say nothing."""
    if dialling.transport is Transport.UDP:
        return listen_for_loss()
    end = partial(starter.refuse, sentence("camera-numbers-restart"))
    return listen_for_loss(end) if dialling.minds_numbers else None


def _read(starter: _Starter, watch: Watch) -> None:
    url, wants_picture, dialling = starter.request()
    watch.start(OPENING_BYTES if kind_of(url) is AddressKind.NETWORK else OPENING_FILE_BYTES)
    connection = ContainerConnection.open(url, dialling, _loss(starter, dialling), starter.refuse)
    try:
        watch.opened(PICTURE_BYTES if wants_picture else 0)
        starter.send(Kind.OPENED, SIZE.pack(*connection.resolution))
        for unit in connection.units():
            if watch.is_ending:
                return
            starter.send_unit(unit, connection.resolution)
            if not wants_picture or not unit.is_keyframe:
                continue
            if (picture := still_of(unit.data, unit.codec)) is not None:
                starter.send(Kind.PICTURE, picture)
                wants_picture = False
        starter.send(Kind.ENDED)
    finally:
        connection.close()


def main() -> int:
    """Read one source to its end; gives the code with which the process ends."""
    connection = socket.socket(fileno=os.dup(0))
    starter = _Starter(connection)
    try:
        _read(starter, Watch(connection))
    except StreamError as error:
        starter.send(Kind.REFUSED, body_of(error.sentence))
    except MemoryError:
        return Exit.MEMORY
    except ConnectionError:
        return 0  # who started this one wants no more
    except Exception:
        starter.send_text(Kind.FAULT, redact(traceback.format_exc()))
        raise
    return 0
