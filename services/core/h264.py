"""The sequence headers of H.264, read before anything is decoded. Pure."""

from services.core.sequences import Bits, Sequence

MACROBLOCK = 16

PLANES_PROFILE = 244
"""May carry its colours as three grey pictures, whose slices have other heads."""

PROFILES_WITH_CHROMA = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 144, 244})


def read_sequence(header: bytes) -> Sequence | None:
    """Read a sequence header, a NAL unit without its start code; None when it cannot be read."""
    try:
        return _read(Bits(header[1:]))
    except ValueError:
        return None


def _read(bits: Bits) -> Sequence:
    profile = bits.take(8)
    bits.take(16)  # constraints and level
    number = bits.unsigned()
    chroma = _read_chroma(bits) if profile in PROFILES_WITH_CHROMA else 1
    number_bits = bits.unsigned() + 4
    _skip_order(bits)
    references = bits.unsigned()
    may_skip = bool(bits.take(1))
    width = (bits.unsigned() + 1) * MACROBLOCK
    rows = bits.unsigned() + 1
    is_progressive = bits.take(1)
    height = rows * MACROBLOCK * (2 - is_progressive)
    bits.take(1 if is_progressive else 2)
    left, right, top, bottom = bits.window()
    step_x = 2 if chroma in (1, 2) else 1
    step_y = (2 if chroma == 1 else 1) * (2 - is_progressive)
    shown = width - step_x * (left + right), height - step_y * (top + bottom)
    if min(shown) <= 0:
        raise ValueError("nothing is shown")
    has_planes = chroma == 0 and profile == PLANES_PROFILE
    number_bits = 0 if has_planes else number_bits
    return Sequence(
        *shown, width, height, references, number=number, number_bits=number_bits, may_skip=may_skip
    )


def _read_chroma(bits: Bits) -> int:
    """Read the part that only the higher profiles have; gives the form of colour."""
    form = bits.unsigned()
    if form == 3 and bits.take(1):
        form = 0  # three planes, each coded as if it were grey
    bits.unsigned()
    bits.unsigned()
    bits.take(1)
    if bits.take(1):
        for number in range(12 if form == 3 else 8):
            if bits.take(1):
                _skip_scaling(bits, 16 if number < 6 else 64)
    return form


def _skip_scaling(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_order(bits: Bits) -> None:
    """Pass over how the order of pictures is given."""
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        count = bits.unsigned()
        if count > 255:
            raise ValueError("no header has so many")
        for _ in range(count):
            bits.signed()
