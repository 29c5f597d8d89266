"""Mirrors cameras and lines from the database to the bus: all that ingest and detector know of them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from services.common.bus import Bus
from services.common.database import Repository
from services.core.errors import DatabaseUnavailableError, NotFoundError
from services.core.types import Camera, CameraId, CameraSetup

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 10.0


class SetupMirror:
    """Publishes the setups at the start and after each change."""

    def __init__(
        self,
        repository: Repository,
        bus: Bus,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._repository, self._bus, self._sleep = repository, bus, sleep
        self._setups: dict[str, CameraSetup] | None = None
        self._lock = asyncio.Lock()
        self._stale = asyncio.Event()
        self._stale.set()

    async def run(self) -> None:
        """Publish at the start, and again what could not be read when it changed; until cancelled."""
        while True:
            await self._stale.wait()
            await self._load_with_retries()

    async def refresh(self) -> None:
        """Publish what the database holds now; if it has just gone, `run` does so when it is back."""
        self._stale.set()
        try:
            await self._load()
        except DatabaseUnavailableError as error:
            log.warning("cameras and lines are published later: %s", error)

    def setup(self, camera: str) -> CameraSetup:
        """Give a camera's setup as published; NotFoundError when there is none."""
        if self._setups is None:
            raise DatabaseUnavailableError("cameras are not known yet: the database has not answered")
        if camera not in self._setups:
            raise NotFoundError(f"there is no camera {camera!r}")
        return self._setups[camera]

    def has(self, camera: str) -> bool:
        """Tell whether a camera is there, for streams that go on as long as it is."""
        return self._setups is not None and camera in self._setups

    def cameras(self) -> list[CameraId]:
        """Give the ids of the published cameras."""
        return [setup.camera.id for setup in (self._setups or {}).values()]

    async def _load_with_retries(self) -> None:
        wait_s, is_told = 1.0, False
        while True:
            try:
                return await self._load()
            except DatabaseUnavailableError as error:
                if not is_told:
                    log.warning("cameras wait for the database: %s", error)
                is_told = True
            await self._sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    async def _load(self) -> None:
        async with self._lock:
            if not self._stale.is_set():
                return
            self._stale.clear()
            try:
                cameras = [stored.camera for stored in await self._repository.cameras()]
                setups = [await self._setup_of(camera) for camera in cameras]
            except DatabaseUnavailableError:
                self._stale.set()
                raise
            self._setups = {setup.camera.id: setup for setup in setups}
            self._bus.publish_setups(setups)

    async def _setup_of(self, camera: Camera) -> CameraSetup:
        lines = await self._repository.lines(camera.id)
        return CameraSetup(camera, tuple(lines), await self._repository.highest_epoch(camera.id))
