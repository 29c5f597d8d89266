"""The web application for tests: over ASGI, or on a real port for streams that do not end."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from fastapi import FastAPI

from services.common.bus.local import LocalBus
from services.common.metrics import Figure
from services.common.video.hub import VideoHub
from services.core.errors import BadInputError
from services.core.sentences.sentence import plain, sentence
from services.core.types import MASK_CLASSES
from services.web.app import create_app
from services.web.mirror import SetupMirror
from services.web.settings import WebSettings
from services.web.system import DiskState, ModelEntry, ServiceState, SystemFinding, SystemInfo
from tests.makers import analysis_cost
from tests.tables import Tables

ORIGIN = "http://127.0.0.1:8080"


def _check_model(name: str) -> None:
    if name not in ("traffic", "traffic-n", "mask"):
        raise BadInputError(f"unknown model {name!r}: give traffic, traffic-n or mask")


SYSTEM = SystemInfo(
    version="0.0.0",
    database="embedded (test)",
    started_s=1_700_000_000.0,
    address=ORIGIN,
    services=lambda: [ServiceState("web"), ServiceState("store", plain("waits for the database"))],
    models=lambda: [
        ModelEntry("traffic-n", ("person", "car"), ("traffic",)),
        ModelEntry("mask-n", MASK_CLASSES),
    ],
    check_model=_check_model,
    figures=lambda: [Figure("sightline_events_written_total", 7.0)],
    engines=lambda: [analysis_cost().engine],
    disk=lambda: DiskState("/srv/sightline", 600, 400, 1000),
    versions=lambda: {"python": "3.11.2", "av": "18.1.0"},
    findings=lambda: [SystemFinding("clock", sentence("host-clock", error_ms=0.5), "ok")],
)


@dataclass
class Web:
    """The application with what it stands on."""

    app: FastAPI
    client: httpx.AsyncClient
    tables: Tables
    bus: LocalBus
    video: VideoHub


def app_over(
    tables: Tables, bus: LocalBus, video: VideoHub, settings: WebSettings, system: SystemInfo = SYSTEM
) -> FastAPI:
    """Make the application over a database, with a mirror that the caller runs."""
    mirror = SetupMirror(tables.web, bus.setups, bus.access)
    return create_app(tables.web, bus.tracks, bus.states, video, system, settings, mirror, bus.camera_tests)


@asynccontextmanager
async def web_over(
    tables: Tables, settings: WebSettings | None = None, system: SystemInfo = SYSTEM
) -> AsyncIterator[Web]:
    """Make the application over a database, with its mirror running."""
    bus, video = LocalBus(), VideoHub()
    app = app_over(tables, bus, video, settings or WebSettings(), system)
    task = asyncio.create_task(app.state.context.mirror.run())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, timeout=20) as client:
        yield Web(app, client, tables, bus, video)
    task.cancel()


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """Serve the application on a free port and give its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await task
