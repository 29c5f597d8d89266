"""How this system is, as `sightline doctor` would say it: at most one look in some seconds, in a thread."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from services.common.bus.protocol import StateBoard
from services.common.leases.protocol import RUNNING
from services.common.secrets import redact
from services.common.tasks import watched
from services.core.errors import StreamError
from services.core.sentences.sentence import Sentence, sentence
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
            raise StreamError("findings-late")
        return self._found

    async def _begin(self) -> None:
        self._found = await asyncio.to_thread(self._look)
        self._found_s = self._monotonic_s()


def service_findings(system: SystemInfo, trouble: Sentence | None) -> Iterator[SystemFinding]:
    """Judge the services, the database, whose `trouble` is given, and what is stored."""
    for service in system.services():
        if service.status != RUNNING:
            status = service.status.masked(redact)
            what = sentence("service-troubled", service=service.name, status=status)
            yield SystemFinding(f"service-{service.name}", what, "problem")
    if trouble is None:
        yield SystemFinding("database", sentence("database-works"), "ok")
    else:
        what = sentence("database-fails", cause=trouble.masked(redact))
        yield SystemFinding("database", what, "problem")
    shortage = system.space()
    if shortage is not None:
        yield SystemFinding("space", sentence("records-not-stored", what=shortage), "problem")


def camera_findings(cameras: Sequence[Camera], states: StateBoard) -> Iterator[SystemFinding]:
    """Judge the cameras that are to be analysed; no secret of their addresses is in it."""
    for camera in cameras:
        state = states.state(camera.id)
        if not camera.enabled or state is None or state.status is not CameraStatus.DEGRADED:
            continue
        cause = (state.error or sentence("picture-none")).masked(partial(_hidden, url=camera.url))
        what = sentence("camera-troubled", camera=camera.id, cause=cause)
        yield SystemFinding(f"camera-{camera.id}", what, "problem")


def _hidden(text: str, url: str) -> str:
    return redact(text, url)
