"""GStreamer and its RTSP server, which come from Debian and not from Python's package index.

Nothing is imported before `load_gstreamer` is called: everything but the two RTSP ports runs without it.
"""

import importlib
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from services.core.errors import SightlineError

DEBIAN_FOLDER = "/usr/lib/python3/dist-packages"
"""Where Debian keeps `gi`, which a Python of the same version (3.11 on Debian 12) can import."""

PACKAGES = (
    "python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
)
"""What the two RTSP ports need of Debian."""

NAMES = ("GLib", "Gio", "Gst", "GstRtsp", "GstRtspServer", "GstVideo")


@dataclass(frozen=True)
class GStreamer:
    """The libraries, which carry no types for Python."""

    glib: Any
    gio: Any
    gst: Any
    rtsp: Any
    server: Any
    video: Any


_loading = threading.Lock()


def load_gstreamer() -> GStreamer:
    """Give the libraries, ready for use; SightlineError says what to install when they are missing.

    Callable from any thread: `gi` cannot be imported by two at once.
    """
    with _loading:
        return _loaded()


def gstreamer_version() -> str | None:
    """Give the version of the libraries where this process has loaded them; it loads nothing."""
    if not _loaded.cache_info().currsize:
        return None
    return ".".join(str(number) for number in _loaded().gst.version()[:3])


@cache
def _loaded() -> GStreamer:
    try:
        _import_gi()
        libraries = GStreamer(*(_library(name) for name in NAMES))
    except (ImportError, ValueError) as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SightlineError(
            f"RTSP needs GStreamer, which Python {version} does not find ({error}): on Debian 12 with "
            f"Python 3.11, apt-get install {PACKAGES}"
        ) from None
    libraries.gst.init(None)
    return libraries


def require_elements(gstreamer: GStreamer, names: Sequence[str]) -> None:
    """SightlineError says what to install when GStreamer lacks an element."""
    missing = [name for name in names if gstreamer.gst.ElementFactory.find(name) is None]
    if missing:
        raise SightlineError(
            f"RTSP needs GStreamer's {', '.join(missing)}: on Debian 12, apt-get install {PACKAGES}"
        )


def _import_gi() -> None:
    try:
        importlib.import_module("gi")
    except ModuleNotFoundError:
        sys.path.append(DEBIAN_FOLDER)
        try:
            importlib.import_module("gi")
        finally:
            sys.path.remove(DEBIAN_FOLDER)


def _library(name: str) -> Any:
    if name not in ("GLib", "Gio"):
        importlib.import_module("gi").require_version(name, "1.0")
    return importlib.import_module(f"gi.repository.{name}")
