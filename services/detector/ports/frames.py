"""Tracked frames in the form of the JSON stream, which other programs parse, with their classes' numbers.

The stream is one JSON array that goes on as long as its reader stays: `[`, then frames separated by
commas, each on its line, and `]` when the camera is gone.
"""

import asyncio
import json
import math
import time
from collections.abc import Callable, Collection, Mapping

from services.common.wire import time_text
from services.core.types import TrackedFrame, TrackedObject
from services.detector.infer.file_watch import LOOK_S
from services.detector.infer.models import named_classes

BEGIN = b"[\n"
SEPARATOR = b",\n"
END = b"\n]\n"

UNKNOWN_CLASS = -1


def frame_head(number: int) -> bytes:
    """Give the beginning of a frame, which each reader counts for itself without a hole."""
    return b'{"frame_id":%d,' % number


def frame_rest(
    frame: TrackedFrame, class_ids: Mapping[str, int], resolution: tuple[int, int] | None
) -> bytes:
    """Give what follows the head, the same for all readers; what other programs do not know comes last."""
    objects = ",".join(_object(item, class_ids) for item in frame.objects)
    size = f',"resolution":{{"w":{resolution[0]},"h":{resolution[1]}}}' if resolution else ""
    return f'"objects":[{objects}],"time":"{time_text(frame.time_s)}"{size}}}'.encode()


def _object(item: TrackedObject, class_ids: Mapping[str, int]) -> str:
    x1, y1, x2, y2 = item.box
    mask = f',"mask":{json.dumps(item.mask)}' if item.mask is not None else ""
    return (
        f'{{"class_id":{class_ids.get(item.class_name, UNKNOWN_CLASS)},"name":{json.dumps(item.class_name)},'
        f'"relative_coordinates":{{"center_x":{(x1 + x2) / 2:.6f},"center_y":{(y1 + y2) / 2:.6f},'
        f'"width":{x2 - x1:.6f},"height":{y2 - y1:.6f}}},"confidence":{item.confidence:.6f},'
        f'"track_id":{item.track}{mask}}}'
    )


class ClassIds:
    """Numbers the classes of a model as the model does; a model's file is looked at every few seconds."""

    def __init__(self, steady_s: Callable[[], float] = time.monotonic) -> None:
        self._steady_s = steady_s
        self._known: dict[str, tuple[float, dict[str, int]]] = {}

    async def of(self, model: str) -> dict[str, int]:
        """Give the number of each class; of a file that cannot be read any more those that it had."""
        looked_s, ids = self._known.get(model, (-math.inf, {}))
        if self._steady_s() - looked_s >= LOOK_S:
            classes = await asyncio.to_thread(named_classes, model)
            ids = ids if classes is None else {name: index for index, name in enumerate(classes)}
            self._known[model] = self._steady_s(), ids
        return ids

    def keep(self, models: Collection[str]) -> None:
        """Forget the models that no camera names any more."""
        for model in self._known.keys() - set(models):
            del self._known[model]
