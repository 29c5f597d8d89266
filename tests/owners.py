"""An owner of cameras that notes what it is told, for tests of the ownership."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from services.core.types import Camera, CameraId, CameraSetup, OwnedCamera


def setup(camera: str, highest_epoch: int = 0) -> CameraSetup:
    return CameraSetup(Camera(CameraId(camera), camera, "demo://traffic"), (), highest_epoch)


async def until(condition: Callable[[], object], timeout_s: float = 4.0) -> float:
    """Wait for something, and give how long that took; fails when it does not come."""
    began_s = time.monotonic()
    while not condition():
        assert time.monotonic() - began_s < timeout_s, f"not within {timeout_s:g} s"
        await asyncio.sleep(0.005)
    return time.monotonic() - began_s


@dataclass
class NotingOwner:
    """Implements `Owner`. Cameras named in the fields take their time or fail."""

    take_s: dict[str, float] = field(default_factory=dict)
    drop_s: float = 0.0
    fails_to_take: set[str] = field(default_factory=set)
    fails_to_drop: set[str] = field(default_factory=set)
    working: dict[CameraId, OwnedCamera] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    async def take(self, camera: OwnedCamera) -> None:
        id = camera.setup.camera.id
        self.calls.append(f"take {id}")
        await asyncio.sleep(self.take_s.get(id, 0.0))
        if id in self.fails_to_take:
            raise RuntimeError("the model is missing")
        self.working[id] = camera

    async def drop(self, camera: CameraId) -> None:
        self.calls.append(f"drop {camera}")
        await asyncio.sleep(self.drop_s)
        if camera in self.fails_to_drop:
            raise RuntimeError("the thread hangs")
        self.working.pop(camera, None)
