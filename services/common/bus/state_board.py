"""What is told of cameras' streams, by this process and by others: pure, safe for threads.

The newest news of a camera wins: each tells how old it is, so that neither a clock which is set nor clocks
that differ change the order. News of other processes is repeated each second; when it has not been heard
for a while, its process is gone and the camera is shown as degraded.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from services.common.bus.messages import CameraNews, ToldRate, ToldState
from services.core.types import CameraId, CameraState, CameraStatus

T = TypeVar("T", ToldState, ToldRate)

SILENCE_S = 5.0
"""News that was not repeated for this long is of a process that is gone."""

NOBODY_TELLS = "no ingest service tells of this camera"


@dataclass(frozen=True, slots=True)
class _Heard(Generic[T]):
    told: T
    at_s: float
    """When it was told, by this process's steady clock."""
    until_s: float
    """When it is taken to be out of date unless it is heard again."""


class _Table(Generic[T]):
    """What each process told last of each camera."""

    def __init__(self) -> None:
        self._heard: dict[CameraId, dict[str, _Heard[T]]] = {}

    def put(self, camera: CameraId, process: str, told: T, at_s: float, until_s: float) -> None:
        self._heard.setdefault(camera, {})[process] = _Heard(told, at_s, until_s)

    def of(self, process: str, now_s: float) -> dict[CameraId, T]:
        """Give what one process tells, with its age."""
        known = {camera: heard[process] for camera, heard in self._heard.items() if process in heard}
        return {camera: replace(heard.told, age_s=now_s - heard.at_s) for camera, heard in known.items()}

    def remove(self, camera: CameraId, process: str) -> T | None:
        heard = self._heard.get(camera, {}).pop(process, None)
        return heard.told if heard is not None else None

    def newest(self, camera: CameraId, now_s: float) -> T | None:
        known = self._heard.get(camera, {})
        for process in [process for process, heard in known.items() if heard.until_s < now_s]:
            del known[process]
        newest = max(known.values(), key=lambda heard: heard.at_s, default=None)
        return newest.told if newest is not None else None


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
        self._changed_states: dict[CameraId, tuple[ToldState, float]] = {}
        self._changed_rates: dict[CameraId, tuple[ToldRate, float]] = {}
        self._states = _Table[ToldState]()
        self._rates = _Table[ToldRate]()
        self._last: dict[CameraId, CameraState] = {}
        self._last_s: dict[CameraId, float] = {}

    def tell_state(self, camera: CameraId, state: CameraState) -> None:
        """Note what this process tells."""
        with self._lock:
            told, at_s = ToldState(self._now_s(), state), self._monotonic_s()
            self._changed_states[camera] = told, at_s
            self._states.put(camera, self._process, told, at_s, math.inf)
            self._remember(camera, state)

    def tell_rate(self, camera: CameraId, fps: float) -> None:
        """Note the rate that this process tells."""
        with self._lock:
            told, at_s = ToldRate(self._now_s(), fps), self._monotonic_s()
            self._changed_rates[camera] = told, at_s
            self._rates.put(camera, self._process, told, at_s, math.inf)

    def forget(self, camera: CameraId) -> None:
        """Tell nothing of a camera any more. What was told of it and has not left yet still does."""
        with self._lock:
            self._rates.remove(camera, self._process)
            if self._states.remove(camera, self._process) is not None:
                self._last_s[camera] = self._now_s()

    def own_news(self) -> CameraNews:
        """Give all that this process tells."""
        with self._lock:
            now_s = self._monotonic_s()
            return CameraNews(
                self._process, self._states.of(self._process, now_s), self._rates.of(self._process, now_s)
            )

    def changes(self) -> CameraNews:
        """Give what this process has told since the last call."""
        with self._lock:
            states, self._changed_states = self._changed_states, {}
            rates, self._changed_rates = self._changed_rates, {}
            now_s = self._monotonic_s()
            return CameraNews(
                self._process,
                {camera: replace(told, age_s=now_s - at_s) for camera, (told, at_s) in states.items()},
                {camera: replace(told, age_s=now_s - at_s) for camera, (told, at_s) in rates.items()},
            )

    def hear(self, news: CameraNews) -> None:
        """Note what another process tells."""
        if news.process == self._process:
            return
        now_s = self._monotonic_s()
        until_s = now_s + SILENCE_S
        with self._lock:
            for camera, told_state in news.states.items():
                self._states.put(camera, news.process, told_state, now_s - self._age_s(told_state), until_s)
                if self._states.newest(camera, now_s) is told_state:
                    self._remember(camera, told_state.state)
            for camera, told_rate in news.rates.items():
                self._rates.put(camera, news.process, told_rate, now_s - self._age_s(told_rate), until_s)

    def _age_s(self, told: ToldState | ToldRate) -> float:
        return self._now_s() - told.told_s if told.age_s is None else told.age_s

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
