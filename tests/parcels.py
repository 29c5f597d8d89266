"""Rendered pictures of a made-up class, labelled, and a clip in which one crosses a line."""

import json
from pathlib import Path

import cv2
import numpy as np

from services.core.frames import Picture

SIDE_PX = 128
COUNTS = {"train": 40, "val": 12}


def write_parcels(folder: Path) -> None:
    """Write the labelled folder `parcels` and, beside it, clip.mp4 and lines.json."""
    for start, (split, count) in enumerate(COUNTS.items()):
        for kind in ("images", "labels"):
            (folder / "parcels" / kind / split).mkdir(parents=True)
        for number in range(count):
            _write_picture(folder / "parcels", split, start * 1000 + number)
    data = {"train": "images/train", "val": "images/val", "names": ["parcel"]}
    (folder / "parcels" / "data.yaml").write_text(json.dumps(data), encoding="utf-8")
    line = {"id": "belt", "name": "Belt", "points": [[0.0, 0.5], [1.0, 0.5]]}
    (folder / "lines.json").write_text(json.dumps({"lines": [line]}), encoding="utf-8")
    _write_clip(folder / "clip.mp4")


def _write_picture(folder: Path, split: str, seed: int) -> None:
    chance = np.random.default_rng(seed)
    picture, side = _ground(chance), int(chance.integers(24, 44))
    x, y = (int(value) for value in chance.integers(0, SIDE_PX - side, 2))
    _draw(picture, x, y, side)
    cv2.imwrite(str(folder / "images" / split / f"day{seed}.png"), picture)
    row = (value / SIDE_PX for value in (x + side / 2, y + side / 2, side, side))
    text = " ".join(["0", *map(str, row)])
    (folder / "labels" / split / f"day{seed}.txt").write_text(f"{text}\n", encoding="utf-8")


def _write_clip(path: Path) -> None:
    ground = _ground(np.random.default_rng(7))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (SIDE_PX, SIDE_PX))
    for number in range(40):
        picture = ground.copy()
        _draw(picture, 48, 2 + 2 * number, 34)
        writer.write(picture)
    writer.release()


def _ground(chance: np.random.Generator) -> Picture:
    coarse = chance.integers(40, 90, (SIDE_PX // 8, SIDE_PX // 8, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC), np.uint8)


def _draw(picture: Picture, x: int, y: int, side: int) -> None:
    rim = side // 4
    cv2.rectangle(picture, (x, y), (x + side, y + side), (30, 220, 240), -1)
    cv2.rectangle(picture, (x + rim, y + rim), (x + side - rim, y + side - rim), (20, 20, 160), -1)
