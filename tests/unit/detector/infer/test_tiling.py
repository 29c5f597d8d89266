"""What seams do to objects, exactly with a stub, and what tiles find with the model that ships."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.core.boxes import overlaps
from services.core.errors import BadInputError
from services.core.frames import Letterbox, Picture
from services.core.tiles import Tiles
from services.core.types import Box, CameraId, Detection, Line, LineId
from services.demo.dataset import visible_boxes
from services.demo.scenes import renderer_of
from services.demo.traffic import make_scene
from services.detector.analyser import Analyser
from services.detector.infer.detector import ModelInfo
from services.detector.infer.engines import OnnxRuntimeDetector
from services.detector.infer.merging import TileFinding, merged
from services.detector.infer.models import model_path
from services.detector.infer.tiling import TiledLetterbox, with_tiles

WIDTH, HEIGHT = 1280, 360
INFO = ModelInfo("stub", "traffic", ("car", "bus"), 640, 384, 0.25, 0.45, Path("stub.onnx"))


class ColourDetector:
    """Finds red rectangles as exactly as pixels allow; it misses small ones."""

    engine = "stub"
    info = INFO

    def __init__(self, least_px: int = 6) -> None:
        self.least_px, self.calls = least_px, 0

    def letterbox(self, width: int, height: int) -> Letterbox:
        return Letterbox(INFO.input_width, INFO.input_height, width, height)

    def detect(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        assert scaled_rgb.shape[1::-1] == letterbox.size
        self.calls += 1
        height, width = scaled_rgb.shape[:2]
        found = []
        _, _, stats, _ = cv2.connectedComponentsWithStats((scaled_rgb[:, :, 0] > 128).astype(np.uint8))
        for left, top, wide, high, _ in stats[1:]:
            if min(wide, high) >= self.least_px:
                box = (left / width, top / height, (left + wide) / width, (top + high) / height)
                found.append(Detection(box, "car", 0.8))
        return found


def _picture(boxes: Sequence[Box]) -> Picture:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for x1, y1, x2, y2 in boxes:
        corner = (round(x1 * WIDTH), round(y1 * HEIGHT)), (round(x2 * WIDTH) - 1, round(y2 * HEIGHT) - 1)
        cv2.rectangle(picture, *corner, (255, 0, 0), cv2.FILLED)
    return picture


def _found(picture: Picture, tiles: str, detector: ColourDetector | None = None) -> list[Detection]:
    tiled = with_tiles(detector or ColourDetector(), tiles)
    height, width = picture.shape[:2]
    letterbox = tiled.letterbox(width, height)
    scaled = cv2.resize(picture, letterbox.size, interpolation=cv2.INTER_AREA)
    return tiled.detect(np.asarray(scaled, np.uint8), letterbox, 0.1)


def _assert_same(found: Sequence[Detection], boxes: Sequence[Box]) -> None:
    assert len(found) == len(boxes)
    shared = overlaps(np.array([item.box for item in found]), np.array(boxes))
    assert (shared.max(axis=0) > 0.8).all()


SEAM_CASES = {
    "beside the seam": (0.2, 0.4, 0.24, 0.6),
    "within the overlap": (0.48, 0.4, 0.52, 0.6),
    "at the left tile's edge": (0.52, 0.4, 0.56, 0.6),
    "at the right tile's edge": (0.44, 0.4, 0.48, 0.6),
    "wider than the overlap": (0.4, 0.3, 0.6, 0.7),
    "as wide as the picture": (0.02, 0.3, 0.98, 0.9),
}


@pytest.mark.parametrize("tiles", ["2x1", "2x2", "3x2", "4x4"])
@pytest.mark.parametrize("box", SEAM_CASES.values(), ids=SEAM_CASES.keys())
def test_an_object_at_a_seam_is_one_object(box: Box, tiles: str):
    _assert_same(_found(_picture([box]), tiles), [box])


def test_halves_are_joined_where_the_whole_picture_shows_nothing():
    long_and_low = (0.3, 0.5, 0.7, 0.535)
    assert not _found(_picture([long_and_low]), "1x1", ColourDetector(least_px=9))
    for tiles in ("2x1", "3x1"):
        _assert_same(_found(_picture([long_and_low]), tiles, ColourDetector(least_px=9)), [long_and_low])


LEFT, RIGHT = (0.0, 0.0, 0.54, 1.0), (0.46, 0.0, 1.0, 1.0)


def test_a_piece_that_looks_like_another_class_is_the_whole_ones():
    bus = Detection((0.3, 0.3, 0.8, 0.7), "bus", 0.4)
    pieces = [
        TileFinding(Detection((0.3, 0.3, 0.54, 0.7), "car", 0.7), LEFT),
        TileFinding(Detection((0.46, 0.31, 0.8, 0.7), "bus", 0.6), RIGHT),
    ]
    assert merged([TileFinding(bus), *pieces], 0.45) == [replace(bus, confidence=0.6)]


def test_a_crowd_at_a_seam_is_merged_in_bounded_time():
    chance = np.random.default_rng(0)
    crowd = []
    for number in range(600):
        x, y = (float(value) for value in chance.random(2) * 0.1)
        region = (LEFT, RIGHT)[number % 2]
        box = (0.4 + x, y * 9, 0.46 + x, y * 9 + 0.05)
        crowd.append(TileFinding(Detection(box, "car", float(chance.random())), region))
    started_s = time.process_time()
    assert 10 < len(merged(crowd, 0.45)) < 600
    assert time.process_time() - started_s < 3


def test_two_objects_that_a_seam_parts_stay_two():
    boxes = [(0.3, 0.2, 0.49, 0.3), (0.51, 0.6, 0.7, 0.7)]
    _assert_same(_found(_picture(boxes), "2x1"), boxes)


def test_small_objects_are_found_in_tiles_alone():
    boxes = [(0.1 + 0.1 * number, 0.4, 0.108 + 0.1 * number, 0.43) for number in range(8)]
    stub = ColourDetector(least_px=8)
    assert not _found(_picture(boxes), "1x1", stub)
    _assert_same(_found(_picture(boxes), "2x1", ColourDetector(least_px=8)), boxes)


@pytest.mark.parametrize("tiles", ["1x1", "2x1", "3x3"])
def test_the_network_computes_as_often_as_is_told(tiles: str):
    stub = ColourDetector()
    _found(_picture([]), tiles, stub)
    assert stub.calls == Tiles.parse(tiles).passes


def test_a_crossing_at_a_seam_is_counted_once():
    line = Line(LineId("seam"), "Seam", ((0.5, 0.05), (0.5, 0.95)))
    analyser = Analyser(CameraId("wide"), WIDTH / HEIGHT, [line])
    crossings = []
    for frame in range(60):
        left = 0.2 + frame * 0.01
        found = _found(_picture([(left, 0.45, left + 0.06, 0.6)]), "2x1")
        assert len(found) == 1, frame
        crossings += analyser.update(frame, frame / 10, found).crossings
    assert [crossing.line for crossing in crossings] == ["seam"]


@pytest.mark.parametrize("tiles", ["", "0x1", "5x1", "2", "2x1x1", "2X1", "1x1\n", "x" * 1000])
def test_tiles_that_are_none_are_refused(tiles: str):
    with pytest.raises(BadInputError, match="columns by rows"):
        Tiles.parse(tiles)


@pytest.mark.parametrize("size", [(3840, 2160), (2560, 720), (640, 360), (360, 640), (64, 4000), (1, 1)])
@pytest.mark.parametrize("tiles", ["2x1", "1x4", "3x3", "4x4"])
def test_tiles_cover_the_picture_and_fill_no_more_than_the_input(size: tuple[int, int], tiles: str):
    letterbox = TiledLetterbox(640, 384, *size, Tiles.parse(tiles))
    width, height = letterbox.size
    tile_width, tile_height = letterbox.tile_size
    assert tile_width <= 640 and tile_height <= 384
    seen = np.zeros((height, width), bool)
    for left, top in letterbox.places():
        assert left >= 0 and left + tile_width <= width and top >= 0 and top + tile_height <= height
        seen[top : top + tile_height, left : left + tile_width] = True
    assert seen.all()


def _wide_street() -> tuple[Picture, list[Detection]]:
    """Eight moments of a rendered street as one picture of 2560x720, and the people and vehicles in it."""
    renderer = renderer_of(make_scene(seed=20, duration_s=60.0))
    pictures, things = [], []
    for place in range(8):
        frame, (row, column) = 60 + 65 * place, divmod(place, 4)
        pictures.append(renderer.frame(frame))
        for thing, (x1, y1, x2, y2) in visible_boxes(renderer, frame):
            box = ((column + x1) / 4, (row + y1) / 2, (column + x2) / 4, (row + y2) / 2)
            things.append(Detection(box, thing.class_name, 1.0))
    street = np.vstack([np.hstack(pictures[:4]), np.hstack(pictures[4:])])
    return np.asarray(street, np.uint8), things


def _recall(street_bgr: Picture, things: Sequence[Detection], tiles: str) -> tuple[float, int]:
    """Give the share of the people and vehicles that are found, and how many boxes match none."""
    detector = with_tiles(OnnxRuntimeDetector(model_path("traffic-n")), tiles)
    height, width = street_bgr.shape[:2]
    letterbox = detector.letterbox(width, height)
    found = [
        item
        for item in detector.detect(letterbox.resize(street_bgr), letterbox, 0.25)
        if item.class_name in ("person", "car", "bus", "truck")
    ]
    shared = overlaps(np.array([item.box for item in found]), np.array([thing.box for thing in things]))
    is_same = shared >= 0.4
    return float(is_same.any(axis=0).mean()), int((~is_same.any(axis=1)).sum())


def test_the_model_finds_more_of_a_wide_street_in_tiles():
    street, things = _wide_street()
    assert street.shape == (720, 2560, 3) and len(things) > 12
    whole, _ = _recall(street, things, "1x1")
    tiled, lone = _recall(street, things, "4x2")
    print(
        f"{len(things)} people and vehicles: recall {whole:.2f} whole, {tiled:.2f} in 4x2 tiles, {lone} lone"
    )
    assert tiled >= whole + 0.2
    assert tiled >= 0.6
    assert lone <= 3
