"""Routes of health, figures and the system as a whole."""

import asyncio
import json
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from services.common.http.health import figures_answer, readiness
from services.common.wire import time_text
from services.core.errors import DatabaseUnavailableError
from services.core.evidence.rate import LEAST_FPS, MOST_FPS
from services.web.api.retention import upkeep_object
from services.web.context import Context
from services.web.metrics import collect_figures, free_bytes

router = APIRouter(tags=["system"])

DOCS = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sightline API</title></head>
<body><h1>Sightline API</h1><p>The description of all routes in the OpenAPI format:
<a href="/api/v1/openapi.json">/api/v1/openapi.json</a></p><table>{rows}</table></body></html>"""


@router.get("/healthz")
async def get_health() -> dict[str, str]:
    """Tell that the process answers."""
    return {"status": "ok"}


@router.get("/readyz", response_model=dict[str, str])
async def get_readiness(context: Context) -> Response:
    """Whether requests can be answered: the database works, and what the command line asked for is there.

    A camera that is down changes nothing.
    """
    await context.database.probe.check()
    return readiness(context.system.missing())


@router.get("/metrics", response_class=Response)
async def get_metrics(context: Context) -> Response:
    """Figures in the text format of Prometheus."""
    return figures_answer(await collect_figures(context))


@router.get("/api/v1/system")
async def get_system(context: Context) -> dict[str, Any]:
    """Version, services, models, database, retention, clock and bounds of this system."""
    system = context.system
    try:
        await context.database.probe.check()
        database = "up"
    except DatabaseUnavailableError as error:
        database = str(error)
    return {
        "version": system.version,
        "started": time_text(system.started_s),
        "address": system.address,
        "time": time_text(context.now_s()),
        "database": {
            "kind": system.database,
            "address": context.database.address,
            "status": database,
            "free_bytes": free_bytes(context),
            "not_stored": system.space(),
        },
        "services": [{"name": service.name, "status": service.status} for service in system.services()],
        **await upkeep_object(context.database.notices),
        "fps": {"least": LEAST_FPS, "most": MOST_FPS},
        "models": [{"name": model.name, "classes": list(model.classes)} for model in system.models()],
    }


async def get_openapi(request: Request) -> Response:
    """The description of all routes; made in a thread, since it takes longer than an answer may."""
    text = await asyncio.to_thread(lambda: json.dumps(request.app.openapi()))
    return Response(text, media_type="application/json")


@router.get("/api/v1/docs", response_class=HTMLResponse, include_in_schema=False)
async def get_docs(request: Request) -> HTMLResponse:
    """A list of all routes that needs no network."""
    paths: dict[str, dict[str, Any]] = (await asyncio.to_thread(request.app.openapi))["paths"]
    rows = "".join(
        f"<tr><td>{method.upper()}</td><td>{escape(path)}</td>"
        f"<td>{escape(route.get('description', ''))}</td></tr>"
        for path, methods in paths.items()
        for method, route in methods.items()
    )
    return HTMLResponse(DOCS.format(rows=rows))
