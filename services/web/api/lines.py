"""Routes of counting lines."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from services.common.wire import JsonObject, line_object, time_text
from services.core.errors import BadInputError, NotFoundError
from services.core.identifiers import id_from_name
from services.core.lines import (
    COLOR_PATTERN,
    DEFAULT_COLOR,
    MAX_DIRECTION_NAME_LENGTH,
    MAX_POINTS,
    line_from_object,
)
from services.core.model_classes import check_classes
from services.core.types import Anchor, Line, LineVersion
from services.web.api.answers import (
    POINT_SCHEMA,
    SHARE_SCHEMA,
    LineAnswer,
    LinesAnswer,
    LineVersionAnswer,
    LineVersionsAnswer,
)
from services.web.api.parameters import GenerationParameter
from services.web.api.problems import created, refusals
from services.web.context import Context

router = APIRouter(prefix="/api/v1/cameras/{camera}/lines", tags=["lines"])

EXAMPLE: JsonObject = {
    "name": "Main road",
    "points": [[0.1, 0.7], [0.9, 0.7]],
    "anchor": "centre",
    "forward_name": "in",
    "backward_name": "out",
}

_POINTS = {"type": "array", "items": POINT_SCHEMA, "minItems": 2, "maxItems": MAX_POINTS}

Number = Annotated[float, Field(strict=True), WithJsonSchema(SHARE_SCHEMA)]
Points = Annotated[list[list[Number]], WithJsonSchema(_POINTS)]
Color = Annotated[str, Field(json_schema_extra={"pattern": f"^{COLOR_PATTERN.pattern}$"})]
DirectionName = Annotated[
    Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": MAX_DIRECTION_NAME_LENGTH})] | None,
    Field(description="what people call this direction, such as `in`; null: not named"),
]
Version = Annotated[int | None, Field(description="passed over: each change makes the next one")]


class LineChange(BaseModel):
    """What changes of a line; what cannot be a line is refused with a word about what to do."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str | None, Field(description="as it is: it cannot change")] = None
    name: Annotated[str | None, Field(description="null: the id")] = None
    points: Annotated[Points | None, Field(description="from A to B, shares of the picture")] = None
    anchor: Anchor = "centre"
    classes: Annotated[list[str] | None, Field(description="null: all")] = None
    color: Color = DEFAULT_COLOR
    forward_name: DirectionName = None
    backward_name: DirectionName = None
    version: Version = None

    def given(self) -> JsonObject:
        """Give the fields that were given, but for the version."""
        return self.model_dump(exclude_unset=True, exclude={"version"})


class LineInput(LineChange):
    """A new line, by its points or by its two ends; without an id one is made from its name."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    id: str | None = None
    x1: Number | None = None
    y1: Number | None = None
    x2: Number | None = None
    y2: Number | None = None


@router.get("", responses=refusals(404))
async def list_lines(camera: str, context: Context) -> LinesAnswer:
    """The lines of a camera, in the order in which they were made."""
    await context.database.setups.camera(camera)
    return LinesAnswer(items=[_answer(line) for line in await context.database.setups.lines(camera)])


@router.post("", status_code=201, responses=created(refusals(404, 409)))
async def add_line(camera: str, body: LineInput, context: Context, response: Response) -> LineAnswer:
    """Add a line; it counts from now on. Without an id one is made from its name."""
    stored = await context.database.setups.camera(camera)
    fields = body.given()
    if body.id is None:
        taken = {line.id for line in await context.database.setups.lines(camera)}
        fields["id"] = id_from_name(body.name or "", taken, "line")
    wanted = line_from_object(fields)
    check_classes([wanted], stored.camera.model, context.classes_of(stored.camera))
    line = await context.database.setups.add_line(camera, wanted)
    await context.mirror.refresh()
    response.headers["Location"] = f"/api/v1/cameras/{camera}/lines/{line.id}"
    return _answer(line)


@router.get("/{line}", responses=refusals(404))
async def get_line(camera: str, line: str, context: Context) -> LineAnswer:
    """One line."""
    return _answer(await context.database.setups.line(camera, line))


@router.get("/{line}/versions", responses=refusals(404))
async def list_line_versions(
    camera: str, line: str, context: Context, number: GenerationParameter = None
) -> LineVersionsAnswer:
    """How a line has lain, that of a deleted one too: a crossing names the version that counted it."""
    generation = await context.generation(camera, number)
    versions = await context.database.setups.line_versions(generation.camera, generation.number)
    known = [found for found in versions if found.line.id == line]
    if not known:
        raise NotFoundError("line-missing", camera=camera, line=line[:80])
    ends = [*(time_text(following.valid_from_s) for following in known[1:]), None]
    items = [
        _version_answer(found, end) for found, end in zip(known, ends, strict=True) if not found.is_deleted
    ]
    return LineVersionsAnswer(items=items)


@router.patch("/{line}", responses=refusals(404, 409))
async def change_line(camera: str, line: str, body: LineChange, context: Context) -> LineAnswer:
    """Change what is given of a line; that makes a new version of it."""
    current = await context.database.setups.line(camera, line)
    given = body.given()
    if given.get("id", line) != line:
        raise BadInputError("line-id-fixed")
    wanted = line_from_object({**line_object(current), **given})
    if "classes" in given:
        owner = (await context.database.setups.camera(camera)).camera
        check_classes([wanted], owner.model, context.classes_of(owner))
    changed = await context.database.setups.change_line(camera, wanted)
    await context.mirror.refresh()
    return _answer(changed)


@router.delete("/{line}", status_code=204, responses=refusals(404, 409))
async def delete_line(camera: str, line: str, context: Context) -> None:
    """End a line; what it has counted stays."""
    await context.database.setups.delete_line(camera, line)
    await context.mirror.refresh()


def _answer(line: Line) -> LineAnswer:
    return LineAnswer.model_validate(line_object(line))


def _version_answer(version: LineVersion, valid_to: str | None) -> LineVersionAnswer:
    span = {"valid_from": time_text(version.valid_from_s), "valid_to": valid_to}
    return LineVersionAnswer.model_validate({**line_object(version.line), **span})
