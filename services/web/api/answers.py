"""What the API answers, as the description in OpenAPI has it: one model for each kind of answer.

Answers hold the keys of these models, in their order, and no others. Counts, crossings and gaps may be
megabytes: they are written by hand, in threads, and a test holds them to their models.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from services.common.access.accounts import UserRole
from services.common.queues import Policy
from services.core.types import Anchor, CameraStatus, Direction

TIME_PATTERN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$"

Time = Annotated[
    str,
    Field(
        pattern=TIME_PATTERN,
        examples=["2026-11-21T20:43:29.169Z"],
        json_schema_extra={"format": "date-time"},
    ),
]
"""ISO 8601 in UTC, always with milliseconds."""

Share = Annotated[float, Field(ge=0, le=1)]
"""Of a whole, 0 to 1."""

Coverage = Annotated[
    Share | None,
    Field(
        description="analysed share of the time since the camera was made; null while none of it has passed"
    ),
]
SHARE_SCHEMA = {"type": "number", "minimum": 0, "maximum": 1}
POINT_SCHEMA = {"type": "array", "items": SHARE_SCHEMA, "minItems": 2, "maxItems": 2}

Point = Annotated[tuple[float, float], WithJsonSchema(POINT_SCHEMA)]
"""x and y, as a list of two: many tools do not read the form that a pair has in OpenAPI 3.1."""

DirectionName = Annotated[str | None, Field(description="what people call the direction; null: not named")]
CODE = "names the sentence, by which it can be translated; `other` where it has no name"

SentenceParams = Annotated[
    dict[str, str | int | float], Field(description="what the sentence is filled in with, by name")
]

MaskState = Literal["mask", "no_mask", "mask_incorrect"]
ByClass = dict[str, int]


def _is_open(schema: dict[str, Any]) -> None:
    """Later versions may answer more keys: clients pass over what they do not know."""
    schema.pop("additionalProperties", None)


class Answer(BaseModel):
    """The base: what is built with a key that is not declared is an error of ours."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_is_open)


class Size(Answer):
    """Of a picture, in pixels."""

    width: int
    height: int


class CameraAnswer(Answer):
    """A camera with what is known of its stream; secrets of its address are `***`."""

    id: str
    name: str
    url: str
    model: str
    classes: Annotated[
        list[str] | None, Field(description="what its model finds; null until a detector has read its file")
    ]
    enabled: bool
    fps: Annotated[float, Field(description="frames to analyse each second")]
    status: CameraStatus
    since: Annotated[Time | None, Field(description="when the status began")]
    measured_fps: Annotated[float, Field(description="frames analysed each second")]
    resolution: Size | None
    last_error: str | None
    generation: Annotated[int, Field(description="which making of this id it is, 1 for the first")]
    created: Time
    last_error_code: Annotated[str | None, Field(description=CODE)]
    last_error_params: SentenceParams
    damaged_share: Annotated[
        float, Field(description="share of the pictures of the last minute that came damaged, 0 to 1")
    ]
    verify: Annotated[bool, Field(description="a second opinion on the mask states of tracked faces")]
    tiles: Annotated[str, Field(description="columns by rows in which the detector looks at a picture")]


class CamerasAnswer(Answer):
    """All cameras."""

    items: list[CameraAnswer]


class GenerationAnswer(Answer):
    """One making of a camera."""

    generation: int
    name: str
    created: Time
    deleted: Annotated[Time | None, Field(description="null: it is there")]
    crossings: Annotated[int, Field(description="how many of it are kept")]


class GenerationsAnswer(Answer):
    """The generations of a camera, the oldest first."""

    items: list[GenerationAnswer]


class CameraGenerationAnswer(GenerationAnswer):
    """One making of a camera, with the camera's id."""

    camera: str


class CameraGenerationsAnswer(Answer):
    """The generations of all cameras."""

    items: list[CameraGenerationAnswer]


class CameraTestError(Answer):
    """Why an address gives no pictures."""

    code: Annotated[str, Field(description=CODE)]
    params: SentenceParams
    text: str


class CameraTestAnswer(Answer):
    """What an address gives; where it does not work, `error` says why and the others are as far as seen."""

    works: bool
    picture: Annotated[str | None, Field(description="a JPEG in base64, at most 640 pixels wide")]
    resolution: Size | None
    codec: str | None
    fps: Annotated[float | None, Field(description="pictures a second; null where the stream has no times")]
    seconds: Annotated[float, Field(description="how long it took")]
    error: CameraTestError | None


