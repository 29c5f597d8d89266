"""One box for each object of what overlapping tiles and the whole picture found: pure.

A box that ends at a seam may be a piece. Where a whole box explains it, it goes; where another piece goes on
beyond the seam, both are joined; else it stays as what is known of the object. What is left overlaps little.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from services.core.boxes import areas, intersections, overlaps
from services.core.types import Box, Detection

SEAM = 0.012
"""How near to a tile's inner edge, in shares of the tile, a box ends that the edge may have cut."""

EXPLAINED = 0.5
"""Intersection over union of a piece with what its tile shows of a whole box, from which it is that box's."""

CONTAINED = 0.8
"""Share of a piece within a whole box of its class that is at least half as certain, from which it is that
box's."""

ACROSS = 0.3
"""Intersection over union from which two boxes of a class are of one object that two passes saw: the box of a
small object is a rough one where the whole picture was scaled down."""

SAME_EXTENT = 0.6
"""Intersection over union of two pieces along their seam, from which they are of one object."""

MOST_PIECES = 64
"""Pieces of a picture, the most certain ones, that may be joined: each is looked at with each."""

PICTURE: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class TileFinding:
    """A detection, and the part of the picture in which the network saw it."""

    item: Detection
    region: Box = PICTURE

    @property
    def cuts(self) -> tuple[bool, bool, bool, bool]:
        """Whether the left, top, right and bottom edge of its region may have cut it."""
        left, top, right, bottom = self.region
        x1, y1, x2, y2 = self.item.box
        near_x, near_y = SEAM * (right - left), SEAM * (bottom - top)
        return (
            left > 0 and x1 - left <= near_x,
            top > 0 and y1 - top <= near_y,
            right < 1 and right - x2 <= near_x,
            bottom < 1 and bottom - y2 <= near_y,
        )


def merged(found: Sequence[TileFinding], overlap: float) -> list[Detection]:
    """Give one detection for each object; `overlap` is that from which two of a class are one."""
    whole = _strongest([one for one in found if not any(one.cuts)], overlap)
    left = []
    for piece in (one for one in found if any(one.cuts)):
        explaining = _explaining(whole, piece)
        if explaining is None:
            left.append(piece)
        else:
            whole[explaining] = _confirmed(whole[explaining], piece.item)
    left.sort(key=lambda piece: (-piece.item.confidence, piece.item.box))
    joined = [*_joined(left[:MOST_PIECES]), *left[MOST_PIECES:]]
    return [one.item for one in _strongest([*whole, *joined], overlap)]


def _strongest(found: Sequence[TileFinding], overlap: float) -> list[TileFinding]:
    """Drop the weaker of two boxes of one class that overlap."""
    ordered = sorted(found, key=lambda one: -one.item.confidence)
    if not ordered:
        return []
    boxes, classes = _array([one.item.box for one in ordered]), [one.item.class_name for one in ordered]
    regions = [one.region for one in ordered]
    shared = overlaps(boxes, boxes)
    kept: list[int] = []
    for row in range(len(ordered)):
        near = (place for place in kept if shared[row, place] >= min(overlap, ACROSS))
        doubles = (
            classes[place] == classes[row]
            and (regions[place] != regions[row] or shared[row, place] >= overlap)
            for place in near
        )
        if not any(doubles):
            kept.append(row)
    return [ordered[row] for row in kept]


def _explaining(whole: Sequence[TileFinding], piece: TileFinding) -> int | None:
    """Give the place of the first whole box of which a piece is what its tile shows, whatever it looks."""
    if not whole:
        return None
    box, boxes = _array([piece.item.box]), _array([one.item.box for one in whole])
    left, top, right, bottom = piece.region
    seen = np.clip(boxes, [left, top, left, top], [right, bottom, right, bottom])
    is_seen = overlaps(box, seen)[0] >= EXPLAINED
    share = intersections(box, boxes)[0] / max(1e-12, float(areas(box)[0]))
    is_alike = [
        one.item.class_name == piece.item.class_name and 2 * one.item.confidence >= piece.item.confidence
        for one in whole
    ]
    explaining = np.flatnonzero(is_seen | (np.array(is_alike) & (share >= CONTAINED)))
    return int(explaining[0]) if len(explaining) else None


def _confirmed(whole: TileFinding, piece: Detection) -> TileFinding:
    """Give a whole box as certain as a piece of its class makes it."""
    if piece.class_name != whole.item.class_name:
        return whole
    return replace(whole, item=replace(whole.item, confidence=max(whole.item.confidence, piece.confidence)))


def _joined(pieces: Sequence[TileFinding]) -> list[TileFinding]:
    """Join pieces that go on in each other beyond a seam, until none is left that does."""
    left = list(pieces)
    while True:
        pair = next(
            ((one, two) for one, two in combinations(left, 2) if _goes_on(one, two) or _goes_on(two, one)),
            None,
        )
        if pair is None:
            return left
        left = [_union(*pair), *(piece for piece in left if piece not in pair)]


def _goes_on(one: TileFinding, two: TileFinding) -> bool:
    """Whether `two` is the rest of `one` to the right of its region, or below it."""
    if one.item.class_name != two.item.class_name or one.region == two.region:
        return False
    (_, _, right, bottom), (left, top, _, _) = one.cuts, two.cuts
    a, b = one.item.box, two.item.box
    if right and left and two.region[0] < one.region[2] < two.region[2]:
        return b[0] <= a[2] and _extent(a[1], a[3], b[1], b[3]) >= SAME_EXTENT
    if bottom and top and two.region[1] < one.region[3] < two.region[3]:
        return b[1] <= a[3] and _extent(a[0], a[2], b[0], b[2]) >= SAME_EXTENT
    return False


def _extent(a1: float, a2: float, b1: float, b2: float) -> float:
    """Give intersection over union of two spans."""
    shared = max(0.0, min(a2, b2) - max(a1, b1))
    return shared / max(1e-12, max(a2, b2) - min(a1, b1))


def _union(one: TileFinding, two: TileFinding) -> TileFinding:
    """Give what two pieces are together; the region is what both tiles show."""
    stronger = max(one.item, two.item, key=lambda item: item.confidence)
    item = replace(stronger, box=_around(one.item.box, two.item.box))
    return TileFinding(item, _around(one.region, two.region))


def _around(a: Box, b: Box) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _array(boxes: Sequence[Box]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array(boxes, np.float64).reshape(-1, 4)
