"""Routes of health, figures, the system as a whole, and what waits for a person there."""

import asyncio
import json
from collections.abc import Iterator
from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse, Response

from services.common.access.accounts import UserRole
from services.common.database.retention_notices import RetentionNotices, clock_object, retention_object
from services.common.http.health import figures_answer, readiness
from services.common.metrics import METRICS_TYPE, Figure
from services.common.wire import time_text
from services.core.errors import DatabaseUnavailableError
from services.core.evidence.rate import LEAST_FPS, MOST_FPS
from services.core.sentences.sentence import sentence
from services.core.types import CameraStatus
from services.web.api.answers import (
    ClockAnswer,
    DatabaseAnswer,
    FpsAnswer,
    HealthAnswer,
    ModelsAnswer,
    ReadinessAnswer,
    RetentionAnswer,
)
from services.web.api.description import operations
from services.web.api.problems import refusals
from services.web.api.system_answers import SystemAnswer
from services.web.api.system_parts import (
    as_viewers_see,
    choices_of,
    cost_answers,
    costs_of,
    disk_answer,
    engine_answers,
    model_answers,
    service_answers,
    versions_of,
)
from services.web.auth.caller import Who
from services.web.context import Context, WebContext

router = APIRouter(tags=["system"])

UP = sentence("up")

