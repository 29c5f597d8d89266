"""The sequence headers of H.265 (HEVC), read before anything is decoded. Pure."""

from services.core.sequences import Bits, Sequence

UNIT_HEADER_BYTES = 2

PROFILE_BITS, LEVEL_BITS = 88, 8


def read_sequence(header: bytes) -> Sequence | None:
    """Read a sequence header, a NAL unit without its start code; None when it cannot be read."""
    try:
        return _read(Bits(header[UNIT_HEADER_BYTES:]))
    except ValueError:
        return None


def _read(bits: Bits) -> Sequence:
    bits.take(4)  # number of the header above this one
    layers = bits.take(3)
    bits.take(1)  # nesting
    _skip_profile(bits, layers)
    number = bits.unsigned()
    form = bits.unsigned()
    step_x, step_y = {1: (2, 2), 2: (2, 1)}.get(form, (1, 1))
    if form == 3:
        bits.take(1)  # three planes apart
    width, height = bits.unsigned(), bits.unsigned()
    left, right, top, bottom = bits.window()
    shown = width - step_x * (left + right), height - step_y * (top + bottom)
    if min(shown) <= 0:
        raise ValueError("nothing is shown")
    bits.unsigned()  # depth of brightness
    bits.unsigned()  # depth of colours
    bits.unsigned()  # length of picture numbers
    return Sequence(*shown, width, height, _read_references(bits, layers), number)


def _skip_profile(bits: Bits, layers: int) -> None:
    bits.take(PROFILE_BITS + LEVEL_BITS)
    has = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    bits.take(2 * (8 - layers) if layers else 0)
    for has_profile, has_level in has:
        bits.take(PROFILE_BITS * has_profile + LEVEL_BITS * has_level)


def _read_references(bits: Bits, layers: int) -> int:
    """Give how many pictures are kept beside the one that is decoded."""
    references = 0
    for _ in range(layers + 1 if bits.take(1) else 1):
        references = max(references, bits.unsigned())
        bits.unsigned()  # pictures that come out of order
        bits.unsigned()  # delay
    return references
