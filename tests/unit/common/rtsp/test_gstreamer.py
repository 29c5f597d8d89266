"""GStreamer is loaded by one thread at a time: its import breaks when two of them begin it together."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from services.common.rtsp import gstreamer


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The libraries that were loaded, by a loader that fails when it is entered a second time."""
    entered, loaded = threading.Lock(), []

    def library(name: str) -> SimpleNamespace:
        assert entered.acquire(blocking=False), "two threads load at once"
        time.sleep(0.01)
        loaded.append(name)
        entered.release()
        return SimpleNamespace(init=lambda arguments: None)

    monkeypatch.setattr(gstreamer, "_import_gi", lambda: None)
    monkeypatch.setattr(gstreamer, "_library", library)
    gstreamer._loaded.cache_clear()
    yield loaded
    gstreamer._loaded.cache_clear()


def test_two_threads_load_it_once(loads: list[str]) -> None:
    start = threading.Barrier(2)

    def load() -> gstreamer.GStreamer:
        start.wait()
        return gstreamer.load_gstreamer()

    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(load) for _ in range(2))
        assert first.result() is second.result()
    assert loads == list(gstreamer.NAMES)