class LineAnswer(Answer):
    """A counting line as it is now."""

    id: str
    name: str
    points: Annotated[list[Point], Field(description="from A to B, shares of the picture")]
    anchor: Anchor
    classes: Annotated[list[str] | None, Field(description="classes that count; null: all")]
    color: str
    version: int
    forward_name: DirectionName
    backward_name: DirectionName


class LineVersionAnswer(LineAnswer):
    """A counting line as it lay from one change to the next."""

    valid_from: Time
    valid_to: Annotated[Time | None, Field(description="null: it lies so now")]


class LineVersionsAnswer(Answer):
    """How a line has lain, the oldest version first."""

    items: list[LineVersionAnswer]


class LinesAnswer(Answer):
    """All lines of a camera."""

    items: list[LineAnswer]


class DirectedCounts(Answer):
    """Crossings of both directions, by class."""

    forward: ByClass
    backward: ByClass


class ComplianceRate(Answer):
    """The share of the people counted whose mask state is `mask`, and their number."""

    rate: Annotated[Share | None, Field(description="null where nobody was counted, or not all states were")]
    counted: int


class Compliance(ComplianceRate):
    """The same of both directions together, and of each."""

    forward: ComplianceRate
    backward: ComplianceRate


class CountsBucket(Answer):
    """Counts of one bucket of time."""

    start: Time
    coverage: Coverage
    forward: ByClass
    backward: ByClass
    compliance: Compliance


class LineCounts(Answer):
    """Counts of one line of those that are asked for."""

    line: str
    name: Annotated[str, Field(description="as it is called now, or was when it was deleted")]
    coverage: Coverage
    total: DirectedCounts
    compliance: Compliance
    forward_name: DirectionName
    backward_name: DirectionName
    buckets: list[CountsBucket]


class CountsAnswer(Answer):
    """Counts of a span, as a whole and bucket by bucket; empty buckets are listed."""

    from_: Annotated[Time, Field(alias="from")]
    to: Time
    bucket: Literal["1m", "5m", "15m", "1h", "1d"]
    coverage: Coverage
    total: DirectedCounts
    compliance: Compliance
    forward_name: Annotated[str | None, Field(description="of the line; null: not named, or not one line")]
    backward_name: Annotated[str | None, Field(description="of the line; null: not named, or not one line")]
    buckets: list[CountsBucket]
    lines: Annotated[
        list[LineCounts],
        Field(description="only by=line: the same of each line, beside the sums", default=[]),
    ]


class LineToday(Answer):
    """Counts of one line today."""

    line: str
    forward: ByClass
    backward: ByClass


class CameraToday(Answer):
    """Counts of one camera today: its lines as they are now, and deleted ones that have counted today."""

    camera: str
    coverage: Coverage
    total: DirectedCounts
    lines: list[LineToday]


class TodayAnswer(Answer):
    """Counts of all cameras in the day that holds now, in the order of the list of cameras."""

    from_: Annotated[Time, Field(alias="from")]
    to: Annotated[Time, Field(description="the end of the day")]
    items: list[CameraToday]


class CrossingAnswer(Answer):
    """A track crossed a line."""

    id: str
    camera: str
    line: str
    line_version: int
    time: Time
    class_: Annotated[str, Field(alias="class")]
    direction: Direction
    along: Annotated[float, Field(description="the place on the line, 0 at A, 1 at B")]
    track: int
    confidence: Share
    mask: MaskState | None
    direction_name: DirectionName


class CrossingsAnswer(Answer):
    """A page of crossings, newest first."""

    items: list[CrossingAnswer]
    next: Annotated[str | None, Field(description="`cursor` of the page that follows; null: there is none")]


class GapAnswer(Answer):
    """A span in which a camera was not analysed."""

    from_: Annotated[Time, Field(alias="from")]
    to: Time
    cause: str
    code: Annotated[str, Field(description=CODE)]
    params: SentenceParams


class GapsAnswer(Answer):
    """All gaps of a span, in the order of time."""

    items: list[GapAnswer]


class CameraGapAnswer(GapAnswer):
    """A span in which a camera was not analysed, and which camera that is."""

    camera: str


