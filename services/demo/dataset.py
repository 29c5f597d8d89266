"""Labelled pictures of demo scenes for the detector's training, in YOLO's folders.

The pictures have gone through H.264 as a camera's have. Scenes that are shipped or tested (seeds under
1000) are refused: a model that has seen them would prove nothing when it counts them.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from services.core.types import Box
from services.demo.encode import decode, encode
from services.demo.geometry import HEIGHT_PX, WIDTH_PX, Picture
from services.demo.scenes import DEMOS, AnyRenderer, AnyScene, renderer_of
from services.demo.script import FPS, Owners, SceneObject, ScriptedObject

FIRST_TRAINING_SEED = 1000
HIDDEN_LIMIT = 0.7
"""An object hidden by more than this share gets no box."""
HARDLY_HIDDEN = 0.25
"""Up to this share the whole scripted box is the label."""
SMALLEST_PX = 7
RARE_CLASSES = ("bicycle", "motorbike", "bus", "truck", "no_mask", "mask_incorrect")
WARM_UP = 3
"""Pictures encoded before the one that is kept, so that it is a predicted one as most of a camera's are."""

Found = tuple[ScriptedObject, Box]


def write_dataset(
    folder: Path,
    seeds: Iterable[int],
    pictures_per_seed: int,
    validation_seeds: Iterable[int] = (),
    duration_s: float = 60.0,
    demo: str = "traffic",
) -> int:
    """Writes images/{train,val} and labels/{train,val} of a demo; gives the number of pictures."""
    parts = [("train", list(seeds)), ("val", list(validation_seeds))]
    refused = [seed for _, part in parts for seed in part if seed < FIRST_TRAINING_SEED]
    if refused:
        raise ValueError(f"seeds under {FIRST_TRAINING_SEED} are kept for tests and the demo: {refused}")
    written = 0
    for name, part in parts:
        images, labels = folder / "images" / name, folder / "labels" / name
        images.mkdir(parents=True, exist_ok=True)
        labels.mkdir(parents=True, exist_ok=True)
        for seed in part:
            scene = DEMOS[demo].make(seed, duration_s)
            for number, picture, found in labelled(scene, pictures_per_seed):
                stem = f"demo_{seed}_{number:05d}"
                cv2.imwrite(str(images / f"{stem}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
                text = "".join(label(thing, box, DEMOS[demo].classes) for thing, box in found)
                (labels / f"{stem}.txt").write_text(text)
                written += 1
    return written


def labelled(scene: AnyScene, count: int) -> Iterator[tuple[int, Picture, list[Found]]]:
    """Pictures spread over the scene: frame number, picture after H.264, what is to be found in it."""
    renderer = renderer_of(scene)
    for number in moments(scene, count):
        pictures = iter([renderer.frame(number - WARM_UP + i) for i in range(WARM_UP + 1)])
        units = [data for _, data in encode(pictures)]
        picture = list(decode(iter(units)))[-1]
        yield number, picture, visible_boxes(renderer, number)


def moments(scene: AnyScene, count: int) -> list[int]:
    """Frame numbers: half spread evenly, half while one of the rarer classes is well in the picture."""
    chances = np.random.default_rng(scene.seed)
    first, last = 3 * FPS, scene.frames - 3 * FPS
    even = (count + 1) // 2
    chosen = {int(first + (last - first) * (slot + chances.random()) / even) for slot in range(even)}
    rare = [thing for thing in scene.objects if thing.class_name in RARE_CLASSES]
    for slot in range(count - even if rare else 0):
        times_s = rare[slot % len(rare)].track.times_s
        time_s = times_s[0] + (times_s[-1] - times_s[0]) * chances.uniform(0.2, 0.85)
        chosen.add(max(WARM_UP, int(time_s * FPS)))
    return sorted(chosen)


def visible_boxes(renderer: AnyRenderer, number: int) -> list[Found]:
    """What is to be found in a picture, with the box of its visible part."""
    owners: Owners = np.full((HEIGHT_PX, WIDTH_PX), -1, np.int16)
    renderer.clean(number, owners)
    found: list[Found] = []
    for thing, box, whole in renderer.whole(number):
        rows, columns = np.nonzero(owners == thing.number)
        hidden = 1.0 - len(rows) / max(whole, 1)
        if whole == 0 or hidden > HIDDEN_LIMIT or _too_small(box):
            continue
        if hidden > HARDLY_HIDDEN and not _ridden(thing):
            box = (
                float(columns.min()) / WIDTH_PX,
                float(rows.min()) / HEIGHT_PX,
                float(columns.max() + 1) / WIDTH_PX,
                float(rows.max() + 1) / HEIGHT_PX,
            )
        if not _too_small(box):
            found.append((thing, box))
    return found


def _ridden(thing: ScriptedObject) -> bool:
    """A bicycle is mostly lines, and its rider covers many of them: its box stays whole."""
    return isinstance(thing, SceneObject) and thing.body.kind in ("bicycle", "motorbike")


def _too_small(box: Box) -> bool:
    return (box[2] - box[0]) * WIDTH_PX < SMALLEST_PX or (box[3] - box[1]) * HEIGHT_PX < SMALLEST_PX


def label(thing: ScriptedObject, box: Box, classes: tuple[str, ...]) -> str:
    """One line of a YOLO label file."""
    number = classes.index(thing.class_name)
    centre_x, centre_y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return f"{number} {centre_x:.6f} {centre_y:.6f} {box[2] - box[0]:.6f} {box[3] - box[1]:.6f}\n"
