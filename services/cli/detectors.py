"""Which detector a model's name stands for on this machine."""

from services.detector.infer.detector import Detector
from services.detector.infer.models import model_path
from services.detector.infer.select import fastest_engine


def make_detector(model: str) -> Detector:
    """Make a detector with the engine that is fastest on this machine."""
    path = model_path(model)
    return fastest_engine(path)(path)
