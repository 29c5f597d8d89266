"""Positions: the pieces of trajectories, and of which seconds they are all stored.

What is stored of a minute's seconds stands beside its evidence: `positions` names the seconds of which all
pieces were written before, `missing` those of which a piece was given up, whatever `positions` says.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from pymongo import ReplaceOne, UpdateOne

from services.common.database.documents import (
    analysed_id,
    date_of,
    minute_of,
    seconds_of,
    trajectory_document,
)
from services.common.database.link import Document
from services.core.trajectories import LONGEST_WHOLE_S
from services.core.types import CameraId, PositionSeconds, Trajectory

POSITION_FIELDS = ["time", "epoch", "connection", "seconds", "positions", "missing"]


def rest_changes(pieces: Iterable[Trajectory]) -> list[ReplaceOne[Document]]:
    """Write pieces of tracks at rest, which come again, longer: the longest stays, whatever the order.

    Where it is there already, or a longer one, the change fails as a duplicate, which changes nothing.
    """
    longest: dict[str, Trajectory] = {}
    for piece in pieces:
        known = longest.get(piece.piece_id)
        if known is None or known.points[-1].time_s < piece.points[-1].time_s:
            longest[piece.piece_id] = piece
    return [
        ReplaceOne({"_id": id, "time": {"$lt": date_of(piece.points[-1].time_s)}}, document, upsert=True)
        for id, piece in longest.items()
        for document in [trajectory_document(piece)]
    ]


def position_changes(words: Iterable[PositionSeconds]) -> list[UpdateOne]:
    """Write down of which seconds all positions are stored, and of which some are missing."""
    by_minute: dict[tuple[CameraId, int, int, int], dict[str, set[int]]] = defaultdict(
        lambda: {"positions": set(), "missing": set()}
    )
    for word in words:
        for second in word.seconds:
            place = word.camera, second // 60, word.epoch, word.connection
            by_minute[place]["missing" if word.are_missing else "positions"].add(second % 60)
    return [
        UpdateOne(
            {"_id": analysed_id(camera, minute, epoch, connection)},
            {
                "$setOnInsert": {
                    "camera": camera,
                    "time": date_of(minute * 60),
                    "epoch": epoch,
                    "connection": connection,
                },
                "$addToSet": {name: {"$each": sorted(found)} for name, found in facts.items() if found},
            },
            upsert=True,
        )
        for (camera, minute, epoch, connection), facts in by_minute.items()
    ]


def position_events(document: Document) -> Iterator[PositionSeconds]:
    """Give what a document of a minute says of its positions."""
    camera, epoch = CameraId(document["camera"]), document.get("epoch", 0)
    begin = minute_of(seconds_of(document["time"])) * 60
    for name in ("positions", "missing"):
        if seconds := tuple(begin + second for second in sorted(document.get(name, ()))):
            connection = document.get("connection", 0)
            yield PositionSeconds(camera, seconds, epoch, connection, are_missing=name == "missing")


def recountable(documents: Iterable[Document], deleted_s: float | None) -> Iterator[tuple[int, int]]:
    """Give minutes since 1970 with the seconds that were counted and whose positions are stored, as bits.

    Takes evidence in the order of time. Both have to be of one owner and its pictures. What is older than
    `deleted_s` has lost its positions.
    """
    first_s = -math.inf if deleted_s is None else deleted_s
    for minute, found in groupby(documents, lambda document: minute_of(seconds_of(document["time"]))):
        facts: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        for document in found:
            owner = document.get("epoch", 0), document.get("connection", 0)
            for place, name in enumerate(("seconds", "positions", "missing")):
                facts[owner][place] |= _bits(document.get(name, ()))
        seconds = 0
        for counted, stored, missing in facts.values():
            seconds |= counted & stored & ~missing
        yield minute, sum(1 << n for n in range(60) if seconds >> n & 1 and minute * 60 + n >= first_s)


def pieces_query(camera: str, from_s: float, to_s: float) -> dict[str, Any]:
    """Match the pieces of trajectories that were seen in a span, at least in part."""
    ends = {"$gte": date_of(from_s), "$lt": date_of(to_s + LONGEST_WHOLE_S)}
    return {"camera": camera, "time": ends, "start": {"$lt": date_of(to_s)}}


def _bits(seconds: Sequence[int]) -> int:
    bits = 0
    for second in seconds:
        bits |= 1 << second
    return bits
