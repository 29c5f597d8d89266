"""The command line, and the one process of `sightline up`."""

import os

from services.core.limits import STILL_LIMIT_PIXELS

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(STILL_LIMIT_PIXELS))
"""OpenCV reads this when it is loaded: a small file must not unfold into gigabytes."""
