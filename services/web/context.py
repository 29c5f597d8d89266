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
from services.core.model_classes import classes_of_model, has_mask_states
from services.core.types import MASK_CLASSES, Camera, CameraId
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

MOST_LEARNED = 1000
"""Models of which is kept what they find."""


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
    learned: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What models find whose files lie elsewhere, by the names that cameras have for them."""

    def classes_of(self, camera: Camera) -> tuple[str, ...] | None:
        """Give what a camera's model finds: by its name, by its file, or as the detector has reported it.

        None while nobody knows: the file lies where a detector runs, and none has loaded it yet.
        """
        known = classes_of_model(camera.model)
        if known is not None:
            return known
        for model in self.system.models():
            if camera.model in (model.name, *model.aliases):
                return tuple(model.classes)
        found = self.system.classes_of(camera.model)
        cost = self.states.cost(camera.id)
        if found is None and cost is not None and cost.model == camera.model and cost.classes:
            found = cost.classes
        if found is None:
            return self.learned.get(camera.model)
        self._learn(camera.model, tuple(found))
        return tuple(found)

    def _learn(self, model: str, classes: tuple[str, ...]) -> None:
        """Keep what a model finds, also while no camera of it is analysed."""
        if self.learned.get(model) != classes:
            if len(self.learned) >= MOST_LEARNED:
                self.learned.clear()
            self.learned[model] = classes

    def may_state_masks(self, camera: CameraId) -> bool:
        """Return whether counts of a camera that are called like mask states are that.

        They are not where its model is known to find a mask among other things.
        """
        stored = next((one for one in self.mirror.stored_cameras() or () if one.camera.id == camera), None)
        classes = None if stored is None else self.classes_of(stored.camera)
        return classes is None or has_mask_states(classes) or not set(classes) & set(MASK_CLASSES)

    def all_classes(self) -> set[str]:
        """Give what the models at hand find, and those of all cameras."""
        lists = [model.classes for model in self.system.models()]
        lists += [self.classes_of(stored.camera) or () for stored in self.mirror.stored_cameras() or ()]
        return {name for classes in lists for name in classes}

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
