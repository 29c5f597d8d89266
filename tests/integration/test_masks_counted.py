"""The entrance counted: a detector that is often wrong far away finds its faces, and the vote is right."""

import random

import pytest

from services.core.model_classes import MaskCompliance
from services.core.types import MASK_CLASSES, Box, CameraId, Crossing, Detection
from services.demo.entrance.scene import Entrance, make_entrance
from services.demo.script import FPS, HEIGHT_PX, WIDTH_PX
from services.demo.truth import truth_of
from services.detector.analyser import Analyser
from tests.accuracy.scoring import Event, score

ANALYSED_FPS = 12.5
SEEDS = (1, 4, 7)


def detected(scene: Entrance, rng: random.Random, time_s: float) -> list[Detection]:
    """Faces found where the script says, some missed; small ones often with a wrong state."""
    found = []
    for one, box in scene.present(time_s):
        width_px = (box[2] - box[0]) * WIDTH_PX
        if rng.random() < 0.08:
            continue
        is_wrong = rng.random() < min(0.6, 6.0 / width_px)
        others = [name for name in MASK_CLASSES if name != one.class_name]
        name = rng.choice(others) if is_wrong else one.class_name
        found.append(Detection(shaken(box, rng), name, rng.uniform(0.35, 0.9)))
    return found


def shaken(box: Box, rng: random.Random) -> Box:
    """A box whose corners are off by up to a pixel."""
    dx, dy = rng.uniform(-1, 1) / WIDTH_PX, rng.uniform(-1, 1) / HEIGHT_PX
    return box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy


def counted(scene: Entrance) -> list[Crossing]:
    rng = random.Random(scene.seed)
    analyser = Analyser(CameraId("door"), WIDTH_PX / HEIGHT_PX, scene.lines)
    crossings: list[Crossing] = []
    for frame in range(0, scene.frames, round(FPS / ANALYSED_FPS)):
        time_s = frame / FPS
        crossings += analyser.update(frame, time_s, detected(scene, rng, time_s)).crossings
    return crossings


@pytest.mark.parametrize("seed", SEEDS)
def test_the_entrance_is_counted_by_state_as_scripted(seed: int) -> None:
    scene = make_entrance(seed)
    true, found = truth_of(scene), counted(scene)
    expected = [Event(one.time_s, one.direction, one.class_name) for one in true]
    result = score(
        f"entrance {seed}", expected, [Event(c.time_s, c.direction, c.mask or "") for c in found], 1.0
    )
    print(result)
    assert result.is_exact
    assert not result.missed, "each within a second of its scripted time"
    states = [{one.class_name: 1} for one in true]
    assert MaskCompliance.of(*({c.class_name: 1} for c in found)) == MaskCompliance.of(*states)
