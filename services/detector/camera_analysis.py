"""The analysis of one camera: a thread that turns its pictures into tracks and events."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from services.common.bus import Bus
from services.common.h264 import DecodedPicture, H264Decoder
from services.common.video import VideoReader, VideoSource
from services.core.types import AccessUnit, Event, OwnedCamera, Ownership
from services.detector.analyser import Analyser
from services.detector.coverage import Coverage
from services.detector.decode.sampler import Sampler
from services.detector.decode.scaling import scaled_rgb
from services.detector.infer.detector import Detector
from services.detector.track.bytetrack import TrackerSettings

log = logging.getLogger(__name__)

READ_TIMEOUT_S = 0.1
"""How long a camera without pictures may keep its thread from noticing that it has to end."""

STOP_TIMEOUT_S = 5.0
RESTART_S = 2.0
QUIET_S = 2.0
"""Without a picture for this long, tracks are closed."""

DetectorFactory = Callable[[str], Detector]
"""Makes a detector of its own for a thread, by model name."""


@dataclass(slots=True)
class LiveEdge:
    """How far the analysis of a camera has come under one epoch.

    It outlives the analyses that follow each other under this epoch (another model, a fault), so that the
    ownership is announced once and no picture is analysed twice.
    """

    epoch: int
    last_s: float | None = None
    """Capture time of the newest picture that was analysed."""

    def is_due(self, unit: AccessUnit) -> bool:
        """Tell whether a picture is this ownership's to analyse.

        What was captured before it began to follow may be another owner's; it is decoded only, so that the
        next picture can be. After a lost connection, what this ownership has missed meanwhile is its own.
        """
        return not unit.is_backlog or (self.last_s is not None and unit.time_s > self.last_s)


@dataclass
class CameraAnalysis:
    """Analyses one camera until it is stopped."""

    owned: OwnedCamera
    bus: Bus
    video: VideoSource
    make_detector: DetectorFactory
    edge: LiveEdge
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _analyser: Analyser | None = None
    _coverage: Coverage | None = None
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
            if self._thread.is_alive():
                log.warning("the analysis of camera %s did not end in time", self.owned.setup.camera.id)

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
        sampler = Sampler(camera.fps)
        rate = _Rate()
        with self.video.reader(camera.id) as reader:
            decoder, connection = H264Decoder(), -1
            while not self._stopped.is_set():
                unit = reader.read(READ_TIMEOUT_S)
                if unit is None:
                    self._on_silence(rate)
                    continue
                if unit.connection != connection:
                    decoder, connection = H264Decoder(), unit.connection
                picture = decoder.decode(unit)
                if picture is None or not self.edge.is_due(picture.unit):
                    continue
                if sampler.pick(picture.unit.time_s):
                    self._analyse(detector, picture)
                    self._tell_rate(rate, sampler, reader, unit.time_s)
        self._finish()

    def _analyse(self, detector: Detector, picture: DecodedPicture) -> None:
        """Analyse one picture and publish what it brought: the ownership first, evidence last."""
        unit = picture.unit
        letterbox = detector.letterbox(*picture.size)
        detections = detector.detect(
            scaled_rgb(picture.picture, letterbox), letterbox, TrackerSettings().weak
        )
        events: list[Event] = []
        if self.edge.last_s is None:
            events.append(Ownership(unit.camera, self.edge.epoch, unit.time_s))
        analyser, coverage = self._analyser_for(picture, events)
        analysis = analyser.update(unit.frame, unit.time_s, detections)
        events += [*analysis.crossings, *analysis.closed]
        events += coverage.add(unit.time_s, analyser.doubt())
        self.edge.last_s = max(unit.time_s, self.edge.last_s or unit.time_s)
        self.bus.publish_tracks(analysis.tracked)
        if events:
            self.bus.publish_events(events)

    def _analyser_for(self, picture: DecodedPicture, events: list[Event]) -> tuple[Analyser, Coverage]:
        """Give the analyser of this connection and size; a new one begins with no tracks."""
        key = (picture.unit.connection, picture.size)
        if self._analyser is None or self._coverage is None or key != self._key:
            if self._analyser is not None:
                events += self._analyser.finish()
            width, height = picture.size
            setup, epoch = self.owned.setup, self.edge.epoch
            self._analyser = Analyser(
                setup.camera.id, width / height, setup.lines, epoch, picture.unit.connection
            )
            self._coverage = Coverage(setup.camera.id, setup.camera.fps, epoch)
            self._key = key
        self._analyser.set_lines(self.owned.setup.lines)
        return self._analyser, self._coverage

    def _tell_rate(self, rate: "_Rate", sampler: Sampler, reader: VideoReader, time_s: float) -> None:
        sampler.adapt(reader.backlog_s)
        fps = rate.add(time_s)
        if fps is not None:
            self.bus.publish_fps(self.owned.setup.camera.id, fps)

    def _on_silence(self, rate: "_Rate") -> None:
        rate.silent_s += READ_TIMEOUT_S
        if rate.silent_s >= QUIET_S:
            self._finish()

    def _finish(self) -> None:
        """Close all tracks; the seconds that are in doubt stay without evidence."""
        closed = self._analyser.finish() if self._analyser is not None else ()
        self._analyser = self._coverage = None
        if closed:
            self.bus.publish_events(closed)


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
