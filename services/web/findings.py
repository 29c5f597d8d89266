"""How this system is, as `sightline doctor` would say it: at most one look in some seconds, in a thread."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence

from services.common.bus.protocol import StateBoard
from services.common.leases.protocol import RUNNING
from services.common.secrets import redact
from services.common.tasks import watched
from services.core.errors import StreamError
from services.core.types import Camera, CameraStatus
from services.web.system import SystemFinding, SystemInfo

AGAIN_S = 10.0
"""Whoever asks within this time gets the last answer."""
LIMIT_S = 10.0
"""Longest that anybody waits for a look."""


class HostFindings:
    """Looks at the host for whoever asks, one look at a time. Bound to an event loop."""

    def __init__(
        self,
        look: Callable[[], Sequence[SystemFinding]],
        monotonic_s: Callable[[], float] = time.monotonic,
        limit_s: float = LIMIT_S,
    ) -> None:
        """`look` blocks; it is called in a thread."""
        self._look, self._monotonic_s, self._limit_s = look, monotonic_s, limit_s
        self._looking: asyncio.Task[None] | None = None
        self._found: Sequence[SystemFinding] | None = None
        self._found_s = 0.0

    async def newest(self) -> Sequence[SystemFinding]:
        """Give what was found last, not long ago.

        A look that takes too long goes on by itself, and no second is begun beside it; meanwhile the findings
        of the one before are given. StreamError where there are none.
        """
        if self._found is not None and self._monotonic_s() - self._found_s < AGAIN_S:
            return self._found
        if self._looking is None or self._looking.done():
            self._looking = watched(self._begin(), "a look at the host")
        await asyncio.wait([self._looking], timeout=self._limit_s)
        if self._found is None:
            raise StreamError("the host cannot be looked at now: try again later")
        return self._found

    async def _begin(self) -> None:
        self._found = await asyncio.to_thread(self._look)
        self._found_s = self._monotonic_s()


def service_findings(system: SystemInfo, database_status: str) -> Iterator[SystemFinding]:
    """Judge the services, the database and what is stored."""
    for service in system.services():
        params = {"service": service.name, "status": redact(service.status.text)}
        if service.status != RUNNING:
            text = f"{service.name}: {params['status']}"
            yield SystemFinding(f"service-{service.name}", "service-troubled", params, "problem", text)
    if database_status == "up":
        yield SystemFinding("database", "database-works", {}, "ok", "the database writes and reads")
    else:
        trouble = redact(database_status)
        yield SystemFinding("database", "database-fails", {"cause": trouble}, "problem", trouble)
    shortage = system.space()
    if shortage is not None:
        text = shortage.text
        yield SystemFinding("space", "records-not-stored", {"what": text}, "problem", text)


def camera_findings(cameras: Sequence[Camera], states: StateBoard) -> Iterator[SystemFinding]:
    """Judge the cameras that are to be analysed; no secret of their addresses is in it."""
    for camera in cameras:
        state = states.state(camera.id)
        if not camera.enabled or state is None or state.status is not CameraStatus.DEGRADED:
            continue
        cause = redact(state.last_error or "no picture comes", camera.url)
        params = {"camera": str(camera.id), "cause": cause}
        text = f"camera {camera.id}: {cause}"
        yield SystemFinding(f"camera-{camera.id}", "camera-degraded", params, "problem", text)
