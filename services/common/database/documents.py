"""Domain objects as documents and back.

Times are stored as dates, which hold milliseconds; trajectories as parallel arrays of whole numbers
(milliseconds since their start, box corners in steps of 1e-4), a tenth of the size of plain objects.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from services.common.access.accounts import AuditEntry
from services.common.database.link import Document
from services.core.evidence.coverage import WHOLE_MINUTE
from services.core.evidence.lines import MinuteEvidence
from services.core.evidence.rate import countable_fps
from services.core.tiles import WHOLE
from services.core.times import milliseconds as milliseconds
from services.core.times import minute_of as minute_of
from services.core.times import seconds
from services.core.trajectories import packed, unpacked
from services.core.types import (
    AccessNote,
    AnalysedSecond,
    Camera,
    CameraId,
    CameraStatus,
    Crossing,
    Line,
    LineId,
    MinuteCount,
    Ownership,
    StatusChange,
    Trajectory,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAR = datetime(9999, 1, 1, tzinfo=UTC) - timedelta(days=1)
"""Later than all times of records."""

MINUTE = timedelta(minutes=1)
NOTHING_LACKING: Mapping[str, int] = {}


def date_of(time_s: float) -> datetime:
    """Give a time as a date, exact to the millisecond."""
    return EPOCH + timedelta(milliseconds=milliseconds(time_s))


def seconds_of(date: datetime) -> float:
    """Give a stored date as seconds since 1970."""
    return seconds((date - EPOCH) // timedelta(milliseconds=1))


def camera_document(camera: Camera, created_s: float) -> Document:
    """A camera, its address with its secrets included."""
    return {
        "_id": camera.id,
        "time": date_of(created_s),
        "name": camera.name,
        "url": camera.url,
        "model": camera.model,
        "enabled": camera.enabled,
        "fps": camera.fps,
        "verify": camera.verify,
        "tiles": camera.tiles,
    }


def camera_from(document: Mapping[str, Any]) -> Camera:
    """The camera of a document; one that an older release set to too few frames gets as many as it takes.

    An older release knew of no second opinion and no tiles.
    """
    return Camera(
        id=document["_id"],
        name=document["name"],
        url=document["url"],
        model=document["model"],
        enabled=document["enabled"],
        fps=countable_fps(float(document["fps"])),
        verify=bool(document.get("verify", False)),
        tiles=document.get("tiles", WHOLE),
    )


def line_document(camera: str, line: Line, valid_from_s: float, is_deleted: bool = False) -> Document:
    """One version of a line; a deleted line is a last version that says so."""
    return {
        "_id": f"{camera}/{line.id}/{line.version}",
        "camera": camera,
        "line": line.id,
        "version": line.version,
        "time": date_of(valid_from_s),
        "name": line.name,
        "points": [list(point) for point in line.points],
        "anchor": line.anchor,
        "classes": list(line.classes) if line.classes is not None else None,
        "color": line.color,
        "forward_name": line.forward_name,
        "backward_name": line.backward_name,
        "deleted": is_deleted,
    }


def line_from(document: Mapping[str, Any]) -> Line:
    """The line of a document; one of an older release has no names of its directions."""
    classes = document["classes"]
    return Line(
        id=document["line"],
        name=document["name"],
        points=tuple((float(x), float(y)) for x, y in document["points"]),
        anchor=document["anchor"],
        classes=tuple(classes) if classes is not None else None,
        color=document["color"],
        version=document["version"],
        forward_name=document.get("forward_name"),
        backward_name=document.get("backward_name"),
    )


def crossing_document(crossing: Crossing) -> Document:
    """A crossing; its id is the document's, so that it can be there only once."""
    return {
        "_id": crossing.id,
        "camera": crossing.camera,
        "line": crossing.line,
        "line_version": crossing.line_version,
        "time": date_of(crossing.time_s),
        "class": crossing.class_name,
        "direction": crossing.direction,
        "along": crossing.along,
        "track": crossing.track,
        "confidence": crossing.confidence,
        "epoch": crossing.epoch,
        "mask": crossing.mask,
    }


def crossing_from(document: Mapping[str, Any]) -> Crossing:
    """The crossing of a document."""
    return Crossing(
        id=document["_id"],
        camera=document["camera"],
        line=document["line"],
        line_version=document["line_version"],
        time_s=seconds_of(document["time"]),
        class_name=document["class"],
        direction=document["direction"],
        along=document["along"],
        track=document["track"],
        confidence=document["confidence"],
        epoch=document["epoch"],
        mask=document["mask"],
    )


def connection_of(crossing_id: str) -> int:
    """Give the connection whose pictures a crossing was seen in, by its id; 0 where it names none."""
    parts = crossing_id.split("/")[1:2]
    numbers = parts[0].split(".") if parts else []
    return int(numbers[1]) if len(numbers) == 3 and numbers[1].isdecimal() else 0


def trajectory_document(trajectory: Trajectory) -> Document:
    """A piece of a trajectory, of at least one point; `time` is its end, `start` its beginning."""
    times_ms, boxes = packed(trajectory.points)
    return {
        "_id": trajectory.piece_id,
        "camera": trajectory.camera,
        "track": trajectory.track,
        "epoch": trajectory.epoch,
        "class": trajectory.class_name,
        "confidence": trajectory.confidence,
        "piece": trajectory.piece,
        "start": EPOCH + timedelta(milliseconds=times_ms[0]),
        "time": EPOCH + timedelta(milliseconds=times_ms[-1]),
        "ms": [time_ms - times_ms[0] for time_ms in times_ms],
        "boxes": [list(column) for column in zip(*boxes, strict=True)],
    }


