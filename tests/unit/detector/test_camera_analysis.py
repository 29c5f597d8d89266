"""The detector over real pictures: what it announces, what it analyses, and how fast it ends."""

import asyncio
import io
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import av
import numpy as np
import pytest

from services.common.bus.local import LocalBus
from services.common.clocks import Clocks
from services.common.live.analysed import AnalysedPictures
from services.common.video.hub import VideoHub
from services.core.errors import BadInputError
from services.core.frames import Letterbox, Picture
from services.core.types import (
    MASK_CLASSES,
    AccessUnit,
    AnalysedSecond,
    CameraSetup,
    CameraState,
    CameraStatus,
    Crossing,
    Detection,
    Event,
    Line,
    LineId,
    OwnedCamera,
    Ownership,
    PositionSeconds,
    RepeatedSpan,
    StatusChange,
    Trajectory,
)
from services.detector.infer.detector import ClassifierInfo, Detector, Faces, ModelInfo
from services.detector.infer.file_watch import LOOK_S
from services.detector.second_opinion import LOOK_AGAIN_S, ClassifierFactory
from services.detector.service import DetectorService
from tests.makers import GATE, camera

FPS = 25
FRAMES = 120
LINE = Line(LineId("main"), "Main", ((0.0, 0.5), (1.0, 0.5)))


@cache
def clip(size: tuple[int, int] = (64, 64)) -> list[tuple[bool, bytes]]:
    """Pictures that grow brighter, as access units with a key frame each second."""
    with av.open(io.BytesIO(), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=FPS)
        (stream.width, stream.height), stream.pix_fmt = size, "yuv420p"
        stream.options = {"bf": "0", "g": str(FPS), "tune": "zerolatency", "x264-params": "scenecut=0"}
        pictures = [np.full((size[1], size[0], 3), 2 * n + 10, np.uint8) for n in range(FRAMES)]
        frames = [av.VideoFrame.from_ndarray(picture, format="bgr24") for picture in pictures]
        return [
            (bool(packet.is_keyframe), bytes(packet))
            for frame in [*frames, None]
            for packet in stream.encode(frame)
        ]


