"""What the routes share."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from services.common.bus.camera_tests import CameraTests
from services.common.bus.protocol import StateBoard, TrackFeed
from services.common.database.generations import Generation
from services.common.database.setups import StoredCamera
from services.common.live.pictures import LivePictures
from services.core.errors import NotFoundError
from services.web.api.reading import ReadingThreads
from services.web.api.today import TodayCounts
from services.web.auth.audit import AuditLog
from services.web.auth.password_work import PasswordWork
from services.web.database import WebDatabase
from services.web.findings import HostFindings
from services.web.live.streams import AnswerSlots, FrameEvents, SharedText
from services.web.mirror import SetupMirror
from services.web.settings import WebSettings
from services.web.system import SystemInfo


@dataclass(frozen=True, slots=True)
class WebContext:
    """Everything that a route may use."""

    database: WebDatabase
    tracks: TrackFeed
    states: StateBoard
    system: SystemInfo
    settings: WebSettings
    mirror: SetupMirror
    live: LivePictures
    audit: AuditLog
    streams: AnswerSlots
    """Slots of answers that go on: pictures, tracks and files."""
    sockets: AnswerSlots
    """Slots of WebSockets."""
    findings: HostFindings
    camera_tests: CameraTests
    tests: AnswerSlots
    """Slots of addresses that are tried."""
    now_s: Callable[[], float] = time.time
    events: FrameEvents = field(default_factory=FrameEvents)
    camera_list: SharedText = field(default_factory=SharedText)
    reading: ReadingThreads = field(default_factory=ReadingThreads)
    today: TodayCounts = field(default_factory=TodayCounts)
    passwords: PasswordWork = field(default_factory=PasswordWork)

    async def camera_or_default(self, id: str | None) -> StoredCamera:
        """Give the named camera, else the oldest."""
        if id:
            return await self.database.setups.camera(id)
        cameras = await self.database.setups.cameras()
        if not cameras:
            raise NotFoundError("camera-none")
        return cameras[0]

    async def generation(self, id: str | None, number: int | None) -> Generation:
        """Give a generation of the named camera, else of the oldest: the one of that number, else the newest.

        A camera that was deleted is found by the number of a generation.
        """
        if id and number is not None:
            return await self.database.generations.one(id, number)
        stored = await self.camera_or_default(id)
        if number is None:
            number = stored.generation
        return await self.database.generations.one(stored.camera.id, number)


def _context(request: Request) -> WebContext:
    context: WebContext = request.app.state.context
    return context


Context = Annotated[WebContext, Depends(_context)]
