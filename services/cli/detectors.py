"""Which detector a model's name stands for on this machine."""

from collections.abc import Sequence

from services.detector.infer.detector import Detector
from services.detector.infer.models import available_models, model_path
from services.detector.infer.select import fastest_engine
from services.web.system import ModelEntry


def make_detector(model: str) -> Detector:
    """Make a detector with the engine that is fastest on this machine."""
    path = model_path(model)
    return fastest_engine(path)(path)


def model_entries() -> Sequence[ModelEntry]:
    """Give the models that cameras may name."""
    return [ModelEntry(info.name, info.classes) for info in available_models()]
