"""What is reported of cameras' streams, by this process and by others: pure, safe for threads.

The newest report of a camera wins: each says how old it is, so that neither a clock which is set nor clocks
that differ change the order. Reports of other processes are repeated each second; when one has not come
for a while, its process is gone and the camera is shown as degraded.
"""

import math
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from services.common.bus.messages import CameraUpdate, CostReport, RateReport, StateReport
from services.core.costs import AnalysisCost
from services.core.sentences.sentence import sentence
from services.core.types import CameraId, CameraState, CameraStatus, StatusChange

T = TypeVar("T", StateReport, RateReport, CostReport)

SILENCE_S = 5.0
"""A report that was not repeated for this long is of a process that is gone."""

COST_SILENCE_S = 20.0
"""The same for costs, which are repeated less often."""

NOBODY_REPORTS = sentence("camera-unreported")


@dataclass(frozen=True, slots=True)
class _Received(Generic[T]):
    report: T
    at_s: float
    """When it was made, by this process's steady clock."""
    until_s: float
    """When it is taken to be out of date unless it is repeated."""


class _Table(Generic[T]):
    """What each process reported last of each camera."""

    def __init__(self) -> None:
        self._received: dict[CameraId, dict[str, _Received[T]]] = {}

    def put(self, camera: CameraId, process: str, received: _Received[T], now_s: float) -> None:
        self._received.setdefault(camera, {})[process] = received
        self._forget_old(camera, now_s)

    def of(self, process: str, now_s: float) -> dict[CameraId, T]:
        """Give what one process reports, with its age."""
        known = {camera: all[process] for camera, all in self._received.items() if process in all}
        return {camera: replace(one.report, age_s=now_s - one.at_s) for camera, one in known.items()}

    def remove(self, camera: CameraId, process: str) -> bool:
        """Forget what one process reported; False when there was nothing."""
        known = self._received.get(camera, {})
        is_known = known.pop(process, None) is not None
        if not known:
            self._received.pop(camera, None)
        return is_known

    def retain(self, cameras: Collection[CameraId]) -> None:
        self._received = {camera: all for camera, all in self._received.items() if camera in cameras}

    def newest(self, camera: CameraId, now_s: float) -> T | None:
        self._forget_old(camera, now_s)
        known = self._received.get(camera, {})
        newest = max(known.values(), key=lambda received: received.at_s, default=None)
        return newest.report if newest is not None else None

    def _forget_old(self, camera: CameraId, now_s: float) -> None:
        known = self._received.get(camera, {})
        for process in [process for process, received in known.items() if received.until_s < now_s]:
            self.remove(camera, process)