def trajectory_from(document: Mapping[str, Any]) -> Trajectory:
    """The trajectory of a document, its boxes exact to half a step; one of an earlier version is whole."""
    start_ms = (document["start"] - EPOCH) // timedelta(milliseconds=1)
    piece = document.get("piece", 0)
    id = document["_id"]
    return Trajectory(
        id=id.rpartition("/")[0] if piece else id,
        camera=document["camera"],
        track=document["track"],
        epoch=document["epoch"],
        class_name=document["class"],
        confidence=document["confidence"],
        points=unpacked([start_ms + ms for ms in document["ms"]], list(zip(*document["boxes"], strict=True))),
        piece=piece,
    )


def status_document(change: StatusChange) -> Document:
    """A change of a camera's status."""
    return {
        "_id": f"{change.camera}/{milliseconds(change.time_s)}/{change.status.value}",
        "camera": change.camera,
        "time": date_of(change.time_s),
        "status": change.status.value,
        "cause": change.cause,
        "code": change.code,
        "params": change.params,
    }


def status_from(document: Mapping[str, Any]) -> StatusChange:
    """The status change of a document."""
    return StatusChange(
        camera=document["camera"],
        time_s=seconds_of(document["time"]),
        status=CameraStatus(document["status"]),
        cause=document["cause"],
        code=document.get("code", ""),
        params=document.get("params", {}),
    )


def analysed_id(camera: str, minute: int, epoch: int, connection: int = 0, revision: str = "") -> str:
    """Name the document of the evidence of one minute under one epoch, of the pictures of one connection.

    Epoch 0 stands for no ownership, connection 0 and no revision for one that is not known.
    """
    parts = (camera, minute, epoch, connection, revision)
    number = 5 if revision else 4 if connection else 3 if epoch else 2
    return "/".join(map(str, parts[:number]))


def revision_id(camera: str, revision: str) -> str:
    """Name the document that lists the lines of a revision."""
    return f"{camera}/{revision}"


def lacking_text(line: str, second: int) -> str:
    """Write that a line may lack crossings in one second of a minute."""
    return f"{line}/{second}"


def evidence_from(document: Mapping[str, Any]) -> MinuteEvidence:
    """The evidence of a document; one of an older release has neither revision nor what is lacking.

    One that holds only what is known of positions has no seconds.
    """
    seconds = document.get("seconds", ())
    mask = WHOLE_MINUTE if len(seconds) == 60 else sum(1 << second for second in seconds)
    minute = (document["time"] - EPOCH) // MINUTE
    revision, texts = document.get("revision", ""), document.get("lacking")
    return MinuteEvidence(minute, mask, revision, _lacking(texts) if texts else NOTHING_LACKING)


def _lacking(texts: Iterable[str]) -> dict[str, int]:
    lacking: dict[str, int] = {}
    for text in texts:
        line, _, second = text.partition("/")
        lacking[line] = lacking.get(line, 0) | 1 << int(second)
    return lacking


def analysed_from(document: Mapping[str, Any]) -> list[AnalysedSecond]:
    """The seconds of a document of evidence."""
    evidence = evidence_from(document)
    return [
        AnalysedSecond(
            CameraId(document["camera"]),
            evidence.minute * 60 + second,
            document.get("epoch", 0),
            document.get("connection", 0),
            evidence.revision,
            tuple(LineId(line) for line, seconds in evidence.lacking.items() if seconds >> second & 1),
        )
        for second in document.get("seconds", ())
    ]


def ownerships_from(document: Mapping[str, Any]) -> list[Ownership]:
    """The ownerships of a camera's document, by epoch."""
    known = document.get("ownerships", {})
    return [
        Ownership(document["_id"], epoch, seconds_of(known[str(epoch)])) for epoch in sorted(map(int, known))
    ]


def minute_document(count: MinuteCount) -> Document:
    """The counts of one line in one minute; those of a first generation name none, as in older releases."""
    own = {"generation": count.generation} if count.generation > 1 else {}
    return {
        "_id": f"{count.camera}/{count.line}/{count.minute}" + (f"/{count.generation}" if own else ""),
        "camera": count.camera,
        "line": count.line,
        "time": date_of(count.minute * 60),
        "forward": count.forward,
        "backward": count.backward,
        **own,
    }


def minute_from(document: Mapping[str, Any]) -> MinuteCount:
    """The minute of a document."""
    return MinuteCount(
        camera=document["camera"],
        line=document["line"],
        minute=(document["time"] - EPOCH) // MINUTE,
        forward=document["forward"],
        backward=document["backward"],
        generation=document.get("generation", 1),
    )


def audit_document(entry: AuditEntry, id: str, time_s: float) -> Document:
    """An entry of the audit log, with its name and when it was written."""
    return {
        "_id": id,
        "time": date_of(time_s),
        "action": entry.action,
        "target": entry.target,
        "user": entry.user,
        "by": entry.by,
        "address": entry.address,
        "count": entry.count,
    }


def note_document(note: AccessNote) -> Document:
    """What happened at a door that does not see the database, as an entry of the audit log."""
    entry = AuditEntry(note.action, "", note.user, note.place, note.address, count=note.count)
    return audit_document(entry, note.id, note.time_s)


def audit_entry_from(document: Mapping[str, Any]) -> AuditEntry:
    """The entry of a document."""
    return AuditEntry(
        document["action"],
        document["target"],
        document["user"],
        document["by"],
        document["address"],
        seconds_of(document["time"]),
        document["_id"],
        document.get("count", 1),
    )
