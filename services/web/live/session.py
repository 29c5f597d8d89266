"""What one page sees over its WebSocket: pictures, tracks and cameras, as fast as it can take the newest."""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from contextlib import closing

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from services.common.http.sockets import close_reason
from services.common.live.pictures import LiveStream
from services.core.errors import BadInputError, StreamError
from services.core.types import CameraId, CameraStatus
from services.web.context import WebContext
from services.web.live.messages import (
    Missing,
    absence,
    alive_message,
    cameras_message,
    failure,
    missing_message,
    picture_message,
    silence,
)
from services.web.live.subscription import PictureWork, TrackWork, Work, works_of

BAD_MESSAGE = 4400
"""The code of a connection that is closed because of what its client sent."""

MESSAGE_PAUSE_S = 0.1
"""Least time between two messages of a client that are looked at: the others wait."""

CHECK_S = 1.0
"""How often what has changed is looked for."""

PATIENT_CHECKS = 3
"""How often a camera that is live may have no picture yet: it begins with the next key frame."""

ALIVE_CHECKS = 4
"""How many of them pass between two signs of life."""


class LiveSession:
    """Serves one WebSocket that has been accepted, until its client leaves."""

    def __init__(self, context: WebContext, socket: WebSocket) -> None:
        self._context, self._socket = context, socket
        self._turn = asyncio.Lock()
        """Whose turn it is to send: only who has it takes its newest picture, so that nothing queues."""
        self._working: dict[Work, asyncio.Task[None]] = {}
        self._said: dict[CameraId, Missing] = {}

    async def run(self) -> None:
        """Send what is asked for; a message that cannot be read ends the connection."""
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(_until_left(self._look()))
            try:
                refused = await self._receive(group)
            finally:
                for task in (looking, *self._working.values()):
                    task.cancel()
        if refused is not None:
            await _until_left(self._socket.close(BAD_MESSAGE, close_reason(refused)))

    async def _receive(self, group: asyncio.TaskGroup) -> str | None:
        """Follow what is asked for; gives what is wrong with a message, None when the client has left."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return None
            text = message.get("text")
            try:
                self._follow(group, works_of(text or ""))
            except BadInputError as error:
                return str(error)
            await asyncio.sleep(MESSAGE_PAUSE_S)

    def _follow(self, group: asyncio.TaskGroup, wanted: Sequence[Work]) -> None:
        """Begin what is new before what is wanted no more ends: a camera goes on being decoded."""
        self._said.clear()
        for work in wanted:
            if work not in self._working:
                self._working[work] = group.create_task(_until_left(self._do(work)))
        for work in self._working.keys() - set(wanted):
            asyncio.get_running_loop().call_soon(self._working.pop(work).cancel)

    async def _look(self) -> None:
        """Say at the start and from then on what cameras there are, and that the connection lives."""
        cameras, checks = None, 0
        while True:
            newest = cameras_message(self._context)
            if newest is not None and newest != cameras:
                cameras = newest
                await self._send(newest)
            if checks % ALIVE_CHECKS == 0:
                await self._send(alive_message(self._context.now_s()))
            checks += 1
            await asyncio.sleep(CHECK_S)

    async def _do(self, work: Work) -> None:
        if isinstance(work, TrackWork):
            await self._send_tracks(work.camera)
        else:
            await self._show(work)

    async def _send_tracks(self, camera: CameraId) -> None:
        """Send tracks once the camera is there: a name of no camera may mean something else to the bus."""
        while not self._context.mirror.has(camera):
            await asyncio.sleep(CHECK_S)
        async with self._context.tracks.follow(camera) as frames:
            async for frame in frames:
                await self._send(self._context.events.message_of(frame))

    async def _show(self, work: PictureWork) -> None:
        """Send pictures whenever there are some, and say why where there are none."""
        fps = min(work.fps, self._context.settings.live_fps)
        while True:
            missing = absence(self._context, work.camera)
            if missing is None:
                try:
                    with closing(self._context.live.open(work.camera, work.form, work.width, fps)) as stream:
                        missing = await self._show_from(stream, work.camera, 1 / fps)
                except StreamError as error:
                    missing = failure(work.camera, error)
            await self._say(missing)
            await asyncio.sleep(CHECK_S)

    async def _show_from(self, stream: LiveStream, camera: CameraId, period_s: float) -> Missing:
        """Send pictures until the camera is gone or switched off; StreamError when no more will come."""
        clock_s = asyncio.get_running_loop().time
        due_s, silent_checks = clock_s(), 0
        while (gone := absence(self._context, camera)) is None:
            try:
                async with asyncio.timeout(CHECK_S):
                    await stream.wait()
            except TimeoutError:
                silent_checks += 1
                if silent_checks >= PATIENT_CHECKS or not self._is_live(camera):
                    await self._say(silence(self._context, camera, stream.obstacle))
                continue
            async with self._turn:
                await self._socket.send_bytes(picture_message(camera, await stream.take()))
            self._said.pop(camera, None)
            silent_checks = 0
            due_s = max(due_s + period_s, clock_s())
            await asyncio.sleep(due_s - clock_s())
        return gone

    def _is_live(self, camera: CameraId) -> bool:
        state = self._context.states.state(camera)
        return state is not None and state.status is CameraStatus.LIVE

    async def _say(self, missing: Missing) -> None:
        """Say why there is no picture, once for each reason."""
        if self._said.get(missing.camera) != missing:
            self._said[missing.camera] = missing
            await self._send(missing_message(missing))

    async def _send(self, text: str) -> None:
        async with self._turn:
            await self._socket.send_text(text)


async def _until_left(work: Coroutine[object, object, None]) -> None:
    """Work for as long as the client is there: one sender finds out that it left, the others that it has."""
    with contextlib.suppress(WebSocketDisconnect, WebSocketDisconnected):
        await work
