"""How access units travel between processes: one WebSocket message each, a short head and the data. Pure."""

import struct

from services.common.bus.messages import LATEST_TIME_S
from services.core.codecs import Codec
from services.core.errors import StreamError
from services.core.limits import UNIT_LIMIT_BYTES
from services.core.types import AccessUnit, CameraId

VERSION = 1

MESSAGE_LIMIT_BYTES = 2 * UNIT_LIMIT_BYTES
"""A key frame may have got its headers on top."""

MESSAGES_LIMIT = 2
"""Messages that wait for the loop beside the bounded queue that they go to."""

SOCKET_BUFFER_BYTES = 256 * 1024
"""What the system may hold for a reader that does not read. Its own measure is megabytes, which would be
half a minute of a small camera: video that nobody wants any more."""

_HEAD = struct.Struct("!BBQdQB")
"""Version, flags, frame, time in seconds, connection, length of the camera's id, which follows."""

_KEYFRAME = 1
_BACKLOG = 2
_DAMAGED = 4
_HEVC = 8


def encode_unit(unit: AccessUnit) -> bytes:
    """Give the message of an access unit."""
    camera = unit.camera.encode("ascii")
    flags = _KEYFRAME * unit.is_keyframe | _BACKLOG * unit.is_backlog
    flags |= _DAMAGED * unit.is_damaged | _HEVC * (unit.codec is Codec.HEVC)
    head = _HEAD.pack(VERSION, flags, unit.frame, unit.time_s, unit.connection, len(camera))
    return b"".join((head, camera, unit.data))


def decode_unit(message: bytes | str) -> AccessUnit:
    """Give the access unit of a message; StreamError when it holds none."""
    if isinstance(message, str) or len(message) < _HEAD.size:
        raise StreamError("video-not-picture")
    version, flags, frame, time_s, connection, length = _HEAD.unpack_from(message)
    if version != VERSION:
        raise StreamError("video-version", version=version, known=VERSION)
    data_at = _HEAD.size + length
    if len(message) < data_at or not 0 <= time_s <= LATEST_TIME_S:
        raise StreamError("video-not-picture")
    try:
        camera = CameraId(message[_HEAD.size : data_at].decode("ascii"))
    except UnicodeDecodeError:
        raise StreamError("video-not-picture") from None
    is_keyframe, is_backlog = bool(flags & _KEYFRAME), bool(flags & _BACKLOG)
    is_damaged, codec = bool(flags & _DAMAGED), Codec.HEVC if flags & _HEVC else Codec.H264
    data = message[data_at:]
    return AccessUnit(
        camera, frame, time_s, is_keyframe, data, connection, is_backlog, is_damaged=is_damaged, codec=codec
    )


def authorization(key: str) -> str:
    """Give the header that opens a video server."""
    return f"Bearer {key}"