class CameraGapsAnswer(Answer):
    """All gaps of a span, of one camera after the other in the order of the list of cameras."""

    items: list[CameraGapAnswer]


class HealthAnswer(Answer):
    """The process answers."""

    status: Literal["ok"]


class ReadinessAnswer(Answer):
    """Requests can be answered."""

    status: Literal["ready"]


class DatabaseAnswer(Answer):
    """The database as this service sees it."""

    kind: str
    address: str
    status: Annotated[str, Field(description="`up`, or what is wrong")]
    code: Annotated[str, Field(description=CODE)]
    params: SentenceParams
    free_bytes: int | None
    not_stored: Annotated[str | None, Field(description="what is not stored for want of room")]
    not_stored_code: Annotated[str | None, Field(description=CODE)]
    not_stored_params: SentenceParams


class QueueAnswer(Answer):
    """A bounded queue of a service."""

    name: str
    length: Annotated[int | None, Field(description="what waits; of several alike, in the fullest")]
    capacity: int | None
    dropped: Annotated[int, Field(description="lost or refused since the process began")]
    policy: Annotated[Policy, Field(description="what a full queue gives up")]


class ServiceAnswer(Answer):
    """How a service is."""

    name: str
    status: Annotated[str, Field(description="`running`, or what is wrong")]
    code: Annotated[str, Field(description=CODE)]
    params: SentenceParams
    queues: list[QueueAnswer]
    elsewhere: Annotated[str | None, Field(description="where its queues are told, if not here")]
    elsewhere_code: Annotated[str | None, Field(description=CODE)]


class ModelAnswer(Answer):
    """A model that cameras may name."""

    name: str
    task: Annotated[str, Field(description="what it is for; `detect` where it is of other classes than ours")]
    classes: list[str]
    aliases: Annotated[list[str], Field(description="other names of it, which may change with a release")]
    ms_per_frame: Annotated[
        float | None,
        Field(
            description="processor time of the network for one picture, measured where it runs; decoding and "
            "tracking come on top. Null: it has not run"
        ),
    ]


class ModelsAnswer(Answer):
    """All models that cameras may name."""

    items: list[ModelAnswer]


class PendingRetention(Answer):
    """A shorter retention that would delete records, and waits."""

    id: str
    asked: Time
    hours_left: float
    days: dict[str, float]
    records: Annotated[dict[str, int], Field(description="how many would be deleted, by kind")]


class RetentionAnswer(Answer):
    """How long records are kept, in days by kind, and what waits."""

    days: dict[str, float]
    pending: PendingRetention | None


class ClockDoubt(Answer):
    """A clock that the store does not believe."""

    id: str
    since: Time
    shows: Time
    hours_left: float


class ClockAnswer(Answer):
    """Whether the store believes its clock; null before it has looked."""

    believed: bool | None
    doubt: ClockDoubt | None


class FpsAnswer(Answer):
    """How many pictures a second a camera can be analysed at."""

    least: float
    most: float


class SessionAnswer(Answer):
    """Who asks; `role` is null for somebody who has not logged in."""

    login_wanted: bool
    user: str | None
    role: UserRole | None


class UserAnswer(Answer):
    """An account."""

    name: str
    role: UserRole
    created: Time


class UsersAnswer(Answer):
    """All accounts."""

    items: list[UserAnswer]


class TokenAnswer(Answer):
    """A token, without what opens anything."""

    id: str
    name: str
    role: UserRole
    owner: Annotated[str | None, Field(description="who made it; it ends with this account")]
    created: Time
    expires: Annotated[Time | None, Field(description="null: never")]


class NewTokenAnswer(TokenAnswer):
    """A token that was made just now."""

    token: Annotated[str, Field(description="what opens the door; shown this once")]


class TokensAnswer(Answer):
    """All tokens."""

    items: list[TokenAnswer]


class AuditAnswer(Answer):
    """Something that somebody did."""

    time: Time
    user: str | None
    by: Annotated[str, Field(description="`session`, or `token` and its name")]
    action: str
    target: str
    address: str
    count: Annotated[int, Field(description="how often it was repeated")]


class AuditPage(Answer):
    """A page of the audit log, newest first."""

    items: list[AuditAnswer]
    next: Annotated[str | None, Field(description="`cursor` of the page that follows; null: there is none")]
