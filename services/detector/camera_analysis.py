"""The analysis of one camera: a thread that turns its pictures into tracks and events."""

import logging
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.common.bus.protocol import EventQueue, StateBoard, TrackFeed
from services.common.clocks import HOST_CLOCKS, Clocks
from services.common.live.analysed import AnalysedPictures
from services.common.video.decoder import DecodedPicture, UnitDecoder
from services.common.video.hub import VideoSource
from services.common.wire import time_text
from services.core.costs import AnalysisCost, EngineChoice
from services.core.errors import BadInputError
from services.core.evidence.passes import STEP_S, Passes
from services.core.evidence.rate import countable_fps
from services.core.evidence.seconds import EvidenceJudge
from services.core.frames import Picture
from services.core.sentences.sentence import sentence
from services.core.types import AccessUnit, CameraSetup, Detection, Event, OwnedCamera, Ownership
from services.detector.analyser import Analyser
from services.detector.analysis_fault import FAILED, AnalysisFault
from services.detector.cost_meter import CostMeter
from services.detector.decode.key_frames import KeyFrameNotes
from services.detector.decode.sampler import Sampler
from services.detector.decode.scaling import scaled_rgb
from services.detector.infer.detector import Classifier, Detector
from services.detector.infer.file_watch import FileWatch
from services.detector.infer.tiling import with_tiles
from services.detector.second_opinion import ClassifierFactory, SecondOpinion, classifier_for
from services.detector.track.bytetrack import TrackerSettings

log = logging.getLogger(__name__)

READ_TIMEOUT_S = 0.1
"""How long a camera without pictures may keep its thread from noticing that it has to end."""

STOP_TIMEOUT_S = 5.0
RESTART_S = 2.0
QUIET_S = 2.0
"""Without a picture for this long, tracks are closed."""

RATE_S = 2.0
"""Over how long the rate of analysis is measured."""

STILL_S = 3.0
"""Without an analysed picture for this long, the rate is 0."""

SAME_ASPECT = 0.02
"""Pictures of two sizes whose shapes differ by less show the same; sizes are multiples of 8 or 16 often."""

DetectorFactory = Callable[[str], Detector]
"""Makes a detector of its own for a thread, by model name."""

ChoiceOf = Callable[[Detector], EngineChoice]
"""Gives why a detector has its engine."""


def unmeasured(detector: Detector) -> EngineChoice:
    """Give the engine of a detector of which nothing else is known."""
    return EngineChoice(detector.info.name, detector.engine, "engine-only")


@dataclass(slots=True)
class LiveEdge:
    """How far the analysis of a camera has come under one epoch.

    It outlives the analyses that follow each other under this epoch (another model, a fault), so that no
    picture is analysed twice, nor a span of time that a clock which was set back brings again. The ownership
    is announced once, and again when such a clock leads to before it.
    """

    epoch: int
    passes: Passes
    last_s: float | None = None
    """Capture time of the newest picture that was analysed, by the clock as it is now."""
    announced_s: float = math.inf
    """From when on the ownership was announced."""

    def is_due(self, unit: AccessUnit) -> bool:
        """Return whether a picture is this ownership's to analyse.

        What was captured before it began to follow may be another owner's; it is decoded only, so that the
        next picture can be. After a lost connection, what this ownership has missed meanwhile is its own.
        """
        return not unit.is_backlog or (self.last_s is not None and unit.time_s > self.last_s)

    def advance(self, time_s: float) -> None:
        """Note that the picture of this time was analysed."""
        self.passes.use(time_s)
        is_older = self.last_s is not None and self.last_s - STEP_S <= time_s <= self.last_s
        self.last_s = self.last_s if is_older else time_s


