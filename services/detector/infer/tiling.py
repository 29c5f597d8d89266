"""Detection in overlapping tiles, for wide pictures whose small objects vanish when the whole is scaled down.

The network looks at each tile, and once at the whole picture so that large objects are found. Whatever a seam
cuts is put together again: see `merging`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from services.core.frames import Letterbox, Picture
from services.core.tiles import Tiles
from services.core.types import Box, Detection
from services.detector.infer.detector import Detector, ModelInfo
from services.detector.infer.merging import TileFinding, merged

OVERLAP = 0.15
"""Share of a tile's side that it has in common with the next: objects smaller than that are whole in one."""


@dataclass(frozen=True)
class TiledLetterbox(Letterbox):
    """Scales a picture so that each tile, not the whole picture, fills the network's input."""

    tiles: Tiles

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height of the scaled picture in pixels: as large as tiles that fill the input make it."""
        columns, rows = (_span(count) for count in (self.tiles.columns, self.tiles.rows))
        scale = min(
            self.input_width * columns / self.picture_width, self.input_height * rows / self.picture_height
        )
        return max(1, round(self.picture_width * scale)), max(1, round(self.picture_height * scale))

    @cached_property
    def scale(self) -> float:
        """Pixels of the scaled picture a picture pixel."""
        return self.size[0] / self.picture_width

    @cached_property
    def tile_size(self) -> tuple[int, int]:
        """Width and height of a tile in pixels of the scaled picture."""
        width, height = self.size
        return (
            min(self.input_width, round(width / _span(self.tiles.columns))),
            min(self.input_height, round(height / _span(self.tiles.rows))),
        )

    def places(self) -> Iterator[tuple[int, int]]:
        """Give the left and top of each tile in pixels of the scaled picture."""
        (width, height), (tile_width, tile_height) = self.size, self.tile_size
        for top in _starts(height - tile_height, self.tiles.rows):
            for left in _starts(width - tile_width, self.tiles.columns):
                yield left, top


class TiledDetector:
    """Implements `Detector` by another one, which looks at tiles and at the whole picture."""

    def __init__(self, inner: Detector, tiles: Tiles) -> None:
        self._inner, self._tiles = inner, tiles

    @property
    def info(self) -> ModelInfo:
        """The model behind it."""
        return self._inner.info

    @property
    def engine(self) -> str:
        """Name of the engine that computes it."""
        return self._inner.engine

    def letterbox(self, width: int, height: int) -> Letterbox:
        """Give how a picture of this size is scaled for `detect`."""
        info = self._inner.info
        return TiledLetterbox(info.input_width, info.input_height, width, height, self._tiles)

    def detect(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        """Find objects in a picture that was scaled to `letterbox.size`."""
        assert isinstance(letterbox, TiledLetterbox)
        width, height = letterbox.size
        tile_width, tile_height = letterbox.tile_size
        found = [TileFinding(item) for item in self._in_whole(scaled_rgb, letterbox, confidence)]
        for left, top in letterbox.places():
            region = (left / width, top / height, (left + tile_width) / width, (top + tile_height) / height)
            tile = np.ascontiguousarray(scaled_rgb[top : top + tile_height, left : left + tile_width])
            for item in self._in_picture(tile, confidence):
                found.append(TileFinding(_within(item, region), region))
        return merged(found, self._inner.info.overlap)

    def _in_whole(self, scaled_rgb: Picture, letterbox: TiledLetterbox, confidence: float) -> list[Detection]:
        inner = self._inner.letterbox(letterbox.picture_width, letterbox.picture_height)
        smaller = cv2.resize(scaled_rgb, inner.size, interpolation=cv2.INTER_AREA)
        return self._inner.detect(np.asarray(smaller, np.uint8), inner, confidence)

    def _in_picture(self, tile_rgb: Picture, confidence: float) -> list[Detection]:
        height, width = tile_rgb.shape[:2]
        inner = self._inner.letterbox(width, height)
        if inner.size != (width, height):
            tile_rgb = np.asarray(cv2.resize(tile_rgb, inner.size), np.uint8)
        return self._inner.detect(tile_rgb, inner, confidence)


def with_tiles(detector: Detector, tiles: str) -> Detector:
    """Give a detector that looks at tiles such as `2x1`; BadInputError where these are none."""
    parsed = Tiles.parse(tiles)
    return TiledDetector(detector, parsed) if parsed.passes > 1 else detector


def _span(count: int) -> float:
    """Give how many tiles long a row of overlapping ones is."""
    return count - (count - 1) * OVERLAP


def _starts(room_px: int, count: int) -> Iterator[int]:
    """Give where each of so many tiles begins, spread evenly."""
    return (round(number * room_px / max(1, count - 1)) for number in range(count))


def _within(item: Detection, region: Box) -> Detection:
    """Give a detection of a tile as one of the picture."""
    left, top, right, bottom = region
    x1, y1, x2, y2 = item.box
    width, height = right - left, bottom - top
    box = (left + x1 * width, top + y1 * height, left + x2 * width, top + y2 * height)
    return Detection(box, item.class_name, item.confidence)
