"""The cameras and lines that the command line and the settings file ask for, put into the database."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.common.database.setups import Setups
from services.core.camera_address import AddressKind, kind_of
from services.core.errors import DatabaseUnavailableError, NotFoundError
from services.core.types import Camera, CameraId, Line
from services.demo import demo_lines
from services.web.mirror import SetupMirror

RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class WantedCamera:
    """A camera that is to exist, with lines that are to exist; a new demo without any gets its own."""

    camera: Camera
    lines: tuple[Line, ...] = ()


def demo_camera(model: str) -> WantedCamera:
    """Give the built-in demo: a scripted street."""
    return WantedCamera(Camera(CameraId("demo"), "Demo street", "demo://traffic", model))


@dataclass(frozen=True, slots=True)
class SetupSeed:
    """What is wanted; where nothing is, and nothing is wanted, the demo stands in."""

    wanted: Sequence[WantedCamera]
    model: str

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of the cameras that are files: whoever starts this process may open them."""
        urls = (item.camera.url for item in self.wanted)
        return tuple(url for url in urls if kind_of(url) is AddressKind.FILE)

    @property
    def models(self) -> tuple[str, ...]:
        """The models that whoever starts this process has named."""
        return (self.model, *(item.camera.model for item in self.wanted))

    async def apply(self, setups: Setups, mirror: SetupMirror) -> None:
        """Make or change what differs, and nothing else: applying it again changes nothing."""
        while True:
            try:
                await self._apply(setups)
                break
            except DatabaseUnavailableError:
                await asyncio.sleep(RETRY_S)
        await mirror.refresh()

    async def _apply(self, setups: Setups) -> None:
        wanted = list(self.wanted)
        if not wanted and not await setups.cameras():
            wanted = [demo_camera(self.model)]
        for item in wanted:
            is_new = await self._camera(setups, item.camera)
            own = demo_lines(item.camera.url) if is_new and not item.lines else ()
            for line in item.lines or own:
                await self._line(setups, item.camera.id, line)

    async def _camera(self, setups: Setups, camera: Camera) -> bool:
        """Make or change a camera; return whether it is new."""
        try:
            stored = (await setups.camera(camera.id)).camera
        except NotFoundError:
            await setups.add_camera(camera)
            return True
        if stored != camera:
            await setups.change_camera(camera)
        return False

    async def _line(self, setups: Setups, camera: CameraId, line: Line) -> None:
        try:
            stored = await setups.line(camera, line.id)
        except NotFoundError:
            await setups.add_line(camera, line)
            return
        if replace(stored, version=line.version) != line:
            await setups.change_line(camera, line)
