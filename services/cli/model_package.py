"""The package `model`, which needs the extra `train`: loaded by the commands that use it."""

import importlib
from types import ModuleType

from services.core.errors import BadInputError

EXTRA_PACKAGES = {"torch", "onnx", "matplotlib"}


def load(name: str) -> ModuleType:
    """Load `model.NAME`; BadInputError names the command that installs what is missing."""
    try:
        return importlib.import_module(f"model.{name}")
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package in EXTRA_PACKAGES:
            raise BadInputError(
                f"{package} is missing: run scripts/setup.sh --train in Sightline's folder"
            ) from error
        raise
