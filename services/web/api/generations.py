"""The routes of generations: each making of a camera, also of one that was deleted."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path

from services.common.database.generations import Generation
from services.common.database.reading import Records
from services.common.wire import time_text
from services.core.errors import NotFoundError
from services.web.api.answers import (
    CameraGenerationAnswer,
    CameraGenerationsAnswer,
    GenerationAnswer,
    GenerationsAnswer,
)
from services.web.api.parameters import MOST_GENERATIONS
from services.web.api.problems import refusals
from services.web.api.reading import ANSWER_LIMIT_S
from services.web.auth.caller import Who
from services.web.context import Context

Number = Annotated[int, Path(ge=1, le=MOST_GENERATIONS)]

router = APIRouter(prefix="/api/v1", tags=["cameras"])


@router.get("/cameras/{camera}/generations", responses=refusals(404))
async def list_generations(camera: str, context: Context, who: Who) -> GenerationsAnswer:
    """The generations of a camera, the oldest first; those of a deleted one too.

    A camera that is deleted and made again is a new generation. Counts, crossings and gaps are of the newest
    one; `generation` asks for those of another.
    """
    found = await context.database.generations.of_camera(camera)
    if not found:
        raise NotFoundError("camera-never", camera=camera[:80])
    records = context.database.records(ANSWER_LIMIT_S)
    numbers = await context.reading.run(who, lambda: _numbers(records, found))
    return GenerationsAnswer(
        items=[
            GenerationAnswer.model_validate(_fields(generation, number))
            for generation, number in zip(found, numbers, strict=True)
        ]
    )


@router.get("/generations")
async def list_all_generations(context: Context, who: Who) -> CameraGenerationsAnswer:
    """The generations of all cameras by their ids, those of deleted ones too."""
    found = await context.database.generations.of_all()
    records = context.database.records(ANSWER_LIMIT_S)
    numbers = await context.reading.run(who, lambda: _numbers(records, found))
    return CameraGenerationsAnswer(
        items=[
            CameraGenerationAnswer.model_validate(
                {"camera": generation.camera, **_fields(generation, number)}
            )
            for generation, number in zip(found, numbers, strict=True)
        ]
    )


@router.delete("/cameras/{camera}/generations/{generation}", status_code=204, responses=refusals(404, 409))
async def remove_generation(camera: str, generation: Number, context: Context) -> None:
    """Remove all that belongs to a generation of a camera that was deleted: it cannot be brought back.

    It is not given any more from now on. Its crossings, minutes, evidence, positions, statuses and lines are
    removed by the store, little by little.
    """
    await context.database.generations.ask_removal(camera, generation)


def _numbers(records: Records, generations: Sequence[Generation]) -> list[int]:
    """Count the crossings of each; blocks."""
    return [records.crossings_number(generation) for generation in generations]


def _fields(generation: Generation, crossings: int) -> dict[str, object]:
    return {
        "generation": generation.number,
        "name": generation.name,
        "created": time_text(generation.created_s),
        "deleted": None if generation.deleted_s is None else time_text(generation.deleted_s),
        "crossings": crossings,
    }
