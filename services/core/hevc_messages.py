"""The messages (SEI) of H.265 that a decoder needs: pure.

Cameras add messages of their own, not all of them well formed; a decoder that is told to stop at faults
refuses the whole picture for one.
"""

from services.core.codecs import START
from services.core.sequences import ESCAPE, ESCAPED

BEFORE, BEHIND = b"\x4e", b"\x50"
"""With what units of messages begin, before the slices of a picture and behind them."""

HEAD_BYTES = 2
END = b"\x80"

NEEDED = frozenset({0, 1, 47, 129, 147})
"""Kinds of messages: of which fields a picture is, how it is turned, its headers, and its brightness."""


def with_needed_messages(data: bytes) -> bytes:
    """Give an access unit in Annex B without the messages that its decoder needs not, or cannot read."""
    if START + BEFORE not in data and START + BEHIND not in data:
        return data
    first, *units = data.split(START)
    return START.join([first, *(unit for unit in units if _is_needed(unit))])


def _is_needed(unit: bytes) -> bool:
    if unit[:1] == BEHIND:
        return False
    return unit[:1] != BEFORE or _are_needed(unit[HEAD_BYTES:].rstrip(b"\0").replace(ESCAPE, ESCAPED))


def _are_needed(messages: bytes) -> bool:
    """Return whether messages are all of a needed kind, and whole."""
    at = 0
    while at + 2 < len(messages):
        kind, size = messages[at], messages[at + 1]
        if kind not in NEEDED or size == 0xFF:
            return False
        at += 2 + size
    return at > 0 and messages[at:] == END
