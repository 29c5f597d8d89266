"""Directed lines of two or more points.

Everything here works in *height units*: y runs 0..1 and x runs 0..aspect (width / height of the
picture), so that distances are the same in all directions of the picture.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

from services.core.types import Anchor, Box, Point


def anchor_point(box: Box, anchor: Anchor) -> Point:
    """Give the point of a box that decides where its object is: its centre, or the middle of its foot."""
    x1, y1, x2, y2 = box
    return (x1 + x2) / 2, y2 if anchor == "foot" else (y1 + y2) / 2


def cross(a: Point, b: Point, p: Point) -> float:
    """Give (bx-ax)(py-ay) - (by-ay)(px-ax): positive on the right hand of a walker from a to b."""
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where a step of an object meets a line."""

    fraction: float
    """Share of the step that lies before the meeting, 0..1."""
    along: float
    """Place on the line by arc length, 0 at its start and 1 at its end."""
    sign: int
    """+1 from the negative to the positive side (forward), -1 the other way."""


class DirectedLine:
    """A line of two or more points in height units; its two ends go on as rays to distinguish the sides."""

    def __init__(self, points: tuple[Point, ...], aspect: float) -> None:
        scaled = [(x * aspect, y) for x, y in points]
        self._segments = [(a, b) for a, b in pairwise(scaled) if a != b]
        if not self._segments:
            raise ValueError("a line needs two different points")
        lengths = [math.dist(a, b) for a, b in self._segments]
        total = math.fsum(lengths)
        self._starts = [math.fsum(lengths[:i]) / total for i in range(len(lengths))]
        self._shares = [length / total for length in lengths]

    def signed_distance(self, p: Point) -> float:
        """Give the distance of p to the line with its rays, positive on its positive side."""
        best, sign = math.inf, 1.0
        last = len(self._segments) - 1
        for i, (a, b) in enumerate(self._segments):
            dx, dy = b[0] - a[0], b[1] - a[1]
            u = ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / (dx * dx + dy * dy)
            u = max(u, 0.0) if i > 0 else u
            u = min(u, 1.0) if i < last else u
            distance = math.hypot(p[0] - a[0] - u * dx, p[1] - a[1] - u * dy)
            if distance < best - 1e-12:
                best, sign = distance, self._sign(i, u, p)
        return best * sign

    def _sign(self, i: int, u: float, p: Point) -> float:
        """Give the side of p whose nearest point is at u of segment i; at a bend both segments decide.

        At a bend the sum of the two unit normals decides (the angle-weighted pseudo-normal of
        Bærentzen and Aanæs, 2005, in the plane), since either segment alone is wrong in the outer corner.
        """
        value = self._unit_cross(i, p)
        if u >= 1.0 and i + 1 < len(self._segments):
            value += self._unit_cross(i + 1, p)
        return -1.0 if value < 0 else 1.0

    def _unit_cross(self, i: int, p: Point) -> float:
        a, b = self._segments[i]
        return cross(a, b, p) / math.dist(a, b)

    def meetings(self, p: Point, q: Point) -> list[Meeting]:
        """Give where the step from p to q meets the finite line, in the order of the step.

        A point that lies exactly on a segment counts as on its negative side, so that a path which
        pauses there meets the line once.
        """
        found = []
        for i, (a, b) in enumerate(self._segments):
            before, after = cross(a, b, p), cross(a, b, q)
            if (before > 0) == (after > 0):
                continue
            fraction = before / (before - after)
            u = self._position(a, b, p, q, fraction)
            inside = 0 <= u <= 1 if i == len(self._segments) - 1 else 0 <= u < 1
            if inside:
                along = self._starts[i] + u * self._shares[i]
                found.append(Meeting(fraction, along, 1 if after > 0 else -1))
        return sorted(found, key=lambda meeting: meeting.fraction)

    @staticmethod
    def _position(a: Point, b: Point, p: Point, q: Point, fraction: float) -> float:
        x, y = p[0] + fraction * (q[0] - p[0]), p[1] + fraction * (q[1] - p[1])
        dx, dy = b[0] - a[0], b[1] - a[1]
        return ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy)
