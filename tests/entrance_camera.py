"""The page over an entrance whose faces are found where its script says: no model takes part."""

import asyncio
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from services.core.types import (
    AccessUnit,
    AnalysedSecond,
    Camera,
    CameraId,
    CameraState,
    CameraStatus,
    Detection,
)
from services.demo.encode import encode, pictures_of
from services.demo.entrance.scene import Entrance
from services.demo.script import FPS, SIZE_PX
from services.detector.analyser import Analyser
from tests.tables import Tables
from tests.web_app import Web, served, web_over

DOOR = Camera(CameraId("door"), "Door", "demo://masks", "mask")
EVERY = 2
"""Every second picture is analysed."""


@contextmanager
def entrance_page(database_uri: str, scene: Entrance, first: int, count: int) -> Iterator[str]:
    """Serve the page over some pictures of a scene, played again and again; gives its address."""
    units = list(encode(pictures_of(scene, first, count)))
    stop, started = threading.Event(), threading.Event()
    found: list[str] = []

    async def serve() -> None:
        name = f"test_{uuid.uuid4().hex[:12]}"
        tables = Tables(database_uri, name)
        await tables.prepare()
        async with web_over(tables) as web, served(web.app) as address:
            found.append(address)
            started.set()
            await _play(web, scene, units, first, stop)
        await tables.drop()
        await tables.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert started.wait(60), "the page is not served"
        yield found[0]
    finally:
        stop.set()
        thread.join(30)


async def _play(
    web: Web, scene: Entrance, units: list[tuple[bool, bytes]], first: int, stop: threading.Event
) -> None:
    await web.tables.setups.add_camera(DOOR)
    for line in scene.lines:
        await web.tables.setups.add_line(DOOR.id, line)
    await web.app.state.context.mirror.refresh()
    web.bus.states.publish_state(DOOR.id, CameraState(CameraStatus.LIVE, time.time(), FPS / EVERY, SIZE_PX))
    began_s, shown = time.time(), 0
    connection = 0
    while not stop.is_set():
        connection += 1
        analyser = Analyser(DOOR.id, SIZE_PX[0] / SIZE_PX[1], scene.lines, connection=connection)
        for number, (is_keyframe, data) in enumerate(units):
            time_s = began_s + shown / FPS
            await asyncio.sleep(max(0.0, time_s - time.time()))
            if stop.is_set():
                return
            web.video.publish(AccessUnit(DOOR.id, shown, time_s, is_keyframe, data, connection))
            shown += 1
            if number % EVERY == 0:
                faces = scene.present((first + number) / FPS)
                detections = [Detection(box, one.class_name, 0.8) for one, box in faces]
                analysis = analyser.update(shown - 1, time_s, detections)
                web.bus.tracks.publish(analysis.tracked)
                analysed = AnalysedSecond(DOOR.id, int(time_s))
                await web.tables.events.insert_events([*analysis.crossings, *analysis.recorded, analysed])
