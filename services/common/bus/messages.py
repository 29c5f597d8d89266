"""What crosses the bus between processes, as bytes and back.

A message is a line that names its kind and version, then JSON, compressed where it is large. Decoding is
strict: what is not of the kind is refused by BadMessageError, whose text never shows what the message
holds. Fields that are not known are passed over, so that a later release may add some within a version.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Annotated, Generic, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from services.common.access.check import Access
from services.common.bus.camera_tests import CameraTestResult
from services.core.costs import AnalysisCost
from services.core.errors import BadMessageError
from services.core.identifiers import is_id
from services.core.limits import TRIAL_LIMIT_BYTES
from services.core.sentences.sentence import is_sayable
from services.core.times import MS, milliseconds
from services.core.trajectories import BOX_STEPS, Steps, packed, unpacked
from services.core.types import (
    AccessNote,
    AnalysedSecond,
    CameraId,
    CameraSetup,
    CameraState,
    Crossing,
    Event,
    Ownership,
    PositionSeconds,
    RepeatedSpan,
    StatusChange,
    TrackedFrame,
    Trajectory,
)

T = TypeVar("T")

VERSION = 1
LARGEST_BYTES = 64 * 1024 * 1024
"""What a message may grow to when it is unpacked."""

LATEST_TIME_S = 253_402_300_799.0
"""The end of the year 9999: the last time that the database can hold."""

LONGEST_TEXT = 2000
_STRICT = ConfigDict(strict=True, allow_inf_nan=False, hide_input_in_errors=True)
_MOST_STEPS = 1000 * BOX_STEPS
"""What a corner may be away from the picture: more than any box is."""

MOST_SECONDS = 60
"""Over how many seconds one word about positions may reach."""


@dataclass(frozen=True, slots=True)
class StateReport:
    """A camera's state and when it was reported, by the clock of who reports it."""

    reported_s: Annotated[float, Field(alias="told_s")]
    state: CameraState
    age_s: float | None = field(default=None, compare=False)
    """How long ago that was, by a clock that nobody sets: reports are ordered by this.

    A process of an older release gives none.
    """


@dataclass(frozen=True, slots=True)
class RateReport:
    """The rate at which a camera is analysed and when it was reported."""

    reported_s: Annotated[float, Field(alias="told_s")]
    fps: float
    age_s: float | None = field(default=None, compare=False)
    """See `StateReport`."""
    fault: StatusChange | None = None
    """Why the detector analyses nothing, and since when, where that is its own fault."""


@dataclass(frozen=True, slots=True)
class CostReport:
    """What the analysis of a camera costs and when it was reported."""

    reported_s: float
    cost: AnalysisCost
    age_s: float | None = field(default=None, compare=False)
    """See `StateReport`."""


@dataclass(frozen=True, slots=True)
class CameraUpdate:
    """What one process reports of the cameras that it works on."""

    process: str
    states: dict[CameraId, StateReport] = field(default_factory=dict)
    rates: dict[CameraId, RateReport] = field(default_factory=dict)
    costs: dict[CameraId, CostReport] = field(default_factory=dict)
    """An earlier version gives none."""


@dataclass(frozen=True, slots=True)
class _PackedTrajectory:
    """A trajectory in whole numbers, as exact as the database keeps it."""

    id: str
    camera: CameraId
    track: int
    epoch: int
    class_name: str
    confidence: float
    ms: tuple[int, ...]
    """Milliseconds since 1970 of the first point, then between neighbours."""
    boxes: tuple[Steps, ...]
    piece: int = 0
    """An earlier version gives none: it sends a track as a whole."""


@dataclass(frozen=True, slots=True)
class CameraTestMessage:
    """Of an address that is tried: a question has the address, the last answer the result or that it is full.

    An answer with neither says that the test has begun.
    """

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """The question's number: random, and part of the subject of its answers."""
    url: str = field(default="", repr=False)
    result: CameraTestResult | None = None
    is_full: bool = False


