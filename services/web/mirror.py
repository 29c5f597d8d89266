"""Mirrors the database to the bus: all that the other services know of cameras, lines and users."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from services.common.access.check import Access
from services.common.bus.protocol import Setups, SharedValue
from services.common.database.accounts import is_owned
from services.common.database.setups import StoredCamera
from services.core.errors import DatabaseUnavailableError, DiskFullError, NotFoundError
from services.core.evidence.lines import revision_of
from services.core.types import CameraId, CameraSetup
from services.web.database import WebDatabase

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 10.0
CHECK_S = 5.0
"""How often the database is read again: other processes change it too, and tokens expire."""

LEAST_LATER_S = 0.001
"""Who asks again asks later, also when the clock was set back."""

REPEATS_SHARED_S = 86_400.0
MOST_REPEATS_SHARED = 100
"""Times that come twice are shared while they may come, also where clocks differ; the newest of many."""


class SetupMirror:
    """Publishes setups and access at the start and after each change, whoever made it."""

    def __init__(
        self,
        database: WebDatabase,
        setups: SharedValue[Setups],
        access: SharedValue[Access],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        check_s: float = CHECK_S,
    ) -> None:
        self._database, self._sleep, self._check_s = database, sleep, check_s
        self._shared_setups, self._shared_access = setups, access
        self._setups: dict[str, CameraSetup] | None = None
        self._stored: tuple[StoredCamera, ...] | None = None
        self._access: Access | None = None
        self._asked_s: dict[CameraId, float] = {}
        self._lock = asyncio.Lock()
        self._stale = asyncio.Event()
        self._stale.set()

    async def run(self) -> None:
        """Publish at the start, and again when the database holds something else; until cancelled."""
        while True:
            await self._load_with_retries()
            try:
                async with asyncio.timeout(self._check_s):
                    await self._stale.wait()
            except TimeoutError:
                self._stale.set()

    async def refresh(self) -> None:
        """Publish what the database holds now; if it has just gone, `run` does so when it is back."""
        self._stale.set()
        try:
            await self._load()
        except DatabaseUnavailableError as error:
            log.warning("cameras, lines and users are published later: %s", error)

    async def ask_for(self, camera: CameraId) -> None:
        """Have a camera dialled at once that waits for its next attempt."""
        self._asked_s[camera] = max(self._database.now_s(), self._asked_s.get(camera, 0.0) + LEAST_LATER_S)
        await self.refresh()

    def setup(self, camera: str) -> CameraSetup:
        """Give a camera's setup as published; NotFoundError when there is none."""
        if self._setups is None:
            raise DatabaseUnavailableError("cameras-unknown")
        if camera not in self._setups:
            raise NotFoundError("camera-missing", camera=camera[:80])
        return self._setups[camera]

    def has(self, camera: str) -> bool:
        """Return whether a camera is there, for streams that go on as long as it is."""
        return self._setups is not None and camera in self._setups

    def stored_cameras(self) -> tuple[StoredCamera, ...] | None:
        """Give the cameras as the database held them last, the oldest first; None before it has answered."""
        return self._stored

    def cameras(self) -> list[CameraId]:
        """Give the ids of the published cameras."""
        return [setup.camera.id for setup in (self._setups or {}).values()]

    async def _load_with_retries(self) -> None:
        wait_s, is_logged = 1.0, False
        while True:
            try:
                return await self._load()
            except DatabaseUnavailableError as error:
                if not is_logged:
                    log.warning("cameras, lines and users wait for the database: %s", error)
                is_logged = True
            await self._sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    async def _load(self) -> None:
        async with self._lock:
            if not self._stale.is_set():
                return
            self._stale.clear()
            try:
                stored = await self._database.setups.cameras()
                setups = await self._setups_of(stored)
                access = await self._load_access()
                await self._database.schema.ensure_whole()
                setups = await self._kept(setups)
            except DatabaseUnavailableError:
                self._stale.set()
                raise
            self._stored = tuple(stored)
            self._publish({setup.camera.id: setup for setup in setups}, access)

    def _publish(self, setups: dict[str, CameraSetup], access: Access) -> None:
        """Publish what has changed, the order of the cameras included."""
        if self._setups is None or list(self._setups.items()) != list(setups.items()):
            self._setups = setups
            self._shared_setups.publish(tuple(setups.values()))
        if access != self._access:
            self._access = access
            self._shared_access.publish(access)

    async def _setups_of(self, cameras: Sequence[StoredCamera]) -> Sequence[CameraSetup]:
        """Read what belongs to all cameras at once: one question a camera would take ever longer.

        The next epoch of a camera that was made again is at least the first of its generation: an owner of
        before gives up, because a newer one is known.
        """
        lines, epochs = (
            await self._database.setups.lines_of_all(),
            await self._database.ownerships.highest_epochs(),
        )
        since_s = self._database.now_s() - REPEATS_SHARED_S
        repeats = await self._database.repeats.repeats_of_all(since_s)
        return [
            CameraSetup(
                camera,
                tuple(lines.get(camera.id, ())),
                max(epochs.get(camera.id, 0), stored.first_epoch - 1),
                tuple(repeats.get(camera.id, ())[-MOST_REPEATS_SHARED:]),
                revision_of(lines.get(camera.id, ())),
                self._asked_s.get(camera.id, 0.0),
            )
            for stored in cameras
            for camera in [stored.camera]
        ]

    async def _kept(self, setups: Sequence[CameraSetup]) -> Sequence[CameraSetup]:
        """Keep what the revisions stand for, before anybody counts under them.

        While the disk is full, setups go without: cameras do not wait for room.
        """
        unknown = await self._database.setups.unknown_revisions(setups)
        try:
            await self._database.setups.keep_revisions(unknown)
        except DiskFullError:
            return [replace(setup, revision="") if setup in unknown else setup for setup in setups]
        return setups

    async def _load_access(self) -> Access:
        users = {user.name: user for user in await self._database.accounts.users()}
        now_s = self._database.now_s()
        tokens = [
            token.hash
            for token in await self._database.accounts.tokens()
            if not token.is_over(now_s) and is_owned(token, users.get(token.owner or ""))
        ]
        return Access(
            {user.name: user.password_hash for user in users.values()},
            frozenset(tokens),
            {user.name: user.networks for user in users.values() if user.networks},
        )
