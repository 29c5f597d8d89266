"""The state machine of a camera's connection. Pure: time is an argument.

Each call takes two times: `time_s`, by which the change is dated, and `steady_s` of a clock that nobody
sets, by which durations are measured; without it, `time_s` is taken for both.

connecting --first picture--> live --broken--> degraded --first picture--> live
connecting --failed--> degraded, retried after 1, 2, 4 ... 30 s
connecting --login refused--> degraded, retried after five minutes, so that no lock-out is kept alive
live elsewhere --taken over--> live, and degraded only when there is no picture in the first two seconds
live --clock set--> degraded --next picture--> live, unless its time has passed before: then when it is new
"""

import math
from dataclasses import dataclass, replace

from services.core.sentences.sentence import Sentence
from services.core.types import CameraState, CameraStatus
from services.ingest.dialling import ACCESS_REFUSED

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
REFUSED_WAIT_S = 300.0
"""Cameras lock out who tries a wrong password again and again, most of them for less than this."""

STABLE_S = 10.0
"""A connection that lived this long starts the waits anew."""

HANDOVER_S = 2.0
"""How long a camera that comes from another process may take to be connected before that is published."""


def is_refusal(cause: Sentence) -> bool:
    """Return whether a camera refused user, password or what they may see."""
    return cause.code in ACCESS_REFUSED or cause.params.get("reason_code") in ACCESS_REFUSED


@dataclass(slots=True)
class ConnectionState:
    """What a camera's connection has come to."""

    state: CameraState
    wait_s: float = FIRST_WAIT_S
    handover_until_s: float = -math.inf
    _live_since_s: float = math.inf

    @classmethod
    def begin(
        cls, time_s: float, before: CameraState | None = None, steady_s: float | None = None
    ) -> "ConnectionState":
        """Start with the first attempt.

        A camera that was live `before`, with another ingest process, stays so if it is connected soon.
        """
        if before is not None and before.status is CameraStatus.LIVE:
            began_s = time_s if steady_s is None else steady_s
            return cls(
                replace(before, fps=0.0, damaged=0.0),
                handover_until_s=began_s + HANDOVER_S,
                _live_since_s=-math.inf,
            )
        return cls(CameraState(CameraStatus.CONNECTING, since_s=time_s))

    def on_picture(
        self,
        time_s: float,
        resolution: tuple[int, int],
        withheld: Sentence | None = None,
        steady_s: float | None = None,
    ) -> bool:
        """Take a picture; give whether the state changed. `withheld` says why it is not counted, if so."""
        self.handover_until_s = -math.inf
        self._live_since_s = min(self._live_since_s, time_s if steady_s is None else steady_s)
        if withheld is not None:
            new = CameraState(CameraStatus.DEGRADED, time_s, resolution=resolution, has_pictures=True)
            new = new.with_error(withheld)
        else:
            new = CameraState(CameraStatus.LIVE, time_s, resolution=resolution)
        if replace(new, since_s=self.state.since_s) == replace(self.state, fps=0.0):
            return False
        self.state = new
        return True

    def on_step(self, time_s: float, cause: Sentence) -> bool:
        """Take that the clock was set; give whether the state changed. The connection itself goes on."""
        if self.state.status is not CameraStatus.LIVE and not self.state.has_pictures:
            return False
        stepped = replace(self.state, status=CameraStatus.DEGRADED, since_s=time_s, has_pictures=True)
        self.state = stepped.with_error(cause)
        return True

    def on_failure(self, time_s: float, cause: Sentence, steady_s: float | None = None) -> tuple[bool, float]:
        """Take a failure; give whether status or cause changed, and the seconds to wait now."""
        was, now_s = self.state, time_s if steady_s is None else steady_s
        if now_s - self._live_since_s >= STABLE_S:
            self.wait_s = FIRST_WAIT_S
        wait_s, self.wait_s = self.wait_s, min(self.wait_s * 2, LONGEST_WAIT_S)
        if is_refusal(cause):
            wait_s, self.wait_s = REFUSED_WAIT_S, FIRST_WAIT_S
        if now_s < self.handover_until_s:
            return False, wait_s
        self._live_since_s = math.inf
        if was.status is CameraStatus.DEGRADED:
            self.state = replace(was, has_pictures=False).with_error(cause)
        else:
            self.state = replace(was, status=CameraStatus.DEGRADED, since_s=time_s).with_error(cause)
        changed = was.status is not CameraStatus.DEGRADED or was.error != cause
        return changed, wait_s
