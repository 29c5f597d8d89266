"""The shared vocabulary.

Two conventions hold everywhere: time is UTC in whole milliseconds (inside the code: seconds since 1970 as
float, named `*_s` or `time_s`, see `services.core.times`; on the wire: ISO 8601 with milliseconds), and
geometry is normalised 0..1, x to the right and y down.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal, NewType

from services.core.codecs import Codec
from services.core.sentences.sentence import Params, Sentence, sentence_from

CameraId = NewType("CameraId", str)
LineId = NewType("LineId", str)

Point = tuple[float, float]
Direction = Literal["forward", "backward"]
Anchor = Literal["centre", "foot"]
Box = tuple[float, float, float, float]
"""x1, y1, x2, y2, normalised."""

TRAFFIC_CLASSES = ("person", "bicycle", "car", "motorbike", "bus", "truck")
MASK_CLASSES = ("mask", "no_mask", "mask_incorrect")


NO_CAMERA = CameraId("_")
"""Stands where an event belongs to no camera; no camera has this id."""


class AccessAction(StrEnum):
    """What happened at a door."""

    LOGIN = "login"
    FAILED = "login.failed"
    THROTTLED = "login.throttled"
    TOKEN_REFUSED = "token.refused"


class CameraStatus(StrEnum):
    """What a camera's stream does now."""

    CONNECTING = "connecting"
    LIVE = "live"
    DEGRADED = "degraded"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera as its owner set it up; `url` carries its secrets and never leaves the services."""

    id: CameraId
    name: str
    url: str = field(repr=False)
    model: str = "traffic"
    enabled: bool = True
    fps: float = 10.0
    """Frames to analyse each second."""
    verify: bool = False
    """Whether a classifier gives a second opinion on the mask states of tracked faces."""
    tiles: str = "1x1"
    """Columns and rows of tiles in which the detector looks at a picture, see `core.tiles`."""


@dataclass(frozen=True, slots=True)
class Line:
    """A directed counting line of two or more points; a change makes a new `version`."""

    id: LineId
    name: str
    points: tuple[Point, ...]
    anchor: Anchor = "centre"
    classes: tuple[str, ...] | None = None
    """Classes that count; None counts all."""
    color: str = "#ff6b35"
    version: int = 1
    forward_name: str | None = None
    """What people call the direction forward, such as `in`; None where nobody has named it."""
    backward_name: str | None = None


@dataclass(frozen=True, slots=True)
class LineVersion:
    """One version of a line, valid until the next one; `is_deleted` ends the line."""

    line: Line
    valid_from_s: float
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class CameraSetup:
    """What ingest and detector need to know of a camera: its settings and its lines as they are now."""

    camera: Camera
    lines: tuple[Line, ...] = ()
    highest_epoch: int = 0
    """The highest epoch of this camera that the database knows: the floor of the next one."""
    repeats: "tuple[RepeatedSpan, ...]" = ()
    """Times that the database knows to come twice, the newest ones."""
    revision: str = ""
    """Names these lines with their versions; evidence names by it what was counted. Empty where the database
    does not know what it stands for: it was published by an older release, or could not be kept."""
    asked_s: float = 0.0
    """When somebody asked last that the camera be dialled at once instead of waiting; 0: nobody did."""


@dataclass(frozen=True, slots=True)
class OwnedCamera:
    """A camera that this process owns, with the epoch of that ownership."""

    setup: CameraSetup
    epoch: int


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One compressed picture of a camera (Annex B) with its capture time."""

    camera: CameraId
    frame: int
    """Counts the camera's pictures upwards within one connection."""
    time_s: float
    is_keyframe: bool
    data: bytes
    connection: int = 0
    """Numbers connections upwards, also over another ingest process: pictures of two connections never
    share a decoder or a track."""
    is_backlog: bool = False
    """Was kept for readers that come later: it was captured before this reader began to follow."""
    is_damaged: bool = False
    """Whether a part of it was lost on the way, or of a picture that it stands on."""
    codec: Codec = Codec.H264


@dataclass(frozen=True, slots=True)
class Detection:
    """One object in one frame."""

    box: Box
    class_name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class TrackedObject:
    """A track as observed in one frame. `class_name` is the track's vote so far."""

    track: int
    box: Box
    class_name: str
    confidence: float
    mask: str | None = None
    """The mask state voted so far, where the track is a face."""


@dataclass(frozen=True, slots=True)
class TrackedFrame:
    """The observed tracks of one analysed frame."""

    camera: CameraId
    frame: int
    time_s: float
    objects: tuple[TrackedObject, ...] = ()


@dataclass(frozen=True, slots=True)
class Crossing:
    """A track crossed a line. `id` is the same when the same frames are analysed again."""

    id: str
    camera: CameraId
    line: LineId
    line_version: int
    time_s: float
    class_name: str
    direction: Direction
    along: float
    track: int
    confidence: float
    epoch: int = 0
    mask: str | None = None
    """The mask state voted up to the crossing, where the track is a face."""


@dataclass(frozen=True, slots=True)
class TrajectoryPoint:
    """A track's observed box at one time."""

    time_s: float
    box: Box


@dataclass(frozen=True, slots=True)
class Trajectory:
    """The observed positions of a track, or a piece of them, without pictures.

    A track is stored in pieces while it lives, numbered from 1. Piece 0 is all of a track at once: as
    earlier versions stored it when the track was closed, or as its pieces are joined again.
    """

    id: str
    """The track's, the same for all of its pieces and when the same frames are analysed again."""
    camera: CameraId
    track: int
    epoch: int
    class_name: str
    """The vote at the end of the piece; for a face its mask state."""
    confidence: float
    """The highest up to the end of the piece."""
    points: tuple[TrajectoryPoint, ...]
    """Thinned: between two of them the track was on the straight line, within a tolerance."""
    piece: int = 0

    @property
    def piece_id(self) -> str:
        """Name the piece for ever."""
        return f"{self.id}/{self.piece}" if self.piece else self.id


