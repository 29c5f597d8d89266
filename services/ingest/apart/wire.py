"""What the process of one source sends to the process that started it: short heads and what follows. Pure."""

import json
import struct
from enum import IntEnum

from services.core.sentences.sentence import Sentence, is_sayable, plain, sentence_from

REQUEST_LIMIT_BYTES = 64_000
TEXT_LIMIT_BYTES = 4_000

HEAD = struct.Struct("!BI")
"""Kind of the message and bytes of its body."""

UNIT = struct.Struct("!BdHH")
"""Before an access unit: flags, stream's clock in seconds, width and height in pixels."""

SIZE = struct.Struct("!HH")
"""Body of `OPENED`: width and height in pixels."""

KEYFRAME, HAS_TIME, DAMAGED, HEVC = 1, 2, 4, 8


class Kind(IntEnum):
    """What a message is."""

    OPENED = 1
    UNIT = 2
    ENDED = 3
    REFUSED = 4
    """Its body is the reason, as a sentence in JSON."""
    FAULT = 5
    """Its body says what nobody foresaw."""
    PICTURE = 6
    """Its body is the first picture as a JPEG, where one was asked for."""


def body_of(what: Sentence) -> bytes:
    """Give the body of `REFUSED`; what is too long to be sent is cut to its text."""
    body = json.dumps([what.text, what.code, what.params]).encode()
    if len(body) <= TEXT_LIMIT_BYTES:
        return body
    return json.dumps([what.text[: TEXT_LIMIT_BYTES // 8], "", {}]).encode()


def sentence_of(body: bytes | bytearray) -> Sentence:
    """Read the body of `REFUSED`; a code or parameters beyond bounds leave the text alone."""
    text, code, params = json.loads(body)
    return sentence_from(text, code, params) if is_sayable(code, params) else plain(str(text))


class Exit(IntEnum):
    """With which code the process ends when it can send nothing any more."""

    MEMORY = 81
    PROCESSOR = 82
    UNWATCHED = 83
    """The watch over memory and processor time failed."""
