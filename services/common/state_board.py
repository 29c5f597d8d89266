"""What is told of cameras' streams, by this process and by others: pure, safe for threads.

The newest news of a camera wins. News of other processes is repeated each second; when it has not been
heard for a while, its process is gone and the camera is shown as degraded.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from services.common.messages import CameraNews, ToldRate, ToldState
from services.core.types import CameraId, CameraState, CameraStatus

T = TypeVar("T", ToldState, ToldRate)

SILENCE_S = 5.0
"""News that was not repeated for this long is of a process that is gone."""

NOBODY_TELLS = "no ingest service tells of this camera"


@dataclass(frozen=True, slots=True)
class _Heard(Generic[T]):
    told: T
    until_s: float
    """When it is taken to be out of date unless it is heard again."""


class _Table(Generic[T]):
    """What each process told last of each camera."""

    def __init__(self) -> None:
        self._heard: dict[CameraId, dict[str, _Heard[T]]] = {}

    def put(self, camera: CameraId, process: str, told: T, until_s: float) -> None:
        self._heard.setdefault(camera, {})[process] = _Heard(told, until_s)

    def remove(self, camera: CameraId, process: str) -> T | None:
        heard = self._heard.get(camera, {}).pop(process, None)
        return heard.told if heard is not None else None

    def newest(self, camera: CameraId, now_s: float) -> T | None:
        known = self._heard.get(camera, {})
        for process in [process for process, heard in known.items() if heard.until_s < now_s]:
            del known[process]
        return max((heard.told for heard in known.values()), key=lambda told: told.told_s, default=None)


class StateBoard:
    """Gives the state of each camera from all that is told."""

    def __init__(
        self,
        process: str,
        now_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._process, self._now_s, self._monotonic_s = process, now_s, monotonic_s
        self._lock = threading.Lock()
        self._own = CameraNews(process)
        self._changed = CameraNews(process)
        self._states = _Table[ToldState]()
        self._rates = _Table[ToldRate]()
        self._last: dict[CameraId, CameraState] = {}
        self._last_s: dict[CameraId, float] = {}

    def tell_state(self, camera: CameraId, state: CameraState) -> None:
        """Note what this process tells."""
        with self._lock:
            told = ToldState(self._now_s(), state)
            self._own.states[camera] = self._changed.states[camera] = told
            self._states.put(camera, self._process, told, math.inf)
            self._remember(camera, state)

    def tell_rate(self, camera: CameraId, fps: float) -> None:
        """Note the rate that this process tells."""
        with self._lock:
            told = ToldRate(self._now_s(), fps)
            self._own.rates[camera] = self._changed.rates[camera] = told
            self._rates.put(camera, self._process, told, math.inf)

    def forget(self, camera: CameraId) -> None:
        """Tell nothing of a camera any more. What was told of it and has not left yet still does."""
        with self._lock:
            self._own.rates.pop(camera, None)
            self._rates.remove(camera, self._process)
            if self._own.states.pop(camera, None) is not None:
                self._states.remove(camera, self._process)
                self._last_s[camera] = self._now_s()

    def own_news(self) -> CameraNews:
        """Give all that this process tells."""
        with self._lock:
            return CameraNews(self._process, dict(self._own.states), dict(self._own.rates))

    def changes(self) -> CameraNews:
        """Give what this process has told since the last call."""
        with self._lock:
            changed, self._changed = self._changed, CameraNews(self._process)
            return changed

    def hear(self, news: CameraNews) -> None:
        """Note what another process tells."""
        if news.process == self._process:
            return
        until_s = self._monotonic_s() + SILENCE_S
        with self._lock:
            for camera, told_state in news.states.items():
                self._states.put(camera, news.process, told_state, until_s)
                if self._states.newest(camera, self._monotonic_s()) is told_state:
                    self._remember(camera, told_state.state)
            for camera, told_rate in news.rates.items():
                self._rates.put(camera, news.process, told_rate, until_s)

    def state(self, camera: CameraId) -> CameraState | None:
        """Give the newest state of a camera; one that is not live is analysed at no rate.

        A camera of which nobody tells any more is degraded, with the size of picture that it had.
        """
        with self._lock:
            told = self._states.newest(camera, self._monotonic_s())
            rate = self._rates.newest(camera, self._monotonic_s())
            last, last_s = self._last.get(camera), self._last_s.get(camera, 0.0)
        if told is not None:
            is_analysed = rate is not None and told.state.status is CameraStatus.LIVE
            return replace(told.state, fps=rate.fps if rate is not None and is_analysed else 0.0)
        if last is None:
            return None
        return CameraState(
            CameraStatus.DEGRADED, since_s=last_s, resolution=last.resolution, last_error=NOBODY_TELLS
        )

    def _remember(self, camera: CameraId, state: CameraState) -> None:
        self._last[camera], self._last_s[camera] = state, self._now_s()
