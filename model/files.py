"""Writing of model files: whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.core.errors import BadInputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file that takes the name `path` at the end; where the body fails nothing is left of it.

    BadInputError where it cannot be written, such as on a full disk.
    """
    partial = path.with_suffix(".partial")
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
