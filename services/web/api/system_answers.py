"""What the API answers of the system: its services, what they cost, its log, and how its host is."""

from typing import Annotated, Literal

from pydantic import Field

from services.web.api.answers import (
    CODE,
    Answer,
    ClockAnswer,
    DatabaseAnswer,
    FpsAnswer,
    ModelAnswer,
    RetentionAnswer,
    SentenceParams,
    ServiceAnswer,
    Time,
)


class CostAnswer(Answer):
    """What the analysis of a camera cost over the last seconds."""

    camera: str
    model: str
    engine: str
    reason: Annotated[str, Field(description="why this engine computes it")]
    reason_code: str
    ms_per_frame: Annotated[float | None, Field(description="null while no picture is analysed")]
    frames_per_s: float
    cores: Annotated[float, Field(description="share of a processor core, decoding included")]
    dropped: Annotated[int, Field(description="pictures that the analysis was too slow for")]
    received_fps: float
    delay_ms: Annotated[float | None, Field(description="from a picture's capture to its analysis")]


class TrialAnswer(Answer):
    """An engine that was tried for a model."""

    engine: str
    ms: Annotated[float | None, Field(description="of one picture; null where it was not measured")]
    passed: Annotated[bool, Field(description="whether it computes the same as the reference")]
    reason: str
    reason_code: str
    precision: Annotated[str, Field(description="in which numbers it computes: fp32, bf16 or int8")]
    difference: Annotated[
        float | None, Field(description="of a score from the reference's at most; null: not compared")
    ]


class EngineAnswer(Answer):
    """The engine that computes a model on one machine."""

    model: str
    chosen: str
    reason: str
    reason_code: str
    tried: list[TrialAnswer]
    measured: Annotated[Time | None, Field(description="when it was measured; null: nobody knows")]
    remembered: Annotated[bool, Field(description="whether it was measured before this start")]


class DiskAnswer(Answer):
    """The disk of what lasts."""

    path: Annotated[
        str | None, Field(description="the data folder; null for a database elsewhere, or a viewer")
    ]
    free_bytes: int
    used_bytes: int
    total_bytes: int


class SystemAnswer(Answer):
    """The system as a whole. Retention, clock and what is set aside are null while the database is away.

    A viewer sees no address, no path and no cause: these are empty, null or one word.
    """

    version: str
    started: Time
    address: str
    time: Time
    database: DatabaseAnswer
    services: list[ServiceAnswer]
    retention: RetentionAnswer | None
    clock: ClockAnswer | None
    set_aside: Annotated[int | None, Field(description="events that wait for a clock that is believed")]
    fps: FpsAnswer
    models: list[ModelAnswer]
    cameras: Annotated[list[CostAnswer], Field(description="those that are analysed now")]
    engines: list[EngineAnswer]
    disk: Annotated[DiskAnswer | None, Field(description="null where nobody knows")]
    versions: Annotated[dict[str, str], Field(description="of what this process runs on; a viewer sees one")]


class LogItem(Answer):
    """A record of the log."""

    id: int
    time: Time
    level: Literal["debug", "info", "warning", "error"]
    service: Annotated[str, Field(description="which service wrote it, or which library")]
    text: str


class LogAnswer(Answer):
    """Records of one process, in their order."""

    items: list[LogItem]
    process: str
    elsewhere: Annotated[
        str | None, Field(description="where other processes have theirs; null: there are none")
    ]
    elsewhere_code: Annotated[str | None, Field(description=CODE)]


class FindingAnswer(Answer):
    """Something that was looked at, and how it is."""

    id: str
    code: Annotated[str, Field(description=CODE)]
    params: SentenceParams
    level: Literal["ok", "note", "problem"]
    text: str


class DoctorAnswer(Answer):
    """How the host of one process is, and the system as that process sees it."""

    items: list[FindingAnswer]
    process: str
    elsewhere: str | None
    elsewhere_code: Annotated[str | None, Field(description=CODE)]
