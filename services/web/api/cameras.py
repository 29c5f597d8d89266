"""Routes of cameras."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.common.database.setups import StoredCamera
from services.common.settings.cameras import (
    MAX_NAME_LENGTH,
    CameraFiles,
    check_url,
    default_name,
    validate_camera,
)
from services.common.wire import camera_object, time_text
from services.core.camera_address import KINDS, restore_secrets
from services.core.evidence.rate import LEAST_FPS, MOST_FPS
from services.core.identifiers import id_from_name
from services.core.model_classes import check_classes, check_verified, model_for
from services.core.tiles import TILES_PATTERN, WHOLE
from services.core.types import Camera, CameraId
from services.web.api.answers import CameraAnswer, CamerasAnswer
from services.web.api.problems import created, refusals
from services.web.context import Context, WebContext

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])


FPS = Field(
    description=f"frames to analyse a second, {LEAST_FPS:g} to {MOST_FPS:g}",
    json_schema_extra={"minimum": LEAST_FPS, "maximum": MOST_FPS},
)
VERIFY = Field(
    description="let a classifier give a second opinion on the mask states of tracked faces; for a mask model"
)


TILES = Field(
    description="columns by rows of overlapping tiles for wide pictures, up to 4x4; the network looks at "
    "each, and once at the whole picture",
    json_schema_extra={"pattern": f"^{TILES_PATTERN.pattern}$"},
)


class CameraInput(BaseModel):
    """A new camera; without an id one is made from its name."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(description=f"{KINDS}; a file lies in a folder that the settings name")]
    id: str | None = None
    name: str | None = None
    model: Annotated[str | None, Field(description="default: mask for demo://masks, else traffic")] = None
    enabled: bool = True
    fps: Annotated[float, FPS] = 10.0
    verify: Annotated[bool, VERIFY] = False
    tiles: Annotated[str, TILES] = WHOLE


class CameraChange(BaseModel):
    """What changes; `***` in the address keeps the stored secret."""

    model_config = ConfigDict(extra="forbid")

    url: str | None = None
    name: str | None = None
    model: str | None = None
    enabled: bool | None = None
    fps: Annotated[float | None, FPS] = None
    verify: Annotated[bool | None, VERIFY] = None
    tiles: Annotated[str | None, TILES] = None


@router.get("")
async def list_cameras(context: Context) -> CamerasAnswer:
    """All cameras, the oldest first; it is the default camera."""
    return CamerasAnswer(
        items=[camera_answer(context, item) for item in await context.database.setups.cameras()]
    )


@router.post("", status_code=201, responses=created(refusals(409)))
async def add_camera(camera: CameraInput, context: Context, response: Response) -> CameraAnswer:
    """Add a camera; it is connected at once."""
    name = camera.name.strip() if camera.name else default_name(camera.id)
    taken = () if camera.id else {stored.camera.id for stored in await context.database.setups.cameras()}
    id = camera.id or id_from_name(name[:MAX_NAME_LENGTH], taken, "camera")
    url = restore_secrets(camera.url.strip())
    check_new_url(context, url)
    model = camera.model or model_for(url, None)
    wanted = Camera(CameraId(id), name, url, model, camera.enabled, camera.fps, camera.verify, camera.tiles)
    wanted = _validated(context, wanted, True)
    check_verified(wanted, context.classes_of(wanted))
    stored = await context.database.setups.add_camera(wanted)
    await context.mirror.refresh()
    response.headers["Location"] = f"/api/v1/cameras/{stored.camera.id}"
    return camera_answer(context, stored)


@router.get("/{id}", responses=refusals(404))
async def get_camera(id: str, context: Context) -> CameraAnswer:
    """One camera with what is known of its stream."""
    return camera_answer(context, await context.database.setups.camera(id))


@router.patch("/{id}", responses=refusals(404))
async def change_camera(id: str, change: CameraChange, context: Context) -> CameraAnswer:
    """Change what is given of a camera."""
    stored = await context.database.setups.camera(id)
    given = {key: value for key, value in change.model_dump().items() if value is not None}
    if "url" in given:
        given["url"] = restore_secrets(given["url"].strip(), stored.camera.url)
        if given["url"] != stored.camera.url:
            check_new_url(context, given["url"])
    if "name" in given:
        given["name"] = given["name"].strip()
    has_new_model = given.get("model", stored.camera.model) != stored.camera.model
    camera = _validated(context, replace(stored.camera, **given), has_new_model)
    if has_new_model or "verify" in given:
        check_verified(camera, context.classes_of(camera))
    if "model" in given:
        lines = await context.database.setups.lines(id)
        check_classes(lines, camera.model, context.classes_of(camera))
    await context.database.setups.change_camera(camera)
    await context.mirror.refresh()
    return camera_answer(context, replace(stored, camera=camera))


@router.post("/{id}/connection", responses=refusals(404))
async def connect_camera(id: str, context: Context) -> CameraAnswer:
    """Have a camera that is not connected dialled at once, whatever its next attempt waits for."""
    stored = await context.database.setups.camera(id)
    await context.mirror.ask_for(stored.camera.id)
    return camera_answer(context, stored)


@router.delete("/{id}", status_code=204, responses=refusals(404))
async def delete_camera(id: str, context: Context) -> None:
    """Remove a camera; its counts stay until their retention ends, as those of a generation."""
    await context.database.setups.delete_camera(id)
    await context.mirror.refresh()


def _validated(context: WebContext, camera: Camera, has_new_model: bool) -> Camera:
    """Check a model only when it is new, so that a camera whose model is gone can be switched off."""
    check_model = context.system.check_model if has_new_model else lambda name: None
    return validate_camera(camera, check_model)


def check_new_url(context: WebContext, url: str) -> None:
    """Check an address that is new: one that is stored stays, whatever may be given today."""
    files = CameraFiles.of(context.settings.file_camera_folders)
    check_url(url, sees_files=context.system.sees_files, files=files)


def camera_answer(context: WebContext, stored: StoredCamera) -> CameraAnswer:
    """Give a camera with what is known of its stream."""
    shown = camera_object(stored.camera, context.states.state(stored.camera.id))
    shown |= {"generation": stored.generation, "created": time_text(stored.created_s)}
    shown["classes"] = context.classes_of(stored.camera)
    return CameraAnswer.model_validate(shown)
