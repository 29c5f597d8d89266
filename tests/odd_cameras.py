"""Cameras with the habits of real ones, in threads of a test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fixtures.odd_camera import OddCamera, options_from


@contextmanager
def odd_camera(clip: Path, *habits: str) -> Iterator[OddCamera]:
    """A camera for the length of a test, which loops over the clip; `habits` as on its command line."""
    camera = OddCamera(options_from([str(clip), *habits]))
    thread = threading.Thread(target=camera.serve, daemon=True)
    thread.start()
    try:
        yield camera
    finally:
        camera.close()
        thread.join(5)