class _Codec(Generic[T]):
    """One kind of message."""

    def __init__(self, kind: str, form: TypeAdapter[tuple[T]], is_compressed: bool = False) -> None:
        self.kind, self.head = kind, f"sightline {VERSION} {kind}\n".encode()
        self._form, self._is_compressed = form, is_compressed

    def encode(self, value: T) -> bytes:
        """Give the message; BadMessageError when the value cannot be sent."""
        try:
            body = self._form.dump_json((value,), by_alias=True)
        except ValueError:
            raise BadMessageError(f"a {self.kind} cannot be written as a message") from None
        return self.head + (zlib.compress(body, 1) if self._is_compressed else body)

    def decode(self, data: bytes) -> T:
        """Give the value; BadMessageError when the message is not of this kind."""
        if not data.startswith(self.head):
            raise BadMessageError(f"a message is no {self.kind} of version {VERSION}")
        try:
            body = data[len(self.head) :]
            return self._form.validate_json(_unpacked(body) if self._is_compressed else body)[0]
        except (ValidationError, zlib.error):
            raise BadMessageError(f"a {self.kind} is broken") from None


def _unpacked(body: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    unpacked = unpacker.decompress(body, LARGEST_BYTES)
    if not unpacker.eof or unpacker.unused_data:
        raise zlib.error
    return unpacked


_CROSSING = _Codec("crossing", TypeAdapter(tuple[Crossing], config=_STRICT))
_TRAJECTORY = _Codec("trajectory", TypeAdapter(tuple[_PackedTrajectory], config=_STRICT), is_compressed=True)
_ANALYSED = _Codec("analysed", TypeAdapter(tuple[AnalysedSecond], config=_STRICT))
_POSITIONS = _Codec("positions", TypeAdapter(tuple[PositionSeconds], config=_STRICT))
_OWNERSHIP = _Codec("ownership", TypeAdapter(tuple[Ownership], config=_STRICT))
_REPEATED = _Codec("repeated", TypeAdapter(tuple[RepeatedSpan], config=_STRICT))
_STATUS = _Codec("status", TypeAdapter(tuple[StatusChange], config=_STRICT))
_NOTE = _Codec("access-note", TypeAdapter(tuple[AccessNote], config=_STRICT))
_TRACKS = _Codec("tracks", TypeAdapter(tuple[TrackedFrame], config=_STRICT))
_UPDATE = _Codec("news", TypeAdapter(tuple[CameraUpdate], config=_STRICT))
_SETUPS = _Codec("setups", TypeAdapter(tuple[tuple[CameraSetup, ...]], config=_STRICT), is_compressed=True)
_ACCESS = _Codec("access", TypeAdapter(tuple[Access], config=_STRICT), is_compressed=True)

_BYTES = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
_TEST = _Codec("camera-test", TypeAdapter(tuple[CameraTestMessage], config=_STRICT | _BYTES))


def encode_event(event: Event) -> bytes:
    """Give an event as a message."""
    match event:
        case Crossing():
            return _CROSSING.encode(event)
        case Trajectory():
            return _TRAJECTORY.encode(_packed(event))
        case AnalysedSecond():
            return _ANALYSED.encode(event)
        case PositionSeconds():
            return _POSITIONS.encode(event)
        case Ownership():
            return _OWNERSHIP.encode(event)
        case RepeatedSpan():
            return _REPEATED.encode(event)
        case StatusChange():
            return _STATUS.encode(event)
        case AccessNote():
            return _NOTE.encode(event)


def decode_event(data: bytes) -> Event:
    """Give the event of a message; one with a time or number that no database holds is broken too."""
    event = _decoded_event(data)
    if isinstance(event, PositionSeconds) and not _are_near(event.seconds):
        raise BadMessageError("a word about positions names no seconds, or too many")
    is_named = all(map(is_id, _names(event))) and _is_caused(event)
    if not (is_named and all(map(_is_number, _numbers(event))) and all(map(_is_text, _texts(event)))):
        raise BadMessageError("an event holds what no event can hold")
    return event


def _decoded_event(data: bytes) -> Event:
    for codec in (_CROSSING, _ANALYSED, _POSITIONS, _OWNERSHIP, _REPEATED, _STATUS, _NOTE):
        if data.startswith(codec.head):
            return codec.decode(data)
    if data.startswith(_TRAJECTORY.head):
        return _trajectory(_TRAJECTORY.decode(data))
    raise BadMessageError(f"a message is no event of version {VERSION}")


def _names(event: Event) -> tuple[str, ...]:
    """Give the ids of an event, of which the database makes names of its own."""
    match event:
        case AccessNote():
            return ()
        case AnalysedSecond():
            return event.camera, event.revision or "none", *event.lacking
        case _:
            return (event.camera,)


def _numbers(event: Event) -> tuple[float, ...]:
    """Give the numbers of an event that must be neither negative nor too large."""
    match event:
        case Crossing():
            return event.time_s * MS, event.track, event.epoch, event.line_version
        case Trajectory():
            times_ms = (point.time_s * MS for point in event.points)
            return event.track, event.epoch, event.piece, *times_ms
        case AnalysedSecond():
            return event.second * MS, event.epoch, event.connection
        case PositionSeconds():
            seconds_ms = (second * MS for second in event.seconds)
            return event.epoch, event.connection, *seconds_ms
        case Ownership():
            return event.from_s * MS, event.epoch, event.connection
        case RepeatedSpan():
            return event.from_s * MS, event.to_s * MS, event.since_s * MS, event.epoch
        case StatusChange():
            return (event.time_s * MS,)
        case AccessNote():
            return event.time_s * MS, event.count


def _texts(event: Event) -> tuple[str, ...]:
    """Give the texts of an event, which become names and keys in the database."""
    match event:
        case Crossing() | Trajectory():
            others = (event.mask or "", event.line) if isinstance(event, Crossing) else ()
            return event.id, event.class_name, *others
        case StatusChange() | RepeatedSpan() | Ownership():
            return (event.cause,)
        case AccessNote():
            return event.id, event.user, event.place, event.address
        case _:
            return ()


def _is_caused(event: Event) -> bool:
    """Return whether the cause of an event, if it has one, has a code and parameters within bounds."""
    match event:
        case StatusChange() | RepeatedSpan() | Ownership():
            return is_sayable(event.code, event.params)
        case _:
            return True


def _are_near(seconds: tuple[int, ...]) -> bool:
    """Return whether seconds ascend within a minute."""
    is_ascending = all(before < after for before, after in pairwise(seconds))
    return bool(seconds) and is_ascending and seconds[-1] - seconds[0] < MOST_SECONDS


def _is_text(text: str) -> bool:
    return len(text) <= LONGEST_TEXT and "\0" not in text


def _is_number(value: float) -> bool:
    return 0 <= value <= LATEST_TIME_S * MS


def event_identity(event: Event) -> str:
    """Give what makes an event the same when it is published again."""
    match event:
        case Crossing():
            return f"crossing/{event.id}"
        case Trajectory():
            end_ms = milliseconds(event.points[-1].time_s) if event.piece and event.points else 0
            return f"trajectory/{event.piece_id}" + (f"/{end_ms}" if end_ms else "")
        case AnalysedSecond():
            return f"analysed/{event.camera}/{event.epoch}/{event.second}"
        case PositionSeconds():
            kind = "missing" if event.are_missing else "positions"
            first = event.seconds[0]
            bits = sum(1 << (second - first) for second in event.seconds)
            return f"{kind}/{event.camera}/{event.epoch}/{first}/{bits:x}"
        case Ownership():
            return f"ownership/{event.camera}/{event.epoch}/{milliseconds(event.from_s)}"
        case RepeatedSpan():
            times = "/".join(
                str(milliseconds(time_s)) for time_s in (event.since_s, event.from_s, event.to_s)
            )
            return f"repeated/{event.camera}/{event.epoch}/{times}"
        case StatusChange():
            return f"status/{event.camera}/{milliseconds(event.time_s)}/{event.status.value}"
        case AccessNote():
            return f"access/{event.id}"


def encode_tracks(frame: TrackedFrame) -> bytes:
    """Give the tracks of a frame as a message."""
    return _TRACKS.encode(frame)


def decode_tracks(data: bytes) -> TrackedFrame:
    """Give the tracks of a message."""
    return _TRACKS.decode(data)


def encode_update(update: CameraUpdate) -> bytes:
    """Give states, rates and costs of cameras as a message."""
    return _UPDATE.encode(update)


def decode_update(data: bytes) -> CameraUpdate:
    """Give the states, rates and costs of a message; what is beyond bounds in it is broken."""
    update = _UPDATE.decode(data)
    states = (report.state for report in update.states.values())
    faults = (report.fault for report in update.rates.values() if report.fault is not None)
    said = [(state.last_error_code, state.last_error_params) for state in states]
    said += [(fault.code, fault.params) for fault in faults]
    if not all(is_sayable(code, params) for code, params in said):
        raise BadMessageError("a state holds what no state can hold")
    if not all(report.cost.is_bounded for report in update.costs.values()):
        raise BadMessageError("a cost is none that we could have reported")
    return update


def encode_setups(setups: Sequence[CameraSetup]) -> bytes:
    """Give all setups as a message, with the secrets of the cameras' addresses."""
    return _SETUPS.encode(tuple(setups))


def decode_setups(data: bytes) -> tuple[CameraSetup, ...]:
    """Give the setups of a message."""
    return _SETUPS.decode(data)


def encode_access(access: Access) -> bytes:
    """Give who may watch as a message."""
    return _ACCESS.encode(access)


def decode_access(data: bytes) -> Access:
    """Give who may watch, of a message."""
    return _ACCESS.decode(data)


def _packed(trajectory: Trajectory) -> _PackedTrajectory:
    times_ms, boxes = packed(trajectory.points)
    return _PackedTrajectory(
        id=trajectory.id,
        camera=trajectory.camera,
        track=trajectory.track,
        epoch=trajectory.epoch,
        class_name=trajectory.class_name,
        confidence=trajectory.confidence,
        ms=tuple(time_ms - before_ms for before_ms, time_ms in pairwise([0, *times_ms])),
        boxes=tuple(boxes),
        piece=trajectory.piece,
    )


def _trajectory(message: _PackedTrajectory) -> Trajectory:
    times_ms = list(accumulate(message.ms))
    are_good = all(map(_is_number, times_ms)) and all(
        max(map(abs, box)) <= _MOST_STEPS for box in message.boxes
    )
    if len(times_ms) != len(message.boxes) or not are_good:
        raise BadMessageError("a trajectory is broken")
    return Trajectory(
        id=message.id,
        camera=message.camera,
        track=message.track,
        epoch=message.epoch,
        class_name=message.class_name,
        confidence=message.confidence,
        points=unpacked(times_ms, message.boxes),
        piece=message.piece,
    )


def encode_camera_test(message: CameraTestMessage) -> bytes:
    """Give a question or an answer of a camera test as a message."""
    return _TEST.encode(message)


def decode_camera_test(data: bytes) -> CameraTestMessage:
    """Give the question or answer of a message."""
    message = _TEST.decode(data)
    result = message.result
    if result is not None and not _is_bounded(result):
        raise BadMessageError("a camera test holds what none can hold")
    return message


def _is_bounded(result: CameraTestResult) -> bool:
    fault, codec = result.fault, result.codec or ""
    is_said = fault is None or (len(fault.text) <= LONGEST_TEXT and is_sayable(fault.code, fault.params))
    return is_said and len(codec) <= 32 and len(result.picture or b"") <= TRIAL_LIMIT_BYTES
