"""The cameras and lines that the command line and the settings file ask for, put into the database."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.common.database.setups import Setups
from services.core.camera_address import AddressKind, kind_of
from services.core.errors import DatabaseUnavailableError, NotFoundError
from services.core.identifiers import id_from_name
from services.core.types import Camera, CameraId, Line
from services.demo import demo_lines
from services.web.mirror import SetupMirror

RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class WantedCamera:
    """A camera that is to exist, with lines that are to exist; a new demo without any gets its own."""

    camera: Camera
    lines: tuple[Line, ...] = ()
    is_id_made: bool = False
    """Whether its id was made of its name; it is then known by its name, for others may give the same id."""


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
        stored = [item.camera for item in await setups.cameras()]
        wanted = _with_their_ids(self.wanted, stored)
        if not wanted and not stored:
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


def _with_their_ids(wanted: Sequence[WantedCamera], stored: Sequence[Camera]) -> list[WantedCamera]:
    """Give cameras the ids that they have: who is left out leaves its id, and its counts, to no other."""
    ids = {place: item.camera.id for place, item in enumerate(wanted) if not item.is_id_made}
    made = [(place, item.camera) for place, item in enumerate(wanted) if item.is_id_made]
    for place, camera in made:
        known = [other for other in stored if _is_named_as(other, camera) and other.id not in ids.values()]
        known.sort(key=lambda other: (other.url != camera.url, other.id != camera.id))
        if known:
            ids[place] = known[0].id
    for place, camera in made:
        others = {other.id for other in stored if _is_another(other, camera)}
        if place not in ids:
            ids[place] = CameraId(id_from_name(camera.name, {*ids.values(), *others}))
    return [replace(item, camera=replace(item.camera, id=ids[place])) for place, item in enumerate(wanted)]


def _is_named_as(stored: Camera, camera: Camera) -> bool:
    """Return whether a stored camera has the name of one, and an id that was made of it."""
    base = id_from_name(camera.name)
    return stored.name == camera.name and (stored.id == base or stored.id.startswith(f"{base}-"))


def _is_another(stored: Camera, camera: Camera) -> bool:
    """Return whether a stored camera has an id by a name of its own, which gives the same."""
    is_same_id = id_from_name(stored.name) == id_from_name(camera.name)
    return is_same_id and _letters(stored.name) != _letters(camera.name) and stored.url != camera.url


def _letters(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
