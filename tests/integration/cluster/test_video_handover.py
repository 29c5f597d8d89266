"""A camera moves from one ingest process to another: its readers go on, and its page sees no outage."""

import asyncio
import time
from collections.abc import Iterator

from services.common.bus.local import LocalBus
from services.common.video.hub import VideoHub
from services.common.video.remote import RemoteVideo
from services.common.video.source import SourceUnit
from services.core.types import Camera, CameraSetup, CameraState, CameraStatus, OwnedCamera, StatusChange
from services.ingest.service import IngestService
from tests.integration.cluster.video_processes import CAMERA, FPS, picture, served

GATE = OwnedCamera(CameraSetup(Camera(CAMERA, "Gate", "rtsp://127.0.0.1:1/gate")), 1)


class Gate:
    """A camera that begins with a key frame wherever it is connected."""

    resolution = (640, 360)

    def connect(self) -> "Gate":
        return self

    def units(self) -> Iterator[SourceUnit]:
        for frame in range(10_000):
            yield SourceUnit(picture(0, frame), frame % FPS == 0, frame / FPS)
            time.sleep(1 / FPS)

    def close(self) -> None:
        """Nothing is held open."""


async def test_readers_and_state_go_on_when_a_camera_moves():
    old_hub, new_hub = VideoHub(), VideoHub()
    old_bus, new_bus = LocalBus(), LocalBus()
    old = IngestService(old_bus.events, old_bus.states, old_hub, lambda url: Gate())
    new = IngestService(new_bus.events, new_bus.states, new_hub, lambda url: Gate())
    with served(old_hub) as there, served(new_hub) as elsewhere:
        holder = there.member
        with RemoteVideo(lambda camera: holder).reader(CAMERA) as reader:
            await old.take(GATE)
            last = first = await asyncio.to_thread(reader.read, 10)
            assert first is not None
            assert first.is_keyframe
            new_bus.states.publish_state(CAMERA, _state_of(old_bus))
            moved_s = time.monotonic()
            await old.drop(CAMERA)
            await new.take(GATE)
            holder = elsewhere.member
            while last is not None and last.connection == first.connection:
                before, last = last, await asyncio.to_thread(reader.read, 3)
            took_s = time.monotonic() - moved_s
            await new.drop(CAMERA)
    assert last is not None
    assert last.is_keyframe
    assert last.connection > first.connection
    assert last.time_s > before.time_s
    assert took_s < 1
    events = (await new_bus.events.next_batch()).events
    assert {e.status for e in events if isinstance(e, StatusChange)} == {CameraStatus.LIVE}


def _state_of(bus: LocalBus) -> CameraState:
    """Give what the other bus knows of the camera by now."""
    state = bus.states.state(CAMERA)
    assert state is not None
    assert state.status is CameraStatus.LIVE
    return state
