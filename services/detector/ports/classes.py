"""Class numbers of the models that cameras name."""

import asyncio
import logging
from collections.abc import Collection

from services.core.errors import BadInputError
from services.core.tasks import classes_of_model
from services.detector.infer.models import model_path, read_info

log = logging.getLogger(__name__)


class ClassIds:
    """Numbers the classes of a model as the model does; each model's file is read once at most."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, int]] = {}

    def keep(self, models: Collection[str]) -> None:
        """Forget the models that no camera names any more."""
        for model in self._known.keys() - set(models):
            del self._known[model]

    async def of(self, model: str) -> dict[str, int]:
        """Give the number of each class; none for a model that cannot be read."""
        if model not in self._known:
            classes = classes_of_model(model)
            if classes is None:
                classes = await asyncio.to_thread(_read, model)
            self._known[model] = {name: index for index, name in enumerate(classes)}
        return self._known[model]


def _read(model: str) -> tuple[str, ...]:
    try:
        return read_info(model_path(model)).classes
    except BadInputError as error:
        log.warning("classes have no numbers: %s", error)
        return ()
