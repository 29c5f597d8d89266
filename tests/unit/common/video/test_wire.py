import struct

import pytest

from services.common.video.wire import decode_unit, encode_unit
from services.core.codecs import Codec
from services.core.errors import StreamError
from services.core.types import AccessUnit


@pytest.mark.parametrize(
    "unit",
    [
        AccessUnit("gate", 0, 1_795_000_000.123456, True, b"\x00\x00\x00\x01\x67data", 1_795_000_000_123),
        AccessUnit("g", 2**40, 0.0, False, b"", 0, is_backlog=True),
        AccessUnit("gate", 1, 2.0, True, b"data", 3, codec=Codec.HEVC),
        AccessUnit("a" * 63, 7, 1.5, True, bytes(range(256)) * 4096, 3, is_backlog=True),
        AccessUnit("gate", 8, 2.5, False, b"x", 3, is_damaged=True),
        AccessUnit("gate", 9, 2.5, True, b"x", 3, is_backlog=True, is_damaged=True),
    ],
)
def test_what_is_sent_is_what_was_captured(unit: AccessUnit):
    assert decode_unit(encode_unit(unit)) == unit


def test_h264_is_sent_as_ever():
    data = encode_unit(AccessUnit("gate", 1, 2.0, True, b"data", 3, is_backlog=True))
    assert data == struct.pack("!BBQdQB", 1, 3, 1, 2.0, 3, 4) + b"gatedata"


GOOD = encode_unit(AccessUnit("gate", 0, 1.0, True, b"data"))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (b"", "no picture"),
        (b"\x01\x00\x00", "no picture"),
        ("text", "no picture"),
        (b"\x02" + GOOD[1:], "version 2"),
        (GOOD.replace(b"gate", b"g\xffte"), "no picture"),
        (GOOD[:28], "no picture"),
    ],
)
def test_what_is_no_picture_is_refused(message: bytes | str, words: str):
    with pytest.raises(StreamError, match=words):
        decode_unit(message)