class BrightnessDetector:
    """Sees one car, the lower the brighter the picture is: it goes through the whole picture in a clip.

    It waits with a picture until it may go on.
    """

    engine = "brightness"

    def __init__(
        self, may_detect: threading.Event, is_detecting: threading.Event, class_name: str = "car"
    ) -> None:
        self._may_detect, self._is_detecting, self._class_name = may_detect, is_detecting, class_name
        self.confidence = 0.9 if class_name == "car" else 0.4
        classes = (class_name,) if class_name == "car" else MASK_CLASSES
        self.info = ModelInfo("brightness", "traffic", classes, 64, 64, 0.25, 0.5, Path("none"))
        self.looks = 0

    def letterbox(self, width: int, height: int) -> Letterbox:
        return Letterbox(64, 64, width, height)

    def detect(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        self.looks += 1
        self._is_detecting.set()
        assert self._may_detect.wait(10)
        y = 0.1 + 0.8 * (float(scaled_rgb.mean()) - 10) / 240
        return [Detection((0.4, y - 0.1, 0.6, y + 0.1), self._class_name, self.confidence)]


@dataclass
class Stage:
    """A detector service with a camera whose pictures the test shows when it likes."""

    bus: LocalBus = field(default_factory=LocalBus)
    hub: VideoHub = field(default_factory=VideoHub)
    begin_s: float = 1_000_000_000.0
    made: int = 0
    stop_timeout_s: float = 5.0
    frame_s: float = 1 / FPS
    delay_s: float = 0.0
    events: list[Event] = field(default_factory=list)
    decoded: AnalysedPictures = field(default_factory=AnalysedPictures)
    class_name: str = "car"
    make_classifier: ClassifierFactory | None = None

    def __post_init__(self) -> None:
        self.steady_s = 50.0
        self.may_detect, self.is_detecting = threading.Event(), threading.Event()
        self.may_detect.set()
        self.service = DetectorService(
            self.bus.events,
            self.bus.tracks,
            self.bus.states,
            self.hub,
            self._make,
            Clocks(lambda: self.begin_s + self.delay_s, lambda: self.steady_s),
            self.stop_timeout_s,
            decoded=self.decoded,
            make_classifier=self.make_classifier,
        )

    def _make(self, _: str) -> BrightnessDetector:
        self.made += 1
        self.newest = BrightnessDetector(self.may_detect, self.is_detecting, self.class_name)
        return self.newest

    def owned(self, epoch: int, fps: float = FPS, tiles: str = "1x1") -> OwnedCamera:
        verify = self.make_classifier is not None
        changed = replace(camera(), fps=fps, verify=verify, tiles=tiles)
        return OwnedCamera(CameraSetup(changed, (LINE,)), epoch)

    async def take(self, epoch: int, fps: float = FPS, tiles: str = "1x1") -> None:
        """Take the camera and wait until its pictures are followed."""
        made = self.made
        await self.service.take(self.owned(epoch, fps, tiles))
        await until(lambda: self.made > made)
        await asyncio.sleep(0.1)

    def time_of(self, frame: int) -> float:
        return self.begin_s + frame * self.frame_s

    async def show(
        self,
        first: int,
        last: int,
        connection: int = 1,
        size: tuple[int, int] = (64, 64),
        is_damaged: bool = False,
    ) -> None:
        """Publish pictures as fast as they are read, so that none wait and the rate is not lowered."""
        for frame in range(first, last):
            is_keyframe, data = clip(size)[frame]
            self.steady_s += self.frame_s
            unit = AccessUnit(
                GATE, frame, self.time_of(frame), is_keyframe, data, connection, is_damaged=is_damaged
            )
            self.hub.publish(unit)
            await until(self._is_read)
        await asyncio.sleep(0.1)

    def wait(self, time_s: float) -> None:
        """Let time go by without pictures."""
        self.begin_s, self.steady_s = self.begin_s + time_s, self.steady_s + time_s

    def _is_read(self) -> bool:
        return all(reader.backlog_s < 0.1 for reader in self.hub._readers.get(GATE, ()))

    async def read(self) -> list[Event]:
        """Everything that was published up to now."""
        while True:
            try:
                batch = await asyncio.wait_for(self.bus.events.next_batch(), 0.1)
            except TimeoutError:
                return self.events
            self.events += batch.events
            self.bus.events.acknowledge(batch)

    async def reported(self, kind: type, number: int) -> list[Event]:
        """Wait until so many events of a kind were published."""
        async with asyncio.timeout(10):
            while len(found := [e for e in await self.read() if isinstance(e, kind)]) < number:
                pass
        return found


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


class Recorder:
    """A bus that notes who called it, in order."""

    def __init__(self, bus: LocalBus) -> None:
        self.calls: list[str] = []
        for door, name in ((bus.events, "publish"), (bus.tracks, "publish"), (bus.states, "publish_rate")):
            setattr(door, name, partial(self._call, name, getattr(door, name)))

    def _call(self, name: str, publish: Callable[..., None], *values: object) -> None:
        self.calls.append(name)
        publish(*values)


@pytest.mark.parametrize("frame", [40, 118])
async def test_what_does_not_stop_in_time_publishes_nothing_after_the_drop(frame: int) -> None:
    """An engine that hangs in a picture comes back when another owner counts the camera already."""
    stage = Stage(stop_timeout_s=0.05)
    recorder = Recorder(stage.bus)
    await stage.take(epoch=7)
    await stage.show(0, frame)
    (thread,) = [t for t in threading.enumerate() if t.name == f"detector-{GATE}"]
    edge = stage.service._running[GATE].edge
    stage.may_detect.clear()
    stage.is_detecting.clear()
    is_keyframe, data = clip()[frame]
    stage.hub.publish(AccessUnit(GATE, frame, stage.time_of(frame), is_keyframe, data, 1))
    await until(stage.is_detecting.is_set)
    await stage.service.drop(GATE)
    before, newest_s = len(recorder.calls), edge.last_s
    stage.may_detect.set()
    await until(lambda: not thread.is_alive())
    assert recorder.calls[before:] == []
    assert edge.last_s == newest_s, "a next analysis under the same ownership may go on from there"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    yield stage
    await stage.service.drop(GATE)


def times_of(events: list[Event]) -> list[float]:
    return [point.time_s for event in events if isinstance(event, Trajectory) for point in event.points]


async def test_an_ownership_is_announced_before_all_else_with_its_first_picture(stage: Stage) -> None:
    await stage.show(0, 30)
    await stage.take(epoch=7)
    assert await stage.read() == [], "what was kept for late readers is another owner's"
    await stage.show(30, FRAMES)
    await stage.reported(Crossing, 1)
    await stage.service.drop(GATE)
    events = await stage.read()
    assert events[0] == Ownership(GATE, 7, stage.time_of(30))
    assert [event for event in events if isinstance(event, Ownership)] == events[:1]
    assert min(times_of(events)) >= stage.time_of(30)
    assert {event.epoch for event in events} == {7}
    assert [event.second for event in events if isinstance(event, AnalysedSecond)] == [
        int(stage.begin_s) + 2,
        int(stage.begin_s) + 3,
    ]


async def test_a_new_owner_begins_where_the_old_one_ended(stage: Stage) -> None:
    await stage.take(epoch=1)
    await stage.show(0, 60)
    await stage.service.drop(GATE)
    await stage.take(epoch=2)
    await stage.show(60, FRAMES)
    await stage.service.drop(GATE)
    events = await stage.read()
    owned = [event for event in events if isinstance(event, Ownership)]
    assert owned == [Ownership(GATE, 1, stage.time_of(0)), Ownership(GATE, 2, stage.time_of(60))]
    tracks = [event for event in events if isinstance(event, Trajectory)]
    assert [track.epoch for track in tracks] == [1, 2]
    assert tracks[0].points[-1].time_s < owned[1].from_s <= tracks[1].points[0].time_s


async def test_a_changed_rate_begins_anew_under_the_same_ownership(stage: Stage) -> None:
    await stage.take(epoch=1)
    await stage.show(0, 60)
    await stage.take(epoch=1, fps=12.5)
    await stage.show(60, FRAMES)
    await stage.service.drop(GATE)
    events = await stage.read()
    assert len([event for event in events if isinstance(event, Ownership)]) == 1
    tracks = [event for event in events if isinstance(event, Trajectory)]
    assert len({track.id for track in tracks}) == len(tracks) == 2
    assert tracks[0].points[-1].time_s < tracks[1].points[0].time_s, "no picture is analysed twice"


async def test_changed_tiles_begin_anew_and_each_of_them_is_looked_at(stage: Stage) -> None:
    await stage.take(epoch=1)
    await stage.show(0, 30)
    assert stage.newest.looks == 30
    await stage.take(epoch=1, tiles="2x1")
    await stage.show(30, 60)
    assert stage.newest.looks == 3 * 30
    assert stage.made == 2


def covered(events: list[Event], stage: Stage) -> list[int]:
    begin = int(stage.begin_s)
    return [event.second - begin for event in events if isinstance(event, AnalysedSecond)]


@pytest.mark.parametrize(("lost", "expected"), [(0, [1, 2, 3]), (1, [1, 3]), (6, [1, 3])])
async def test_a_picture_that_was_due_and_got_lost_takes_its_second(
    stage: Stage, lost: int, expected: list[int]
) -> None:
    await stage.take(epoch=1)
    await stage.show(0, 60)
    await stage.show(60 + lost, FRAMES)
    await stage.service.drop(GATE)
    assert covered(await stage.read(), stage) == expected


async def test_a_camera_that_sends_four_pictures_a_second_is_covered(stage: Stage) -> None:
    """The setting asks for more; what the camera does not send is not missing."""
    stage.frame_s = 0.25
    await stage.take(epoch=1, fps=10)
    await stage.show(0, 44)
    await stage.service.drop(GATE)
    assert covered(await stage.read(), stage) == list(range(1, 10))


async def test_a_renamed_line_keeps_what_is_in_flight(stage: Stage) -> None:
    """The change comes while the car is in the band of the line."""
    renamed = replace(LINE, name="Other", version=2)
    for epoch, change_at in ((1, FRAMES), (2, 61)):
        stage.begin_s += 1000.0
        await stage.take(epoch)
        await stage.show(0, change_at, connection=epoch)
        owned = stage.owned(epoch)
        setup = replace(owned.setup, lines=(renamed,), revision="second")
        await stage.service.take(replace(owned, setup=setup))
        await stage.show(change_at, FRAMES, connection=epoch)
        await stage.service.drop(GATE)
    events = await stage.read()
    crossed = [event for event in events if isinstance(event, Crossing)]
    assert [event.line_version for event in crossed] == [1, 2]
    assert crossed[1].time_s - crossed[0].time_s == pytest.approx(1000.0)
    seconds = [event for event in events if isinstance(event, AnalysedSecond) and event.epoch == 2]
    assert [event.revision for event in seconds] == ["", "second", "second"]
    assert {event.lacking for event in seconds} == {()}


async def test_a_silent_camera_is_dropped_at_once_and_its_rate_with_it(stage: Stage) -> None:
    stage.bus.states.publish_state(GATE, CameraState(CameraStatus.LIVE))
    await stage.take(epoch=1)
    await stage.show(0, FRAMES)
    await stage.reported(Crossing, 1)
    state = stage.bus.states.state(GATE)
    assert state is not None
    assert state.fps == pytest.approx(FPS, rel=0.1)
    began_s = time.monotonic()
    await stage.service.drop(GATE)
    assert time.monotonic() - began_s < 0.3
    state = stage.bus.states.state(GATE)
    assert state is not None
    assert state.fps == 0.0
    assert len([event for event in await stage.read() if isinstance(event, Trajectory)]) == 1


async def test_the_rate_is_measured_by_a_clock_that_nobody_sets(stage: Stage) -> None:
    """Pictures whose times do not move are as many a second as they are, and none are none."""
    stage.bus.states.publish_state(GATE, CameraState(CameraStatus.LIVE))
    await stage.take(epoch=1)
    await stage.show(0, FRAMES)
    assert stage.bus.states.state(GATE).fps == pytest.approx(FPS, rel=0.1)
    await stage.show(0, FRAMES, connection=2)
    await until(lambda: stage.bus.states.state(GATE).fps == 0.0)


@pytest.mark.parametrize("step_s", [3600.0, 60.0])
async def test_a_time_that_comes_twice_is_counted_once(stage: Stage, step_s: float) -> None:
    first_s = stage.begin_s
    await stage.take(epoch=7)
    await stage.show(0, FRAMES)
    stage.wait(step_s)
    await stage.show(0, FRAMES, connection=2)
    stage.begin_s -= step_s
    await stage.show(0, FRAMES, connection=3)
    (told,) = await stage.reported(RepeatedSpan, 1)
    assert (told.from_s, told.epoch) == (first_s, 7)
    assert told.to_s == pytest.approx(first_s + step_s + FRAMES / FPS, abs=0.2)
    assert told.cause.startswith("the clock of this machine was set back by 1 ")
    stage.wait(step_s)
    await stage.show(0, FRAMES, connection=4)
    stage.wait(10.0)
    await stage.show(0, FRAMES, connection=5)
    await stage.service.drop(GATE)
    events = await stage.read()
    crossed = [event.time_s for event in events if isinstance(event, Crossing)]
    assert len(crossed) == 3, "two before, and as soon as time is new again"
    assert crossed == sorted(crossed)
    covered = [event.second for event in events if isinstance(event, AnalysedSecond)]
    assert len(set(covered)) == len(covered) == 9
    assert len([event for event in events if isinstance(event, Ownership)]) == 1


async def test_a_false_future_does_not_block_the_present(stage: Stage) -> None:
    await stage.take(epoch=7)
    stage.begin_s += 3600
    await stage.show(0, FRAMES)
    stage.begin_s -= 3600
    await stage.show(0, FRAMES, connection=2)
    stage.wait(3600)
    await stage.show(0, FRAMES, connection=3)
    await stage.service.drop(GATE)
    events = await stage.read()
    crossed = [event.time_s for event in events if isinstance(event, Crossing)]
    assert [round((time_s - 1_000_000_000.0) / 3600) for time_s in crossed] == [1, 0]
    (told,) = [event for event in events if isinstance(event, RepeatedSpan)]
    assert told.from_s == pytest.approx(stage.time_of(0))
    assert told.to_s == pytest.approx(stage.time_of(FRAMES - 1), abs=0.2)


async def test_a_clock_that_leads_to_before_the_ownership_is_announced_again(stage: Stage) -> None:
    """What older owners have counted of that time, only the store can know."""
    await stage.take(epoch=7)
    await stage.show(0, 30)
    stage.begin_s -= 3600
    await stage.show(0, 60, connection=2)
    stage.begin_s += 10
    await stage.show(0, 30, connection=3)
    owned = await stage.reported(Ownership, 2)
    assert [(event.epoch, event.connection) for event in owned] == [(7, 1), (7, 2)]
    assert owned[0].from_s - owned[1].from_s == pytest.approx(3600)


async def test_what_the_database_knows_to_come_again_is_not_counted(stage: Stage) -> None:
    await stage.take(epoch=7)
    await stage.show(0, 10)
    known = RepeatedSpan(GATE, stage.time_of(10), stage.time_of(90), 6, stage.begin_s, "x")
    owned = stage.owned(7)
    await stage.service.take(replace(owned, setup=replace(owned.setup, repeats=(known,))))
    await stage.show(10, FRAMES)
    await stage.service.drop(GATE)
    times = times_of(await stage.read())
    assert times
    assert not [time_s for time_s in times if known.from_s <= time_s < known.to_s]
    assert not [event for event in stage.events if isinstance(event, RepeatedSpan)], "nothing new"


async def test_pictures_that_were_missed_are_caught_up_under_the_same_ownership(stage: Stage) -> None:
    """After a lost connection to ingest the newest group comes again, in part known."""
    await stage.take(epoch=1)
    await stage.show(0, 30)
    edge = stage.service._running[GATE].edge
    assert edge.last_s == stage.time_of(29)
    known, missed = (
        AccessUnit(GATE, frame, stage.time_of(frame), False, b"", 1, is_backlog=True) for frame in (29, 31)
    )
    assert (edge.is_due(known), edge.is_due(missed)) == (False, True)


def said(events: list[Event]) -> list[int]:
    """The seconds of which all positions are said to be stored."""
    return [second for event in events if isinstance(event, PositionSeconds) for second in event.seconds]


@pytest.mark.parametrize(("size", "tracks"), [((96, 96), 1), ((128, 64), 2)])
async def test_tracks_go_on_over_another_size_of_the_same_shape(
    stage: Stage, size: tuple[int, int], tracks: int
) -> None:
    await stage.take(epoch=1)
    await stage.show(0, 50)
    await stage.show(50, FRAMES, size=size)
    await stage.service.drop(GATE)
    events = await stage.read()
    assert len([event for event in events if isinstance(event, Crossing)]) == 1
    pieces = [event for event in events if isinstance(event, Trajectory)]
    assert len({piece.id for piece in pieces}) == tracks
    seconds = {event.second - int(stage.begin_s) for event in events if isinstance(event, AnalysedSecond)}
    assert (2 in seconds) is (tracks == 1), "what breaks tracks is no evidence"


async def test_positions_are_published_while_the_track_lives(stage: Stage) -> None:
    """A process that is killed now has said nothing of the second in which it is, and lost no other."""
    stage.begin_s += 2.0
    await stage.take(epoch=7)
    await stage.show(0, 100)
    events = await stage.read()
    (piece,) = [event for event in events if isinstance(event, Trajectory)]
    assert (piece.piece, piece.epoch) == (1, 7)
    assert piece.points[-1].time_s == pytest.approx(stage.time_of(74))
    assert said(events) == [int(stage.begin_s) + 1, int(stage.begin_s) + 2]
    word = next(n for n, event in enumerate(events) if isinstance(event, PositionSeconds))
    assert events.index(piece) < word


async def test_a_model_that_cannot_be_used_is_told_of_once_and_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("services.detector.camera_analysis.RESTART_S", 0.01)
    look = BrightnessDetector.__init__
    monkeypatch.setattr(BrightnessDetector, "__init__", refused)
    await stage.take(epoch=7)
    await until(lambda: stage.made >= 3)
    monkeypatch.setattr(BrightnessDetector, "__init__", look)
    await asyncio.sleep(0.1)
    await stage.show(0, FRAMES)
    await stage.service.drop(GATE)
    assert any(isinstance(event, Trajectory) for event in await stage.read())
    (told,) = [record for record in caplog.records if "x.onnx is no model" in record.getMessage()]
    assert told.exc_info is None


def refused(*arguments: object) -> None:
    raise BadInputError("x.onnx is no model")


async def test_a_fault_in_the_analysis_loses_the_piece_in_flight_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("services.detector.camera_analysis.RESTART_S", 0.01)
    stage.begin_s += 2.0
    detect = BrightnessDetector.detect
    calls = []

    def faulty(self: BrightnessDetector, *args: object) -> list[Detection]:
        calls.append(args)
        if len(calls) == 90:
            raise ZeroDivisionError
        return detect(self, *args)

    monkeypatch.setattr(BrightnessDetector, "detect", faulty)
    await stage.take(epoch=7)
    await stage.show(0, 90)
    await until(lambda: stage.made == 2)
    await stage.show(90, FRAMES)
    await stage.service.drop(GATE)
    events = await stage.read()
    assert "the analysis of camera gate failed and starts again" in caplog.text
    tracks = [event for event in events if isinstance(event, Trajectory)]
    assert len({track.id for track in tracks}) == len(tracks) == 2
    assert tracks[0].points[-1].time_s == pytest.approx(stage.time_of(74)), "the newest cell is lost"
    first = int(stage.begin_s)
    assert said(events) == [first + 1, first + 2], "and nothing is said of its seconds"


async def test_what_a_camera_costs_is_reported_and_ends_with_its_analysis(stage: Stage) -> None:
    await stage.take(epoch=1)
    await stage.show(0, FRAMES)
    assert stage.bus.states.cost(GATE) is None, "less than five seconds have passed"
    stage.wait(1)
    await until(lambda: stage.bus.states.cost(GATE) is not None)
    cost = stage.bus.states.cost(GATE)
    assert cost is not None
    assert (cost.engine.model, cost.engine.chosen) == ("brightness", "brightness")
    assert 15 < cost.received_fps < FPS
    assert 0 < cost.frames_per_s <= cost.received_fps
    assert cost.cores > 0
    await stage.service.drop(GATE)
    assert stage.bus.states.cost(GATE) is None


@dataclass
class Sure:
    """A classifier that calls every face masked, and counts them."""

    folder: Path
    engine: str = "sure"
    looks: int = 0

    def __post_init__(self) -> None:
        self.info = ClassifierInfo("sure", MASK_CLASSES, 16, 0.2, self.folder / "sure.onnx")

    def probabilities(self, faces: Faces) -> Faces:
        assert faces.shape[1:] == (3, 16, 16)
        self.looks += len(faces)
        return np.tile(np.array([[1, 0, 0]], np.float32), (len(faces), 1))


async def test_a_second_opinion_is_heard_where_the_camera_asks_for_it(tmp_path: Path) -> None:
    sure = Sure(tmp_path)
    classes = []
    for make in (None, lambda: sure):
        stage = Stage(class_name="no_mask", make_classifier=make)
        await stage.take(epoch=7)
        await stage.show(0, FRAMES)
        await stage.service.drop(GATE)
        events = await stage.read()
        (crossing,) = [event for event in events if isinstance(event, Crossing)]
        classes.append((crossing.class_name, crossing.mask))
    assert classes == [("no_mask", "no_mask"), ("mask", "mask")]
    seconds = FRAMES / FPS
    assert 1 <= sure.looks <= seconds / LOOK_AGAIN_S + 2


def statuses(events: list[Event]) -> list[tuple[str, float, str]]:
    return [(item.status, item.time_s, item.code) for item in events if isinstance(item, StatusChange)]


async def test_who_waits_for_a_rare_key_frame_tells_the_history_why_and_when_it_goes_on() -> None:
    """The pictures before it were not kept: without a word the gap would have no cause."""
    stage = Stage()
    stage.bus.states.publish_state(GATE, CameraState(CameraStatus.LIVE, stage.begin_s))
    await stage.take(epoch=7)
    first = next(frame for frame in range(1, 60) if not clip()[frame][0])
    data = clip()[first][1]
    for frame in range(60):
        stage.hub.publish(AccessUnit(GATE, frame, stage.time_of(frame), False, data, 1))
    await stage.reported(StatusChange, 1)
    is_keyframe, data = clip()[0]
    assert is_keyframe
    stage.hub.publish(AccessUnit(GATE, 60, stage.time_of(60), True, data, 1))
    await stage.reported(StatusChange, 2)
    assert statuses(stage.events) == [
        ("degraded", stage.time_of(0), "key-frame-awaited"),
        ("live", stage.time_of(60), ""),
    ]
    await stage.service.drop(GATE)


async def test_what_ingest_says_of_a_time_stands() -> None:
    stage = Stage()
    state = CameraState(CameraStatus.DEGRADED, stage.begin_s, last_error="too slow", has_pictures=True)
    stage.bus.states.publish_state(GATE, state)
    await stage.take(epoch=7)
    for frame in range(60):
        stage.hub.publish(AccessUnit(GATE, frame, stage.time_of(frame), False, clip()[1][1], 1))
    await until(stage._is_read)
    await stage.service.drop(GATE)
    assert statuses(await stage.read()) == []


async def test_pictures_that_are_decoded_are_there_for_those_who_show_them() -> None:
    stage = Stage()
    await stage.take(epoch=7)
    await stage.show(0, 5)
    newest = stage.decoded.newest(GATE)
    assert newest is not None
    assert newest.unit.frame == 4
    await stage.service.drop(GATE)
    assert stage.decoded.newest(GATE) is None


async def test_a_damaged_picture_is_counted_and_no_evidence(stage: Stage) -> None:
    """The car crosses the line in the middle of the clip, in pictures that are damaged."""
    stage.frame_s = 0.1
    await stage.take(epoch=7, fps=10)
    await stage.show(0, 50)
    await stage.show(50, 75, is_damaged=True)
    await stage.show(75, FRAMES)
    events = await stage.read()
    counted = {event.second - int(stage.begin_s) for event in events if isinstance(event, AnalysedSecond)}
    assert counted == {1, 2, 3, 8, 9, 10}
    (crossing,) = [event for event in events if isinstance(event, Crossing)]
    assert 5.0 < crossing.time_s - stage.begin_s < 7.5


async def test_a_camera_whose_model_cannot_be_used_says_so_until_it_can(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.detector.camera_analysis.RESTART_S", 0.01)
    make, is_gone = Stage._make, [True]

    def made(self: Stage, name: str) -> BrightnessDetector:
        detector = make(self, name)
        if is_gone[0]:
            raise BadInputError("model-unknown", model="site.onnx", models="traffic-n")
        return detector

    monkeypatch.setattr(stage.service, "_make_detector", lambda name: made(stage, name))
    live = CameraState(CameraStatus.LIVE, stage.begin_s - 60)
    stage.bus.states.publish_state(GATE, live)
    await stage.take(epoch=7)
    state = stage.bus.states.state(GATE)
    assert state is not None
    assert (state.status, state.last_error_code) == (CameraStatus.DEGRADED, "analysis-no-model")
    assert "unknown model 'site.onnx'" in (state.last_error or "")
    is_gone[0] = False
    await until(lambda: bool(stage.hub._readers.get(GATE)))
    await stage.show(0, FRAMES)
    assert (shown := stage.bus.states.state(GATE)) is not None and shown.status is CameraStatus.LIVE
    await stage.service.drop(GATE)
    assert statuses(await stage.read()) == [
        ("degraded", stage.begin_s, "analysis-no-model"),
        ("live", stage.time_of(0), ""),
    ], "once, however often it was tried"


async def test_a_model_that_is_given_up_leaves_no_fault(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: str) -> BrightnessDetector:
        stage.made += 1
        raise BadInputError("model-unknown", model="site.onnx", models="traffic-n")

    monkeypatch.setattr(stage.service, "_make_detector", gone)
    stage.bus.states.publish_state(GATE, CameraState(CameraStatus.LIVE, stage.begin_s - 60))
    await stage.take(epoch=7)
    await stage.service.drop(GATE)
    assert [status for status, _, _ in statuses(await stage.read())] == ["degraded", "live"]
    assert (shown := stage.bus.states.state(GATE)) is not None and shown.status is CameraStatus.LIVE


async def test_a_model_that_is_replaced_is_loaded_anew(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "site.onnx"
    path.write_bytes(b"one")
    make = stage.service._make_detector

    def made(name: str) -> Detector:
        detector = make(name)
        detector.info = replace(detector.info, path=path)
        return detector

    monkeypatch.setattr(stage.service, "_make_detector", made)
    await stage.take(epoch=7)
    await stage.show(0, 60)
    path.unlink()
    await stage.show(60, FRAMES)
    assert stage.made == 1, "a file that is gone takes nothing away"
    path.write_bytes(b"another")
    for _ in range(3):
        stage.steady_s += LOOK_S
        await asyncio.sleep(0.3)
    await until(lambda: stage.made == 2)
    await stage.service.drop(GATE)
