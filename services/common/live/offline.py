"""The picture that is shown in place of a camera which gives none: its name, why, since when, and the time.

Players of an endless stream keep its last picture on the screen when no more comes: it looks alive.
"""

import asyncio
import math
import re
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime

import cv2
import numpy as np

from services.common.live.absence import Absence
from services.common.live.drawing import Canvas, Color
from services.core.errors import StreamError

HEADLINE = "NO PICTURE"
COMMON_SIZE = 640, 360
"""Of the picture where nothing is known of the camera's."""

BACKGROUND: Color = (44, 38, 34)
AMBER: Color = (60, 180, 255)
WHITE: Color = (245, 245, 245)
GREY: Color = (190, 190, 190)

FONT = cv2.FONT_HERSHEY_SIMPLEX
LEAST_SCALE = 0.33
"""Below this the font cannot be read; what has no room is left out instead."""

SHRINK = 0.9
MARGIN = 0.06
"""Share of the picture's width and height that stays free at each side."""

SPACING = 1.8
"""Distance of two lines of text, in heights of a letter."""

KEEP = "\N{NO-BREAK SPACE}"
BREAK = re.compile(r"[:;,(] ?")
"""Before this a long reason has said the most."""

FOREIGN = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "–": "-", "…": "...", "×": "x"})
KEPT = 32
"""Pictures that are remembered for others who want the same."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A text of the picture, before it is broken into lines."""

    words: str
    color: Color
    size: float = 1.0


@dataclass(frozen=True, slots=True)
class _Row:
    words: str
    color: Color
    scale: float
    width: int
    height: int


def plain_letters(text: str) -> str:
    """Give a text in the letters that the font has; one of other scripts has question marks."""
    split = unicodedata.normalize("NFKD", text.translate(FOREIGN))
    bare = "".join(letter for letter in split if not unicodedata.combining(letter))
    return bare.encode("ascii", "replace").decode("ascii")


def draw_absence(absence: Absence, size: tuple[int, int], now_s: float) -> Canvas:
    """Give the picture (BGR) of a width and height; a small one says less, and a tiny one nothing."""
    width, height = size
    canvas: Canvas = np.full((height, width, 3), BACKGROUND, np.uint8)
    cv2.rectangle(canvas, (0, 0), (width - 1, height - 1), AMBER, max(1, round(height / 120)))
    for texts in _choices(absence, now_s):
        rows = _fitting(texts, width, height)
        if rows:
            _write(canvas, rows)
            break
    return canvas


def _choices(absence: Absence, now_s: float) -> Iterator[list[_Text]]:
    """Give what to say, from the most to the least."""
    name = plain_letters(absence.name)
    if name.count("?") * 2 >= len(name):
        name = absence.camera
    head = [_Text(HEADLINE, AMBER, 1.5), _Text(name, WHITE, 1.2)]
    why = plain_letters(absence.why.text)
    since = [_Text(_clock("since", absence.since_s), GREY)] if absence.since_s else []
    now = _Text(_clock("now", now_s), GREY)
    brief, time_of_day = _Text(BREAK.split(why)[0], WHITE), _Text(_time_of_day(now_s), GREY)
    yield [*head, _Text(why, WHITE), *since, now]
    yield [*head, brief, *since, now]
    yield [*head, brief, time_of_day]
    yield [*head, time_of_day]
    yield head
    yield head[:1]


def _clock(what: str, time_s: float) -> str:
    """Give a time, which is never broken into two lines."""
    return datetime.fromtimestamp(time_s, UTC).strftime(f"{what} %Y-%m-%d %H:%M:%S UTC").replace(" ", KEEP)


def _time_of_day(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%H:%M:%S UTC").replace(" ", KEEP)


def _fitting(texts: Sequence[_Text], width: int, height: int) -> list[_Row]:
    """Give the rows in the largest letters in which all have room; none where that is nowhere."""
    room = round(width * (1 - 2 * MARGIN)), height * (1 - 2 * MARGIN)
    scale = max(LEAST_SCALE, min(height / 320, width / 400))
    while True:
        rows = [row for text in texts for row in _rows(text, max(LEAST_SCALE, scale * text.size), room[0])]
        high = sum(row.height * SPACING for row in rows)
        if high <= room[1] and all(row.width <= room[0] for row in rows):
            return rows
        if scale <= LEAST_SCALE:
            return []
        scale = max(LEAST_SCALE, scale * SHRINK)


def _rows(text: _Text, scale: float, most: int) -> Iterator[_Row]:
    """Break a text between words."""
    line = ""
    for word in text.words.split(" "):
        longer = f"{line} {word}".strip()
        if line and _width(longer, scale) > most:
            yield _row(line, text.color, scale)
            longer = word
        line = longer
    yield _row(line, text.color, scale)


def _row(words: str, color: Color, scale: float) -> _Row:
    words = words.replace(KEEP, " ")
    (width, height), _ = cv2.getTextSize(words, FONT, scale, _stroke(scale))
    return _Row(words, color, scale, width, height)


def _width(words: str, scale: float) -> int:
    return cv2.getTextSize(words.replace(KEEP, " "), FONT, scale, _stroke(scale))[0][0]


def _stroke(scale: float) -> int:
    return max(1, round(scale * 1.4))


def _write(canvas: Canvas, rows: Sequence[_Row]) -> None:
    height, width = canvas.shape[:2]
    y = (height - sum(row.height * SPACING for row in rows)) / 2
    for row in rows:
        y += row.height * SPACING
        place = (width - row.width) // 2, round(y - row.height * (SPACING - 1) / 2)
        cv2.putText(canvas, row.words, place, FONT, row.scale, row.color, _stroke(row.scale), cv2.LINE_AA)


class OfflinePictures:
    """Makes these pictures as JPEG, each once for all who want it in the same second; on one event loop."""

    def __init__(self, drawing: Executor, quality: int, now_s: Callable[[], float] = time.time) -> None:
        self._drawing, self._quality, self._now_s = drawing, quality, now_s
        self._made: OrderedDict[tuple[Absence, tuple[int, int], int], asyncio.Future[bytes]] = OrderedDict()

    async def of(self, absence: Absence, size: tuple[int, int] | None) -> bytes:
        """Give the picture of now; StreamError when it cannot be encoded."""
        now_s = math.floor(self._now_s())
        key = absence, size or COMMON_SIZE, now_s
        made = self._made.get(key)
        if made is None:
            loop = asyncio.get_running_loop()
            made = self._made[key] = loop.run_in_executor(self._drawing, self._make, *key)
            made.add_done_callback(lambda done: done.cancelled() or done.exception())
            if len(self._made) > KEPT:
                self._made.popitem(last=False)
        return await asyncio.shield(made)

    def _make(self, absence: Absence, size: tuple[int, int], now_s: float) -> bytes:
        canvas = draw_absence(absence, size, now_s)
        is_good, data = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        if not is_good:
            raise StreamError("picture-not-encoded")
        return bytes(data.tobytes())
