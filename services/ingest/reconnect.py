"""The state machine of a camera's connection. Pure: time is an argument.

connecting --first picture--> live --broken--> degraded --first picture--> live
connecting --failed--> degraded, retried after 1, 2, 4 ... 30 s
live elsewhere --taken over--> live, and degraded only when there is no picture in the first two seconds
"""

from dataclasses import dataclass, replace

from services.core.types import CameraState, CameraStatus

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
STABLE_S = 10.0
"""A connection that lived this long starts the waits anew."""

HANDOVER_S = 2.0
"""How long a camera that comes from another process may take to be connected before that is told."""


@dataclass(slots=True)
class ConnectionState:
    """What a camera's connection has come to."""

    state: CameraState
    wait_s: float = FIRST_WAIT_S
    handover_until_s: float = 0.0

    @classmethod
    def begin(cls, time_s: float, before: CameraState | None = None) -> "ConnectionState":
        """Start with the first attempt.

        A camera that was live `before`, with another ingest process, stays so if it is connected soon.
        """
        if before is not None and before.status is CameraStatus.LIVE:
            return cls(replace(before, fps=0.0), handover_until_s=time_s + HANDOVER_S)
        return cls(CameraState(CameraStatus.CONNECTING, since_s=time_s))

    def on_picture(self, time_s: float, resolution: tuple[int, int]) -> bool:
        """Take a picture; tell whether the state changed."""
        self.handover_until_s = 0.0
        if self.state.status is CameraStatus.LIVE and self.state.resolution == resolution:
            return False
        self.state = CameraState(CameraStatus.LIVE, since_s=time_s, resolution=resolution)
        return True

    def on_failure(self, time_s: float, cause: str) -> tuple[bool, float]:
        """Take a failure; tell whether status or cause changed, and the seconds to wait now."""
        was = self.state
        if was.status is CameraStatus.LIVE and time_s - was.since_s >= STABLE_S:
            self.wait_s = FIRST_WAIT_S
        wait_s, self.wait_s = self.wait_s, min(self.wait_s * 2, LONGEST_WAIT_S)
        if time_s < self.handover_until_s:
            return False, wait_s
        if was.status is CameraStatus.DEGRADED:
            self.state = replace(was, last_error=cause)
        else:
            self.state = replace(was, status=CameraStatus.DEGRADED, since_s=time_s, last_error=cause)
        changed = was.status is not CameraStatus.DEGRADED or was.last_error != cause
        return changed, wait_s
