"""Into how many tiles a wide picture is cut for the detector, and what that costs. Pure."""

import re
from dataclasses import dataclass

from services.core.errors import BadInputError

WHOLE = "1x1"
"""One tile: the picture is looked at once, as a whole."""

MOST_TILES = 4
"""Columns at most, and rows."""

TILES_PATTERN = re.compile(r"[1-4]x[1-4]")


@dataclass(frozen=True, slots=True)
class Tiles:
    """Columns and rows of overlapping tiles."""

    columns: int = 1
    rows: int = 1

    @classmethod
    def parse(cls, text: str) -> "Tiles":
        """Read `3x2`, columns by rows; BadInputError says what may stand there."""
        if TILES_PATTERN.fullmatch(text) is None:
            raise BadInputError("tiles-invalid", tiles=text[:20], most=MOST_TILES)
        columns, rows = text.split("x")
        return cls(int(columns), int(rows))

    @property
    def passes(self) -> int:
        """How often the network computes for one picture: for each tile, and once for the whole picture."""
        tiles = self.columns * self.rows
        return tiles + 1 if tiles > 1 else 1