@dataclass
class CameraAnalysis:
    """Analyses one camera until it is stopped."""

    owned: OwnedCamera
    events: EventQueue
    tracks: TrackFeed
    states: StateBoard
    video: VideoSource
    make_detector: DetectorFactory
    edge: LiveEdge
    clocks: Clocks = HOST_CLOCKS
    choice_of: ChoiceOf = unmeasured
    decoded: AnalysedPictures = field(default_factory=AnalysedPictures)
    """Where decoded pictures are kept for those who show the camera."""
    make_classifier: ClassifierFactory | None = None
    """Makes who gives second opinions; None where nobody does."""
    _classifier: Classifier | None = None
    _stopped: threading.Event = field(default_factory=threading.Event)
    _gate: threading.RLock = field(default_factory=threading.RLock)
    """Locked while something is published, or noted for a next analysis."""
    _is_over: bool = False
    _thread: threading.Thread | None = None
    _analyser: Analyser | None = None
    _judge: EvidenceJudge | None = None
    _setup: CameraSetup | None = None
    """What the analyser counts by."""
    _connection: int = -1
    _classes: tuple[str, ...] = ()
    """What the model finds; empty until it is loaded."""
    _aspect: float = 1.0
    """Width by height of the analyser's pictures."""
    _was_repeat: bool = False
    _fault: AnalysisFault | None = None

    def start(self) -> None:
        """Begin to analyse."""
        self._thread = threading.Thread(
            target=self._run, name=f"detector-{self.owned.setup.camera.id}", daemon=True
        )
        self._thread.start()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Close all tracks, publish what is known, and wait until the thread has ended.

        A thread that hangs in a picture is left to end by itself; whatever it does, nothing follows.
        """
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
            with self._gate:
                self._is_over = True
            if self._thread.is_alive():
                log.warning("the analysis of camera %s did not end in time", self.owned.setup.camera.id)

    def _run(self) -> None:
        """Analyse until stopped; what nobody foresaw costs a gap and a new start, not the camera."""
        fault = self._fault = AnalysisFault(self.owned.setup.camera.id, self.states, self.clocks.now_s)
        while not self._stopped.is_set():
            try:
                self._follow()
                continue
            except BadInputError as error:
                reason = sentence("analysis-no-model", reason=error.sentence)
            except Exception:
                log.exception("the analysis of camera %s failed and starts again", self.owned.setup.camera.id)
                reason = FAILED
            self._analyser = None
            with self._gate:
                self._note([] if self._is_over else fault.begin(reason))
            self._stopped.wait(RESTART_S)
        self._end_fault(self.clocks.now_s())

    def _end_fault(self, time_s: float) -> None:
        with self._gate:
            if self._fault is not None and self._fault.is_there and not self._is_over:
                self._note(self._fault.end(time_s))

    def _follow(self) -> None:
        camera = self.owned.setup.camera
        whole = self.make_detector(camera.model)
        detector, self._classes = with_tiles(whole, camera.tiles), whole.info.classes
        sampler, losses = Sampler(countable_fps(camera.fps)), _Losses()
        notes = KeyFrameNotes(camera.id, self.states)
        rate, meter, choice = _Rate(self.clocks.steady_s), CostMeter(self.clocks), self.choice_of(whole)
        self._classifier = classifier_for(camera, whole, self.make_classifier)
        file = FileWatch(whole.info.path, self.clocks.steady_s)
        with self.video.reader(camera.id) as reader:
            decoder, connection = UnitDecoder(), -1
            while not self._stopped.is_set() and not file.has_changed():
                self._publish_rate(rate)
                self._publish_cost(meter.measured(choice, reader.dropped))
                unit = reader.read(READ_TIMEOUT_S)
                if unit is None:
                    self._on_silence(rate)
                    self._note(notes.see_silence(rate.silent_s, reader.dropped))
                    continue
                if unit.connection != connection:
                    decoder, connection = UnitDecoder(unit.codec), unit.connection
                meter.receive()
                picture = decoder.decode(unit)
                losses.see(unit, decoder.broken)
                self._note(notes.see(unit, picture is not None, reader.dropped))
                if picture is not None:
                    self.decoded.put(picture)
                if picture is None or not self.edge.is_due(picture.unit):
                    continue
                rate.silent_s = 0.0
                if self._comes_again(picture.unit.time_s) or not sampler.pick(picture.unit.time_s):
                    continue
                began_s = meter.begin()
                self._analyse(detector, picture, sampler.has_missed(losses.take()))
                meter.end(began_s, picture.unit.time_s)
                rate.add()
                self._end_fault(picture.unit.time_s)
                sampler.adapt(reader.backlog_s)
        self._finish()

    def _note(self, changes: Sequence[Event]) -> None:
        """Tell the history of the camera what ingest cannot know."""
        with self._gate:
            if changes and not self._is_over:
                self.events.publish(changes)

    def _comes_again(self, time_s: float) -> bool:
        """Return whether this time has passed before and is not counted again; publishes that it does."""
        with self._gate:
            return self._is_over or self._is_repeat(time_s)

    def _is_repeat(self, time_s: float) -> bool:
        passes, epoch = self.edge.passes, self.edge.epoch
        passes.learn([known for known in self.owned.setup.repeats if 0 < known.epoch < epoch])
        updates = passes.see(time_s, self.clocks.steady_s())
        if updates:
            self.events.publish(updates)
        repeat, was_repeat = passes.repeat_at(time_s), self._was_repeat
        self._was_repeat = repeat is not None
        if repeat is not None and not was_repeat:
            self._finish()
            until = time_text(repeat.to_s)
            log.warning(
                "camera %s: its time has passed before, it is counted from %s on", repeat.camera, until
            )
        return repeat is not None

    def _analyse(self, detector: Detector, picture: DecodedPicture, has_missed: bool) -> None:
        letterbox = detector.letterbox(*picture.size)
        scaled = scaled_rgb(picture.picture, letterbox)
        detections = detector.detect(scaled, letterbox, TrackerSettings().weak)
        with self._gate:
            if not self._is_over:
                self._publish(picture, detections, scaled, has_missed)

    def _publish(
        self, picture: DecodedPicture, detections: Sequence[Detection], scaled: Picture, has_missed: bool
    ) -> None:
        """Count one picture and publish what it brought: the ownership first, evidence last."""
        unit = picture.unit
        events: list[Event] = []
        if unit.time_s < self.edge.announced_s - STEP_S:
            epoch, why = self.edge.epoch, self.edge.passes.cause
            events.append(
                Ownership(unit.camera, epoch, unit.time_s, unit.connection, why.text, why.code, why.params)
            )
            self.edge.announced_s = unit.time_s
        analyser, judge = self._analyser_for(picture, events)
        analysis = analyser.update(unit.frame, unit.time_s, detections, scaled)
        events += [*analysis.crossings, *analysis.recorded]
        if picture.is_damaged:
            judge.skip(analyser.pending(), has_missed)
        else:
            events += judge.add(unit.time_s, analyser.pending(), has_missed)
        self.edge.advance(unit.time_s)
        self.tracks.publish(analysis.tracked)
        if events:
            self.events.publish(events)

    def _analyser_for(self, picture: DecodedPicture, events: list[Event]) -> tuple[Analyser, EvidenceJudge]:
        """Give the analyser of this connection and shape; a new one begins with no tracks.

        Tracks are normalised: they go on where a camera changes the number of its pixels alone.
        """
        setup = self.owned.setup
        if self._analyser is None or self._judge is None or not self._goes_on(picture):
            if self._analyser is not None:
                events += self._analyser.finish()
            self._connection, self._aspect = picture.unit.connection, _aspect_of(picture)
            camera, epoch, connection = setup.camera.id, self.edge.epoch, self._connection
            opinion = None if self._classifier is None else SecondOpinion(self._classifier)
            self._analyser = Analyser(
                camera,
                self._aspect,
                setup.lines,
                epoch,
                connection,
                classes=self._classes or None,
                second_opinion=opinion,
            )
            self._judge = EvidenceJudge(camera, epoch, connection, setup.revision)
        elif setup is not self._setup:
            self._judge.count_under(setup.revision, self._analyser.set_lines(setup.lines))
        self._setup = setup
        return self._analyser, self._judge

    def _goes_on(self, picture: DecodedPicture) -> bool:
        """Return whether a picture follows those of the analyser."""
        is_alike = abs(_aspect_of(picture) / self._aspect - 1) < SAME_ASPECT
        return is_alike and picture.unit.connection == self._connection

    def _publish_rate(self, rate: "_Rate") -> None:
        fps = rate.measured()
        with self._gate:
            if fps is None or self._is_over:
                return
            self.states.publish_rate(self.owned.setup.camera.id, fps)

    def _publish_cost(self, cost: AnalysisCost | None) -> None:
        with self._gate:
            if cost is not None and not self._is_over:
                model = self.owned.setup.camera.model
                self.states.publish_cost(self.owned.setup.camera.id, cost.with_classes(model, self._classes))

    def _on_silence(self, rate: "_Rate") -> None:
        rate.silent_s += READ_TIMEOUT_S
        if rate.silent_s >= QUIET_S:
            self._finish()

    def _finish(self) -> None:
        """Close all tracks; the seconds that are pending stay without evidence."""
        with self._gate:
            recorded = self._analyser.finish() if self._analyser is not None else ()
            self._analyser = self._judge = None
            if recorded and not self._is_over:
                self.events.publish(recorded)


def _aspect_of(picture: DecodedPicture) -> float:
    width, height = picture.size
    return width / height


class _Losses:
    """Counts the pictures of a camera that were not analysed though nobody chose to leave them out."""

    def __init__(self) -> None:
        self._last: AccessUnit | None = None
        self._broken = self._lost = 0

    def see(self, unit: AccessUnit, broken: int) -> None:
        """Take a picture that came, and how many the decoder of its connection could not decode so far."""
        last = self._last
        if last is None or last.connection != unit.connection:
            self._broken = self._lost = 0
        else:
            self._lost += max(0, unit.frame - last.frame - 1)
        self._lost += broken - self._broken
        self._broken, self._last = broken, unit

    def take(self) -> int:
        """Give how many were lost since the last call."""
        lost, self._lost = self._lost, 0
        return lost


class _Rate:
    """Measures analysed frames a second over some seconds, by a clock that nobody sets."""

    def __init__(self, steady_s: Callable[[], float]) -> None:
        self._steady_s = steady_s
        self._first_s: float | None = None
        self._last_s = 0.0
        self._frames = 0
        self.silent_s = 0.0

    def add(self) -> None:
        """Count a frame; the first one only begins the time."""
        self._last_s = self._steady_s()
        if self._first_s is None:
            self._first_s = self._last_s
        else:
            self._frames += 1

    def measured(self) -> float | None:
        """Give the rate when it was measured for long enough; 0, once, when no frame comes any more."""
        if self._first_s is None:
            return None
        if self._steady_s() - self._last_s >= STILL_S:
            self._first_s, self._frames = None, 0
            return 0.0
        elapsed_s = self._last_s - self._first_s
        if elapsed_s < RATE_S:
            return None
        fps, self._first_s, self._frames = self._frames / elapsed_s, self._last_s, 0
        return fps