@dataclass(frozen=True, slots=True)
class PositionSeconds:
    """Word that all observed positions of some whole seconds are in the pieces published before it."""

    camera: CameraId
    seconds: tuple[int, ...]
    """Seconds since 1970, UTC, ascending."""
    epoch: int = 0
    connection: int = field(default=0, compare=False)
    """Whose pictures they were; see `AccessUnit`. 0 is not known."""
    are_missing: bool = False
    """The contrary: some of their positions were given up. It holds, whatever else is said of them."""


@dataclass(frozen=True, slots=True)
class AnalysedSecond:
    """Evidence that a camera was analysed in one whole second."""

    camera: CameraId
    second: int
    """Seconds since 1970, UTC."""
    epoch: int = 0
    connection: int = field(default=0, compare=False)
    """Whose pictures they were; see `AccessUnit`. 0 is not known."""
    revision: str = field(default="", compare=False)
    """The revision of the camera's setup that it was counted under; see `CameraSetup`."""
    lacking: tuple[LineId, ...] = field(default=(), compare=False)
    """Lines of which a crossing in this second may be missing."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """A new owner announces itself: frames of `from_s` and later are its own, and no older epoch's."""

    camera: CameraId
    epoch: int
    from_s: float
    connection: int = field(default=0, compare=False)
    """The connection of its first picture: older evidence of another one is of another pass of the time."""
    cause: str = field(default="", compare=False)
    """Why its time may have passed before, where that is known."""
    code: str = field(default="", compare=False)
    """That of the cause, empty of an older release; with its parameters."""
    params: Params = field(default_factory=dict, compare=False)

    @property
    def reason(self) -> Sentence:
        """The cause with its code."""
        return sentence_from(self.cause, self.code, self.params)


@dataclass(frozen=True, slots=True)
class RepeatedSpan:
    """A span of time comes for the second time, because a clock was set back: it is a gap."""

    camera: CameraId
    from_s: float
    to_s: float
    """Its end. Published again with an earlier one when the clock was set forward within it."""
    epoch: int
    """The newest epoch that saw its first pass, which is kept; 0 when that is not known."""
    since_s: float
    """When it was published, by the clock after it was set."""
    cause: str
    code: str = ""
    """That of the cause, empty of an older release; with its parameters."""
    params: Params = field(default_factory=dict, hash=False)

    @property
    def reason(self) -> Sentence:
        """The cause with its code."""
        return sentence_from(self.cause, self.code, self.params)


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A camera's status changed; `cause` says why in words for a person, without secrets."""

    camera: CameraId
    time_s: float
    status: CameraStatus
    cause: str = ""
    code: str = ""
    """That of the cause, empty of an older release; with its parameters."""
    params: Params = field(default_factory=dict, hash=False)

    @property
    def reason(self) -> Sentence | None:
        """The cause with its code, where there is one."""
        return sentence_from(self.cause, self.code, self.params) if self.cause else None


def status_change(
    camera: CameraId, time_s: float, status: CameraStatus, reason: Sentence | None = None
) -> StatusChange:
    """Make a change of status with its reason."""
    if reason is None:
        return StatusChange(camera, time_s, status)
    return StatusChange(camera, time_s, status, reason.text, reason.code, reason.params)


@dataclass(frozen=True, slots=True)
class CameraState:
    """What the page shows of a camera beside its settings."""

    status: CameraStatus = CameraStatus.CONNECTING
    since_s: float = 0.0
    fps: float = 0.0
    """Measured analysed frames a second."""
    resolution: tuple[int, int] | None = None
    last_error: str | None = None
    has_pictures: bool = False
    """A camera that is degraded may still be seen: only counting waits."""
    last_error_code: str = ""
    """Empty without an error, and of an older release; with its parameters."""
    last_error_params: Params = field(default_factory=dict, hash=False)
    damaged: float = 0.0
    """Share of the pictures of the last minute that came damaged; an older release reports none."""

    @property
    def error(self) -> Sentence | None:
        """The last error with its code."""
        if self.last_error is None:
            return None
        return sentence_from(self.last_error, self.last_error_code, self.last_error_params)

    def with_error(self, error: Sentence | None) -> "CameraState":
        """Give the same state with an error, or without one."""
        if error is None:
            return replace(self, last_error=None, last_error_code="", last_error_params={})
        return replace(
            self, last_error=error.text, last_error_code=error.code, last_error_params=error.params
        )


@dataclass(frozen=True, slots=True)
class MinuteCount:
    """Crossings of one line in one minute, by direction and class."""

    camera: CameraId
    line: LineId
    minute: int
    """Minutes since 1970, UTC."""
    forward: dict[str, int] = field(default_factory=dict)
    backward: dict[str, int] = field(default_factory=dict)
    generation: int = 1
    """Which making of the camera it was."""


@dataclass(frozen=True, slots=True)
class AccessNote:
    """Somebody came in, or was refused, at a port whose service does not see the database."""

    id: str
    time_s: float
    action: AccessAction
    user: str
    """Name of an account, or a word for one that nobody has."""
    place: str
    """Which door it was."""
    address: str
    count: int = 1
    """How often since it was published last."""

    @property
    def camera(self) -> CameraId:
        """It belongs to none."""
        return NO_CAMERA


Event = (
    Crossing
    | Trajectory
    | AnalysedSecond
    | PositionSeconds
    | StatusChange
    | Ownership
    | RepeatedSpan
    | AccessNote
)
"""What the store keeps."""
