"""The detector service: one thread a camera turns its pictures into tracks and events."""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from services.common.bus import Bus
from services.common.h264 import DecodedPicture, H264Decoder
from services.common.video import VideoReader, VideoSource
from services.core.types import CameraId, Event, OwnedCamera
from services.detector.analyser import Analyser
from services.detector.coverage import SecondCounter
from services.detector.decode.sampler import Sampler
from services.detector.decode.scaling import scaled_rgb
from services.detector.infer.detector import Detector
from services.detector.track.bytetrack import TrackerSettings

log = logging.getLogger(__name__)

READ_TIMEOUT_S = 0.5
STOP_TIMEOUT_S = 5.0
RESTART_S = 2.0
QUIET_S = 2.0
"""Without a picture for this long, the last second's evidence is given and tracks are closed."""

DetectorFactory = Callable[[str], Detector]
"""Makes a detector of its own for a thread, by model name."""


@dataclass
class CameraAnalysis:
    """Analyses one camera until it is stopped."""

    owned: OwnedCamera
    bus: Bus
    video: VideoSource
    make_detector: DetectorFactory
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _analyser: Analyser | None = None
    _key: tuple[int, tuple[int, int]] | None = None

    def start(self) -> None:
        """Begin to analyse."""
        self._thread = threading.Thread(
            target=self._run, name=f"detector-{self.owned.setup.camera.id}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close all tracks, hand on what is known, and wait until the thread has ended."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        """Analyse until stopped; what nobody foresaw costs a gap and a new start, not the camera."""
        while not self._stopped.is_set():
            try:
                self._follow()
            except Exception:
                log.exception("the analysis of camera %s failed and starts again", self.owned.setup.camera.id)
                self._analyser = None
                self._stopped.wait(RESTART_S)

    def _follow(self) -> None:
        camera = self.owned.setup.camera
        detector = self.make_detector(camera.model)
        seconds = SecondCounter(camera.id, camera.fps)
        sampler = Sampler(camera.fps)
        rate = _Rate()
        with self.video.reader(camera.id) as reader:
            decoder, connection = H264Decoder(), -1
            while not self._stopped.is_set():
                unit = reader.read(READ_TIMEOUT_S)
                if unit is None:
                    self._on_silence(seconds, rate)
                    continue
                if unit.connection != connection:
                    decoder, connection = H264Decoder(), unit.connection
                picture = decoder.decode(unit)
                if picture is None or not sampler.pick(picture.unit.time_s):
                    continue
                self._analyse(detector, picture, seconds)
                self._tell_rate(rate, sampler, reader, unit.time_s)
        self._finish(seconds)

    def _analyse(self, detector: Detector, picture: DecodedPicture, seconds: SecondCounter) -> None:
        unit = picture.unit
        events: list[Event] = []
        analyser = self._analyser_for(picture, events)
        letterbox = detector.letterbox(*picture.size)
        scaled = scaled_rgb(picture.picture, letterbox)
        detections = detector.detect(scaled, letterbox, TrackerSettings().weak)
        analysis = analyser.update(unit.frame, unit.time_s, detections)
        events += [*analysis.crossings, *analysis.closed]
        evidence = seconds.add(unit.time_s)
        if evidence is not None:
            events.append(evidence)
        self.bus.publish_tracks(analysis.tracked)
        if events:
            self.bus.publish_events(events)

    def _analyser_for(self, picture: DecodedPicture, events: list[Event]) -> Analyser:
        """Give the analyser of this connection and size; a new one begins with no tracks."""
        key = (picture.unit.connection, picture.size)
        if self._analyser is None or key != self._key:
            if self._analyser is not None:
                events += self._analyser.finish()
            width, height = picture.size
            setup = self.owned.setup
            self._analyser = Analyser(
                setup.camera.id, width / height, setup.lines, self.owned.epoch, picture.unit.connection
            )
            self._key = key
        self._analyser.set_lines(self.owned.setup.lines)
        return self._analyser

    def _tell_rate(self, rate: "_Rate", sampler: Sampler, reader: VideoReader, time_s: float) -> None:
        sampler.adapt(reader.backlog_s)
        fps = rate.add(time_s)
        if fps is not None:
            self.bus.publish_fps(self.owned.setup.camera.id, fps)

    def _on_silence(self, seconds: SecondCounter, rate: "_Rate") -> None:
        rate.silent_s += READ_TIMEOUT_S
        if rate.silent_s >= QUIET_S:
            self._finish(seconds)

    def _finish(self, seconds: SecondCounter) -> None:
        events: list[Event] = list(self._analyser.finish()) if self._analyser is not None else []
        self._analyser = None
        evidence = seconds.finish()
        if evidence is not None:
            events.append(evidence)
        if events:
            self.bus.publish_events(events)


class _Rate:
    """Measures analysed frames a second over some seconds."""

    def __init__(self) -> None:
        self._first_s: float | None = None
        self._frames = 0
        self.silent_s = 0.0

    def add(self, time_s: float) -> float | None:
        self.silent_s = 0.0
        if self._first_s is None:
            self._first_s = time_s
            return None
        self._frames += 1
        elapsed_s = time_s - self._first_s
        if elapsed_s < 2.0:
            return None
        fps = self._frames / elapsed_s
        self._first_s, self._frames = time_s, 0
        return fps


class DetectorService:
    """Analyses the cameras that it owns, those of them that are enabled. Implements `Owner`."""

    def __init__(self, bus: Bus, video: VideoSource, make_detector: DetectorFactory) -> None:
        self._bus, self._video, self._make_detector = bus, video, make_detector
        self._running: dict[CameraId, CameraAnalysis] = {}

    async def take(self, camera: OwnedCamera) -> None:
        """Begin to analyse, or go on with changed lines; a changed model or rate begins anew."""
        await asyncio.to_thread(self._take, camera)

    async def drop(self, camera: CameraId) -> None:
        """End the analysis and close its tracks."""
        analysis = self._running.pop(camera, None)
        if analysis is not None:
            await asyncio.to_thread(analysis.stop)

    def _take(self, owned: OwnedCamera) -> None:
        key = owned.setup.camera.id
        running = self._running.get(key)
        if running is not None and owned.setup.camera.enabled and _is_same_work(running.owned, owned):
            running.owned = owned
            return
        if running is not None:
            running.stop()
            del self._running[key]
        if owned.setup.camera.enabled:
            analysis = CameraAnalysis(owned, self._bus, self._video, self._make_detector)
            self._running[key] = analysis
            analysis.start()


def _is_same_work(old: OwnedCamera, new: OwnedCamera) -> bool:
    before, after = old.setup.camera, new.setup.camera
    return (before.model, before.fps, old.epoch) == (after.model, after.fps, new.epoch)
