"""The models that cameras may name, as the API lists them: web needs no engine for it."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from services.detector.infer.models import SUFFIX, WEIGHTS, read_info
from services.web.system import ModelEntry


def model_entries(folder: Path = WEIGHTS) -> Sequence[ModelEntry]:
    """Give the models that ship, by name; each file is read once, and again when it has changed."""
    return [_entry(path, path.stat().st_mtime_ns) for path in sorted(folder.glob(f"*{SUFFIX}"))]


@lru_cache(maxsize=64)
def _entry(path: Path, changed_ns: int) -> ModelEntry:
    info = read_info(path)
    return ModelEntry(info.name, info.classes)