class CameraStates:
    """Gives the state of each camera from all reports. Implements `StateBoard` within a process."""

    def __init__(
        self,
        process: str,
        now_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._process, self._now_s, self._monotonic_s = process, now_s, monotonic_s
        self._lock = threading.Lock()
        self._cameras: Collection[CameraId] | None = None
        """The cameras that there are; None while nobody has said."""
        self._changed_states: dict[CameraId, tuple[StateReport, float]] = {}
        self._changed_rates: dict[CameraId, tuple[RateReport, float]] = {}
        self._states = _Table[StateReport]()
        self._rates = _Table[RateReport]()
        self._costs = _Table[CostReport]()
        self._last: dict[CameraId, tuple[CameraState, float]] = {}
        """The newest state that was ever reported, and when that came or ended."""

    def publish_state(self, camera: CameraId, state: CameraState) -> None:
        """Note what this process reports of a stream."""
        with self._lock:
            if not self._is_there(camera):
                return
            report, at_s = StateReport(self._now_s(), state), self._monotonic_s()
            self._changed_states[camera] = report, at_s
            self._states.put(camera, self._process, _Received(report, at_s, math.inf), at_s)
            self._last[camera] = state, self._now_s()

    def publish_rate(self, camera: CameraId, fps: float, fault: StatusChange | None = None) -> None:
        """Note the rate that this process reports, or why it analyses nothing."""
        with self._lock:
            if not self._is_there(camera):
                return
            report, at_s = RateReport(self._now_s(), fps, fault=fault), self._monotonic_s()
            self._changed_rates[camera] = report, at_s
            self._rates.put(camera, self._process, _Received(report, at_s, math.inf), at_s)

    def publish_cost(self, camera: CameraId, cost: AnalysisCost) -> None:
        """Note what this process reports of the cost of a camera."""
        with self._lock:
            if self._is_there(camera):
                at_s = self._monotonic_s()
                received = _Received(CostReport(self._now_s(), cost), at_s, math.inf)
                self._costs.put(camera, self._process, received, at_s)

    def withdraw_state(self, camera: CameraId) -> None:
        """Report a stream no more. What was reported of it and has not left yet still does."""
        with self._lock:
            last = self._last.get(camera)
            if self._states.remove(camera, self._process) and last is not None:
                self._last[camera] = last[0], self._now_s()

    def withdraw_rate(self, camera: CameraId) -> None:
        """Report no rate and no cost any more, after a last rate of nothing."""
        with self._lock:
            self._costs.remove(camera, self._process)
            if self._rates.remove(camera, self._process):
                self._changed_rates[camera] = RateReport(self._now_s(), 0.0), self._monotonic_s()

    def retain(self, cameras: Collection[CameraId]) -> None:
        """Forget all other cameras, and pass over what is still reported of them: they were deleted."""
        with self._lock:
            self._cameras = frozenset(cameras)
            self._states.retain(self._cameras)
            self._rates.retain(self._cameras)
            self._costs.retain(self._cameras)
            for known in (self._last, self._changed_states, self._changed_rates):
                for camera in known.keys() - self._cameras:
                    del known[camera]

    def own_update(self) -> CameraUpdate:
        """Give all that this process reports, but costs."""
        with self._lock:
            now_s = self._monotonic_s()
            return CameraUpdate(
                self._process, self._states.of(self._process, now_s), self._rates.of(self._process, now_s)
            )

    def own_costs(self) -> CameraUpdate:
        """Give what this process reports of costs."""
        with self._lock:
            return CameraUpdate(self._process, costs=self._costs.of(self._process, self._monotonic_s()))

    def changes(self) -> CameraUpdate:
        """Give what this process has reported since the last call."""
        with self._lock:
            states, self._changed_states = self._changed_states, {}
            rates, self._changed_rates = self._changed_rates, {}
            now_s = self._monotonic_s()
            return CameraUpdate(
                self._process,
                {camera: replace(report, age_s=now_s - at_s) for camera, (report, at_s) in states.items()},
                {camera: replace(report, age_s=now_s - at_s) for camera, (report, at_s) in rates.items()},
            )

    def receive(self, update: CameraUpdate) -> None:
        """Note what another process reports."""
        if update.process == self._process:
            return
        with self._lock:
            now_s = self._monotonic_s()
            for camera, state_report in update.states.items():
                if self._is_there(camera):
                    self._receive(self._states, update.process, camera, state_report, now_s)
                    if self._states.newest(camera, now_s) is state_report:
                        self._last[camera] = state_report.state, self._now_s()
            for camera, rate_report in update.rates.items():
                if self._is_there(camera):
                    self._receive(self._rates, update.process, camera, rate_report, now_s)
            for camera, cost_report in update.costs.items():
                if self._is_there(camera):
                    self._receive(self._costs, update.process, camera, cost_report, now_s, COST_SILENCE_S)

    def cost(self, camera: CameraId) -> AnalysisCost | None:
        """Give the newest cost of a camera; None where nobody analyses it."""
        with self._lock:
            report = self._costs.newest(camera, self._monotonic_s())
        return report.cost if report is not None else None

    def state(self, camera: CameraId) -> CameraState | None:
        """Give the newest state of a camera; one that is not live is analysed at no rate.

        One that is live and cannot be analysed is degraded, and seen all the same. A camera that nobody
        reports any more is degraded, with the size of picture that it had.
        """
        with self._lock:
            now_s = self._monotonic_s()
            report, rate = self._states.newest(camera, now_s), self._rates.newest(camera, now_s)
            last = self._last.get(camera)
        if report is not None:
            return _analysed(report.state, rate)
        if last is None:
            return None
        state, last_s = last
        gone = CameraState(CameraStatus.DEGRADED, since_s=last_s, resolution=state.resolution)
        return gone.with_error(NOBODY_REPORTS)

    def _is_there(self, camera: CameraId) -> bool:
        return self._cameras is None or camera in self._cameras

    def _receive(
        self,
        table: _Table[T],
        process: str,
        camera: CameraId,
        report: T,
        now_s: float,
        silence_s: float = SILENCE_S,
    ) -> None:
        age_s = self._now_s() - report.reported_s if report.age_s is None else report.age_s
        table.put(camera, process, _Received(report, now_s - age_s, now_s + silence_s), now_s)


def _analysed(state: CameraState, rate: RateReport | None) -> CameraState:
    """Give a stream's state with what the detector reports of its analysis."""
    if rate is None or state.status is not CameraStatus.LIVE:
        return replace(state, fps=0.0)
    if rate.fault is None:
        return replace(state, fps=rate.fps)
    since_s = max(state.since_s, rate.fault.time_s)
    degraded = replace(state, status=rate.fault.status, since_s=since_s, fps=0.0, has_pictures=True)
    return degraded.with_error(rate.fault.reason)
