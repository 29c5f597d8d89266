"""What the process of one source sends to the process that started it: short heads and what follows. Pure."""

import struct
from enum import IntEnum

REQUEST_LIMIT_BYTES = 64_000
TEXT_LIMIT_BYTES = 4_000

HEAD = struct.Struct("!BI")
"""Kind of the message and bytes of its body."""

UNIT = struct.Struct("!BdHH")
"""Before an access unit: flags, stream's clock in seconds, width and height in pixels."""

SIZE = struct.Struct("!HH")
"""Body of `OPENED`: width and height in pixels."""

KEYFRAME, HAS_TIME = 1, 2


class Kind(IntEnum):
    """What a message is."""

    OPENED = 1
    UNIT = 2
    ENDED = 3
    REFUSED = 4
    """Its body is the reason, as people read it."""
    FAULT = 5
    """Its body says what nobody foresaw."""


class Exit(IntEnum):
    """With which code the process ends when it can send nothing any more."""

    MEMORY = 81
    PROCESSOR = 82
    UNWATCHED = 83
    """The watch over memory and processor time failed."""
