"""Video of cameras that another process holds: follows each camera to whoever holds it now.

Each reader has its own thread and connection: it begins with the newest group of pictures as a local one
does, and lives exactly as long as its context.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from services.common.connections.cluster_tls import VIDEO_SERVER_NAME, client_context
from services.common.leases.protocol import Member
from services.common.metrics import Figure
from services.common.queues import QueueState
from services.common.secrets import redact
from services.common.tasks import kept_running, watched
from services.common.video.hub import LocalVideoReader, video_queue
from services.common.video.wire import (
    MESSAGE_LIMIT_BYTES,
    MESSAGES_LIMIT,
    SOCKET_BUFFER_BYTES,
    authorization,
    decode_unit,
)
from services.core.errors import StreamError
from services.core.types import AccessUnit, CameraId

log = logging.getLogger(__name__)

HOLDER_CHECK_S = 0.1
"""How often a reader looks whether its camera has moved."""

RETRY_S = 0.15
OPEN_TIMEOUT_S = 2.0
PING_S = 5.0
"""A server that stands still is left after two of these; one that is dead, as soon as its lease is."""

CLOSE_TIMEOUT_S = 0.1
"""A server that is left need not answer."""

STOP_TIMEOUT_S = 0.3
"""A thread that still waits for a name to be looked up ends later by itself."""

_library_log = logging.getLogger(f"{__name__}.websockets")
_library_log.setLevel(logging.WARNING)
"""At its lowest level the library would log the headers, and the key with them."""


class RemoteVideo:
    """Implements `VideoSource` over the network."""

    def __init__(self, holder: Callable[[CameraId], Member | None]) -> None:
        """`holder` gives the living ingest process that holds a camera; it is called from any thread."""
        self._holder = holder
        self._lock = threading.Lock()
        self._dropped = 0
        self._readers: list[LocalVideoReader] = []

    def figures(self) -> Iterator[Figure]:
        """Give what the readers have lost."""
        yield Figure("sightline_video_readers_dropped_total", self._dropped)

    def queue(self) -> QueueState:
        """Give how far the slowest reader lags behind."""
        with self._lock:
            return video_queue(self._readers, self._dropped)

    def _count_dropped(self, number: int) -> None:
        with self._lock:
            self._dropped += number

    @contextmanager
    def reader(self, camera: CameraId) -> Iterator[LocalVideoReader]:
        """Follow one camera to whoever holds it, beginning with its newest group of pictures.

        After a lost connection it goes on with the first picture that it has not given yet, or else with
        a key frame. Pictures that were captured while there was no connection are marked as backlog.
        """
        reader = LocalVideoReader(on_drop=self._count_dropped)
        following = _Following(camera, self._holder, reader)
        with self._lock:
            self._readers.append(reader)
        following.start()
        try:
            yield reader
        finally:
            following.stop()
            with self._lock:
                self._readers.remove(reader)


class _Following:
    """The thread of one reader."""

    def __init__(
        self, camera: CameraId, holder: Callable[[CameraId], Member | None], reader: LocalVideoReader
    ) -> None:
        self._camera, self._holder, self._reader = camera, holder, reader
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._newest: tuple[int, int] | None = None
        self._logged = ""
        self._thread = threading.Thread(target=self._run, name=f"video-{camera}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with suppress(RuntimeError):  # the loop has ended with its thread
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(kept_running(self._follow, f"video of camera {self._camera}", self._ended.is_set))

    async def _follow(self) -> None:
        ended = asyncio.create_task(self._ended.wait())
        while not ended.done():
            member = self._holder(self._camera)
            if member is not None and member.address:
                receiving = watched(self._receive(member), f"video of camera {self._camera}")
                if await self._has_moved(member, receiving, ended):
                    continue
            await asyncio.wait([ended], timeout=RETRY_S)

    async def _has_moved(
        self, member: Member, receiving: asyncio.Task[None], ended: asyncio.Task[bool]
    ) -> bool:
        """Wait for the end of the connection; True when it was ended because the camera has moved.

        A holder that cannot be asked now is no reason to leave one that sends.
        """
        has_moved = False
        while not (receiving.done() or ended.done() or has_moved):
            await asyncio.wait(
                [receiving, ended], timeout=HOLDER_CHECK_S, return_when=asyncio.FIRST_COMPLETED
            )
            now = self._holder(self._camera)
            has_moved = now is not None and (now.id, now.address, now.key) != (
                member.id,
                member.address,
                member.key,
            )
        receiving.cancel()
        await asyncio.wait([receiving])
        return has_moved

    async def _receive(self, member: Member) -> None:
        try:
            async with self._connect(member) as connection:
                _bound_system_buffer(connection)
                self._logged = ""
                async for message in connection:
                    self._take(decode_unit(message))
            log.info("video of camera %s ended at %s", self._camera, redact(member.address))
            return
        except InvalidStatus as error:
            is_refused = error.response.status_code == 401
            cause = "it refuses the key" if is_refused else f"it answers {error.response.status_code}"
        except (OSError, WebSocketException, StreamError) as error:
            cause = redact(str(error)) or type(error).__name__
        except Exception:
            log.exception("the video of camera %s failed and starts again", self._camera)
            cause = "a fault in Sightline, which its log describes"
        self._log(f"no video of camera {self._camera} from {redact(member.address)} ({cause}); trying again")

    def _connect(self, member: Member) -> connect:
        return connect(
            f"{member.address}/{self._camera}",
            **_tls_options(member.address),
            additional_headers={"Authorization": authorization(member.key)},
            compression=None,
            proxy=None,
            open_timeout=OPEN_TIMEOUT_S,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            close_timeout=CLOSE_TIMEOUT_S,
            max_size=MESSAGE_LIMIT_BYTES,
            max_queue=MESSAGES_LIMIT,
            logger=_library_log,
        )

    def _take(self, unit: AccessUnit) -> None:
        """Hand a picture on, unless it came already over an earlier connection to the same server."""
        newest = self._newest
        if newest is not None and unit.connection == newest[0] and unit.frame <= newest[1]:
            return
        self._newest = unit.connection, unit.frame
        self._reader.put(unit)

    def _log(self, text: str) -> None:
        if text != self._logged:
            log.warning("%s", text)
        self._logged = text


def _tls_options(address: str) -> dict[str, Any]:
    """How a server is checked; StreamError for one without TLS where all must have it."""
    tls = client_context()
    if address.startswith("wss:"):
        return {"ssl": tls, "server_hostname": VIDEO_SERVER_NAME}
    if tls is not None:
        raise StreamError("video-no-tls")
    return {}


def _bound_system_buffer(connection: ClientConnection) -> None:
    kernel_socket = connection.transport.get_extra_info("socket")
    kernel_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
