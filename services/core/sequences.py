"""What the sequence headers of H.264 and H.265 have in common: their bits, and what they say. Pure."""

from dataclasses import dataclass

READ_LIMIT_BYTES = 512
"""The size stands well before this, also behind full scaling lists."""

ESCAPE, ESCAPED = b"\x00\x00\x03", b"\x00\x00"


@dataclass(frozen=True, slots=True)
class Sequence:
    """The pictures of a stream."""

    width: int
    """Pixels of a row behind cropping."""
    height: int
    """Rows behind cropping."""
    coded_width: int
    """Pixels of a row that a decoder has in its memory."""
    coded_height: int
    references: int
    """Pictures that a decoder keeps to refer to."""
    number: int = 0
    """Of the header: a later one of the same number takes its place."""
    number_bits: int = 0
    """Bits of the number that each picture of H.264 carries; 0 where it cannot be read."""
    may_skip: bool = False
    """Whether such numbers may be left out though nothing is missing."""


class Bits:
    """Reads the bits of a header from the front; ValueError when they are used up."""

    def __init__(self, header: bytes) -> None:
        """Take a header behind its NAL unit header, as it was sent."""
        data = header[:READ_LIMIT_BYTES].replace(ESCAPE, ESCAPED)
        self._value, self._left = int.from_bytes(data), 8 * len(data)

    def take(self, count: int) -> int:
        """Give the next bits as a number."""
        self._left -= count
        if self._left < 0:
            raise ValueError("the header is too short")
        return self._value >> self._left & (1 << count) - 1

    def unsigned(self) -> int:
        """Give a number of variable length (Exp-Golomb)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("no number is this long")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """Give a number of variable length with its sign."""
        number = self.unsigned()
        return (number + 1) // 2 if number % 2 else -(number // 2)

    def window(self) -> tuple[int, int, int, int]:
        """Give by how much pictures are cropped, where they are: left, right, top, bottom."""
        if not self.take(1):
            return 0, 0, 0, 0
        return self.unsigned(), self.unsigned(), self.unsigned(), self.unsigned()