DOCS = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sightline API</title>
<link rel="icon" href="/favicon.svg"></head>
<body><h1>Sightline API</h1><p>The description of all routes in the OpenAPI format:
<a href="/api/v1/openapi.json">/api/v1/openapi.json</a></p><table>{rows}</table></body></html>"""

FIGURES: dict[int | str, dict[str, Any]] = {
    200: {"content": {METRICS_TYPE.partition(";")[0]: {"schema": {"type": "string"}}}}
}


class Confirmation(BaseModel):
    """Somebody has seen it and says yes."""

    model_config = ConfigDict(extra="forbid")

    confirm: Annotated[str, Field(max_length=40, description="`id` of what waits, of `GET /api/v1/system`")]


class Description(BaseModel):
    """A description of an API in the OpenAPI format."""

    model_config = ConfigDict(extra="allow")

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]


@router.get("/healthz")
async def get_health() -> HealthAnswer:
    """Say that the process answers."""
    return HealthAnswer(status="ok")


@router.get("/readyz", response_model=ReadinessAnswer)
async def get_readiness(context: Context) -> Response:
    """Whether requests can be answered: the database works, and what the command line asked for is there.

    A camera that is down changes nothing.
    """
    await context.database.probe.check()
    return readiness(context.system.missing())


@router.get("/metrics", response_class=Response, responses=FIGURES)
async def get_metrics(context: Context) -> Response:
    """Figures in the text format of Prometheus."""
    return figures_answer(await collect_figures(context))


@router.get("/api/v1/system")
async def get_system(context: Context, who: Who) -> SystemAnswer:
    """Services with their queues, what cameras cost, models, engines, database, disk, retention and clock.

    Who is no admin sees neither addresses nor folders, machines, versions of parts, or causes of trouble.
    """
    system, costs = context.system, costs_of(context)
    choices = choices_of(system, costs)
    retention, clock, set_aside = await _upkeep(context.database.notices)
    answer = SystemAnswer(
        version=system.version,
        started=time_text(system.started_s),
        address=system.address,
        time=time_text(context.now_s()),
        database=await _database(context),
        services=service_answers(context),
        retention=retention,
        clock=clock,
        set_aside=set_aside,
        fps=FpsAnswer(least=LEAST_FPS, most=MOST_FPS),
        models=model_answers(system, choices, who.role is UserRole.ADMIN),
        cameras=list(cost_answers(costs)),
        engines=list(engine_answers(choices)),
        disk=disk_answer(system, context.database.probe),
        versions=versions_of(context),
    )
    if who.role is UserRole.ADMIN:
        return answer
    return as_viewers_see(answer, {service.name: service.role for service in system.services()})


@router.get("/api/v1/models")
async def list_models(context: Context, who: Who) -> ModelsAnswer:
    """The models that cameras may name: those that ship, and for an admin files that the settings allow."""
    choices = choices_of(context.system, costs_of(context))
    sees_files = who.role is UserRole.ADMIN
    return ModelsAnswer(items=await asyncio.to_thread(model_answers, context.system, choices, sees_files))


@router.patch("/api/v1/system/retention", status_code=204, responses=refusals(409))
async def confirm_retention(wanted: Confirmation, context: Context) -> None:
    """Apply the shorter retention that waits, within half a minute and not only after 24 hours."""
    await context.database.notices.confirm_retention(wanted.confirm)


@router.patch("/api/v1/system/clock", status_code=204, responses=refusals(409))
async def confirm_clock(wanted: Confirmation, context: Context) -> None:
    """Say that the clock in doubt is right: deletion goes on, and what was set aside goes to its place."""
    await context.database.notices.confirm_clock(wanted.confirm)


@router.get("/api/v1/openapi.json", response_model=Description)
async def get_openapi(request: Request) -> Response:
    """This description; made in a thread, since it takes longer than an answer may."""
    text = await asyncio.to_thread(lambda: json.dumps(request.app.openapi()))
    return Response(text, media_type="application/json")


@router.get("/api/v1/docs", response_class=HTMLResponse)
async def get_docs(request: Request) -> HTMLResponse:
    """A list of all routes that needs no network."""
    description = await asyncio.to_thread(request.app.openapi)
    rows = "".join(
        f"<tr><td>{method}</td><td>{escape(path)}</td>"
        f"<td>{escape(operation.get('description', ''))}</td></tr>"
        for method, path, operation in operations(description)
    )
    return HTMLResponse(DOCS.format(rows=rows))


async def _database(context: WebContext) -> DatabaseAnswer:
    try:
        await context.database.probe.check()
        status = UP
    except DatabaseUnavailableError as error:
        status = error.sentence
    space = context.system.space()
    return DatabaseAnswer(
        kind=context.system.database,
        address=context.database.address,
        status=status.text,
        code=status.code,
        params=status.params,
        free_bytes=free_bytes(context),
        not_stored=space.text if space else None,
        not_stored_code=space.code if space else None,
        not_stored_params=space.params if space else {},
    )


async def _upkeep(
    notices: RetentionNotices,
) -> tuple[RetentionAnswer | None, ClockAnswer | None, int | None]:
    """Give retention, clock and the number of events that are set aside; nothing without the database."""
    try:
        return (
            RetentionAnswer.model_validate(retention_object(await notices.retention_state())),
            ClockAnswer.model_validate(clock_object(await notices.clock_mark())),
            await notices.set_aside_number(),
        )
    except DatabaseUnavailableError:
        return None, None, None


async def collect_figures(context: WebContext) -> list[Figure]:
    """Give the figures of this moment; a database that is away is a figure and no failure."""
    try:
        await context.database.probe.check()
        is_up = True
    except DatabaseUnavailableError:
        is_up = False
    return [
        Figure("sightline_database_up", is_up),
        *_space_figures(context),
        *_camera_figures(context),
        Figure("sightline_live_pictures", context.live.watched),
        *context.live.figures(),
        Figure("sightline_readers", context.streams.taken, {"port": "web"}),
        Figure("sightline_readers_refused_total", context.streams.refused, {"port": "web"}),
        Figure("sightline_sockets", context.sockets.taken),
        Figure("sightline_sockets_refused_total", context.sockets.refused),
        Figure("sightline_camera_tests", context.tests.taken),
        Figure("sightline_camera_tests_refused_total", context.tests.refused),
        Figure("sightline_questions", context.reading.slots.taken),
        Figure("sightline_questions_refused_total", context.reading.slots.refused),
        Figure("sightline_start_time_seconds", context.system.started_s),
        *context.system.figures(),
    ]


def free_bytes(context: WebContext) -> int | None:
    """Give what is free on the database's disk; None where nobody knows."""
    known = context.system.free_bytes()
    return known if known is not None else context.database.probe.free_bytes


def _space_figures(context: WebContext) -> Iterator[Figure]:
    free = free_bytes(context)
    if free is not None:
        yield Figure("sightline_database_free_bytes", free)


def _camera_figures(context: WebContext) -> Iterator[Figure]:
    for camera in context.mirror.cameras():
        state = context.states.state(camera)
        is_live = state is not None and state.status is CameraStatus.LIVE
        yield Figure("sightline_camera_live", is_live, {"camera": camera})
        yield Figure("sightline_camera_fps", state.fps if state is not None else 0.0, {"camera": camera})
