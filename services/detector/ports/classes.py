"""Class numbers of the models that cameras name."""

import asyncio
import logging

from services.core.errors import BadInputError
from services.detector.infer.models import model_path, read_info
from services.detector.ports.frames import CLASS_IDS

log = logging.getLogger(__name__)


class ClassIds:
    """Numbers the classes of a model as the model does; each model's file is read once at most."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, int]] = {}

    async def of(self, model: str) -> dict[str, int]:
        """Give the number of each class; none for a model that cannot be read."""
        task = CLASS_IDS.get(model.removesuffix("-n").removesuffix("-s"))
        if task is not None:
            return task
        if model not in self._known:
            self._known[model] = await asyncio.to_thread(_read, model)
        return self._known[model]


def _read(model: str) -> dict[str, int]:
    try:
        path = model_path(model)
        classes = read_info(path).classes
    except BadInputError as error:
        log.warning("classes have no numbers: %s", error)
        return {}
    return {name: index for index, name in enumerate(classes)}
