"""The state machine of a camera's connection. Pure: time is an argument.

connecting --first picture--> live --broken--> degraded --first picture--> live
connecting --failed--> degraded, retried after 1, 2, 4 ... 30 s
"""

from dataclasses import dataclass, replace

from services.core.types import CameraState, CameraStatus

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
STABLE_S = 10.0
"""A connection that lived this long starts the waits anew."""


@dataclass(slots=True)
class ConnectionState:
    """What a camera's connection has come to."""

    state: CameraState
    wait_s: float = FIRST_WAIT_S

    @classmethod
    def begin(cls, time_s: float) -> "ConnectionState":
        """Start with the first attempt."""
        return cls(CameraState(CameraStatus.CONNECTING, since_s=time_s))

    def on_picture(self, time_s: float, resolution: tuple[int, int]) -> bool:
        """Take a picture; tell whether the status changed."""
        if self.state.status is CameraStatus.LIVE:
            return False
        self.state = CameraState(CameraStatus.LIVE, since_s=time_s, resolution=resolution)
        return True

    def on_failure(self, time_s: float, cause: str) -> tuple[bool, float]:
        """Take a failure; tell whether status or cause changed, and the seconds to wait now."""
        was = self.state
        if was.status is CameraStatus.LIVE and time_s - was.since_s >= STABLE_S:
            self.wait_s = FIRST_WAIT_S
        wait_s, self.wait_s = self.wait_s, min(self.wait_s * 2, LONGEST_WAIT_S)
        if was.status is CameraStatus.DEGRADED:
            self.state = replace(was, last_error=cause)
        else:
            self.state = replace(was, status=CameraStatus.DEGRADED, since_s=time_s, last_error=cause)
        changed = was.status is not CameraStatus.DEGRADED or was.last_error != cause
        return changed, wait_s
