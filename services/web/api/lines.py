"""Routes of counting lines."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response

from services.common.wire import line_object
from services.core.errors import BadInputError
from services.core.identifiers import id_from_name
from services.core.lines import line_from_object
from services.core.tasks import check_classes
from services.web.context import Context

router = APIRouter(prefix="/api/v1/cameras/{camera}/lines", tags=["lines"])

EXAMPLE = {"name": "Main road", "points": [[0.1, 0.7], [0.9, 0.7]], "anchor": "centre", "classes": None}
LineBody = Annotated[dict[str, Any], Body(examples=[EXAMPLE])]

CHANGEABLE = ("name", "points", "anchor", "classes", "color")


@router.get("")
async def list_lines(camera: str, context: Context) -> dict[str, Any]:
    """The lines of a camera, in the order in which they were made."""
    await context.database.setups.camera(camera)
    return {"items": [line_object(line) for line in await context.database.setups.lines(camera)]}


@router.post("", status_code=201)
async def add_line(camera: str, body: LineBody, context: Context, response: Response) -> dict[str, Any]:
    """Add a line; it counts from now on. Without an id one is made from its name."""
    stored = await context.database.setups.camera(camera)
    fields = {key: value for key, value in body.items() if key != "version"}
    if fields.get("id") is None:
        name = fields.get("name")
        taken = {line.id for line in await context.database.setups.lines(camera)}
        fields["id"] = id_from_name(name if isinstance(name, str) else "", taken, "line")
    wanted = line_from_object(fields)
    check_classes([wanted], stored.camera.model)
    line = await context.database.setups.add_line(camera, wanted)
    await context.mirror.refresh()
    response.headers["Location"] = f"/api/v1/cameras/{camera}/lines/{line.id}"
    return line_object(line)


@router.get("/{line}")
async def get_line(camera: str, line: str, context: Context) -> dict[str, Any]:
    """One line."""
    return line_object(await context.database.setups.line(camera, line))


@router.patch("/{line}")
async def change_line(camera: str, line: str, body: LineBody, context: Context) -> dict[str, Any]:
    """Change what is given of a line; that makes a new version of it."""
    current = await context.database.setups.line(camera, line)
    unknown = sorted(body.keys() - {*CHANGEABLE, "id", "version"})
    if unknown:
        raise BadInputError(f"{unknown[0]}: this key is not known")
    if body.get("id", line) != line:
        raise BadInputError("the id of a line cannot change: delete the line and add another")
    fields = {**line_object(current), **{key: body[key] for key in CHANGEABLE if key in body}}
    wanted = line_from_object(fields)
    if "classes" in body:
        check_classes([wanted], (await context.database.setups.camera(camera)).camera.model)
    changed = await context.database.setups.change_line(camera, wanted)
    await context.mirror.refresh()
    return line_object(changed)


@router.delete("/{line}", status_code=204)
async def delete_line(camera: str, line: str, context: Context) -> None:
    """End a line; what it has counted stays."""
    await context.database.setups.delete_line(camera, line)
    await context.mirror.refresh()
