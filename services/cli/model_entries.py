"""The models that cameras may name, as the API lists them: web needs no engine for it."""

from collections.abc import Sequence

from services.detector.infer.models import available_models
from services.web.system import ModelEntry


def model_entries() -> Sequence[ModelEntry]:
    """Give the models that ship."""
    return [ModelEntry(info.name, info.classes) for info in available_models()]
