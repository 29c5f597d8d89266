"""What a page asks for over its WebSocket: each message replaces the whole of what was asked before. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.common.live.pictures import Form
from services.core.errors import BadInputError
from services.core.sentences.sentence import Sentence, sentence
from services.core.types import CameraId
from services.web.api.fields import wrong_with

MOST_PICTURES = 16
"""Cameras whose pictures one page may see at once."""

MOST_CAMERAS = 64
"""Cameras of one message, with tracks alone too."""

LEAST_FPS, MOST_FPS = 0.2, 60.0
NARROWEST, WIDEST = 64, 1920


class SubscribedCamera(BaseModel):
    """What is to be shown of one camera."""

    model_config = ConfigDict(extra="forbid")

    camera: Annotated[str, Field(min_length=1, max_length=63)]
    width: Annotated[int | None, Field(ge=NARROWEST, le=WIDEST)] = None
    """Of the pictures at most; None: as wide as the camera's."""
    fps: Annotated[float, Field(ge=LEAST_FPS, le=MOST_FPS, allow_inf_nan=False)] = 2.0
    """Pictures a second at most; the setting `live_fps` bounds it further."""
    pictures: bool = True
    tracks: bool = False
    overlay: bool = False
    """Draw the boxes of each picture's own frame."""
    lines: bool = False
    """With overlay: draw the lines, too."""


class Subscription(BaseModel):
    """All that a page wants to see now."""

    model_config = ConfigDict(extra="forbid")

    cameras: Annotated[list[SubscribedCamera], Field(max_length=MOST_CAMERAS)]


@dataclass(frozen=True, slots=True)
class PictureWork:
    """Pictures of a camera that are to be sent."""

    camera: CameraId
    form: Form
    width: int | None
    fps: float


@dataclass(frozen=True, slots=True)
class TrackWork:
    """Tracks of a camera that are to be sent."""

    camera: CameraId


Work = PictureWork | TrackWork


def works_of(text: str) -> list[Work]:
    """Read a message; BadInputError says what is wrong with it, without what it holds."""
    try:
        wanted = Subscription.model_validate_json(text).cameras
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part)[:40] for part in first["loc"])
        wrong = wrong_with(first)
        raise BadInputError(_of_field(place, wrong) if place else wrong) from None
    names = [item.camera for item in wanted]
    if len(set(names)) < len(names):
        raise BadInputError(_of_field("cameras", sentence("cameras-twice")))
    if sum(item.pictures for item in wanted) > MOST_PICTURES:
        raise BadInputError(_of_field("cameras", sentence("pictures-limit", most=MOST_PICTURES)))
    return [work for item in wanted for work in _works(item)]


def _works(item: SubscribedCamera) -> Iterator[Work]:
    camera = CameraId(item.camera)
    if item.pictures:
        yield PictureWork(camera, _form(item), item.width, item.fps)
    if item.tracks:
        yield TrackWork(camera)


def _of_field(field: str, wrong: Sentence) -> Sentence:
    return sentence("input-invalid", field=field, reason=wrong)


def _form(item: SubscribedCamera) -> Form:
    if not item.overlay:
        return "plain"
    return "boxes and lines" if item.lines else "boxes"
