"""The words of the domain as JSON and text: what programs outside see.

Times are ISO 8601 in UTC with milliseconds; secrets of an address never pass.
"""

import math
from datetime import UTC, datetime, tzinfo
from typing import Any

from services.common.secrets import redact
from services.core.camera_address import mask_address
from services.core.errors import BadInputError
from services.core.times import seconds, whole
from services.core.types import Camera, CameraState, CameraStatus, Crossing, Line, TrackedFrame

JsonObject = dict[str, Any]

LATEST_TIME_S = 7_258_118_400.0
"""The year 2200. A time that somebody gives lies between 1970 and this, far from where calendars end."""

MOST_DIGITS = 15
"""Of the milliseconds since 1970 that a cursor holds."""


def time_text(time_s: float) -> str:
    """Give a time as `2026-11-21T20:43:29.169Z`."""
    moment = datetime.fromtimestamp(whole(time_s), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str, zone: tzinfo = UTC) -> float:
    """Read an ISO 8601 time, without a zone as one of `zone`, or seconds since 1970; to the millisecond.

    A date is the moment at which that day begins. BadInputError when the text is no time, or one outside of
    the years 1970 to 2199.
    """
    time_s = _seconds_of(text.strip(), zone)
    if math.isnan(time_s):
        raise BadInputError("time-invalid", text=text[:40])
    if not (0 <= time_s < LATEST_TIME_S and whole(time_s) < LATEST_TIME_S):
        raise BadInputError("time-far", text=text[:40])
    return whole(time_s)


def parse_milliseconds(text: str) -> float:
    """Read the whole milliseconds since 1970 of a cursor as seconds; BadInputError when they are none."""
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise BadInputError("cursor-invalid")
    time_s = seconds(int(text))
    if time_s >= LATEST_TIME_S:
        raise BadInputError("cursor-invalid")
    return time_s


def _seconds_of(text: str, zone: tzinfo) -> float:
    """Give seconds since 1970; not a number where the text is no time."""
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        return moment.replace(tzinfo=moment.tzinfo or zone).timestamp()
    except (ValueError, OverflowError):
        pass
    try:
        return float(text)
    except ValueError:
        return math.nan


def camera_object(camera: Camera, state: CameraState | None) -> JsonObject:
    """Give a camera with what is known of its stream, without its secrets."""
    known = state or CameraState(CameraStatus.CONNECTING)
    status = known.status if camera.enabled else CameraStatus.DISABLED
    width_height = known.resolution
    error = known.error.masked(lambda text: redact(text, camera.url)) if known.error else None
    return {
        "id": camera.id,
        "name": camera.name,
        "url": mask_address(camera.url),
        "model": camera.model,
        "enabled": camera.enabled,
        "fps": camera.fps,
        "tiles": camera.tiles,
        "status": status.value,
        "since": time_text(known.since_s) if known.since_s else None,
        "measured_fps": round(known.fps, 1),
        "resolution": {"width": width_height[0], "height": width_height[1]} if width_height else None,
        "last_error": error.text if error else None,
        "last_error_code": error.code if error else None,
        "last_error_params": error.params if error else {},
        "damaged_share": min(1.0, max(0.0, known.damaged)),
        "verify": camera.verify,
    }


def line_object(line: Line) -> JsonObject:
    """Give a line as the API shows it; what it gives, it also takes."""
    return {
        "id": line.id,
        "name": line.name,
        "points": [list(point) for point in line.points],
        "anchor": line.anchor,
        "classes": list(line.classes) if line.classes is not None else None,
        "color": line.color,
        "version": line.version,
        "forward_name": line.forward_name,
        "backward_name": line.backward_name,
    }


def crossing_object(crossing: Crossing, direction_name: str | None = None) -> JsonObject:
    """Give one crossing, and what people call its direction where they have named it."""
    return {
        "id": crossing.id,
        "camera": crossing.camera,
        "line": crossing.line,
        "line_version": crossing.line_version,
        "time": time_text(crossing.time_s),
        "class": crossing.class_name,
        "direction": crossing.direction,
        "along": round(crossing.along, 4),
        "track": crossing.track,
        "confidence": round(crossing.confidence, 4),
        "mask": crossing.mask,
        "direction_name": direction_name,
    }


def tracks_object(frame: TrackedFrame) -> JsonObject:
    """Give the tracks of one analysed frame."""
    return {
        "camera": frame.camera,
        "frame": frame.frame,
        "time": time_text(frame.time_s),
        "tracks": [
            {
                "id": item.track,
                "class": item.class_name,
                "confidence": round(item.confidence, 4),
                "box": [round(value, 5) for value in item.box],
                "mask": item.mask,
            }
            for item in frame.objects
        ],
    }
