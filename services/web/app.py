"""The web service: page, API and live pictures in one ASGI application."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from fastapi import FastAPI

from services.common.bus.camera_tests import CameraTests
from services.common.bus.protocol import StateBoard, TrackFeed
from services.common.http.below_path import BelowPath
from services.common.http.guard import LoopbackGuard
from services.common.live.decoding import Decoders
from services.common.live.pictures import LivePictures
from services.common.video.hub import VideoSource
from services.core.errors import SightlineError
from services.core.types import CameraId, Line
from services.web.api import audit as audit_routes
from services.web.api import camera_tests as camera_tests_routes
from services.web.api import (
    cameras,
    counts,
    crossings,
    diagnosis,
    gaps,
    generations,
    lines,
    session,
    system,
    tokens,
    users,
)
from services.web.api.description import DESCRIPTION, DescribedApp
from services.web.api.problems import install_problems
from services.web.auth.audit import AuditLog
from services.web.auth.guard import LoginGuard, refused_pages
from services.web.context import WebContext
from services.web.database import WebDatabase
from services.web.findings import HostFindings
from services.web.live import pictures, socket, tracks
from services.web.live.streams import AnswerSlots
from services.web.mirror import SetupMirror
from services.web.page import HeadRequests, SecurityHeaders, install_page
from services.web.serving import BodyValues
from services.web.settings import WebSettings
from services.web.system import SystemInfo

ROUTERS = (
    camera_tests_routes,
    cameras,
    lines,
    counts,
    crossings,
    gaps,
    generations,
    tracks,
    pictures,
    socket,
    system,
    diagnosis,
    session,
    users,
    tokens,
    audit_routes,
)


def _lines_of(mirror: SetupMirror, camera: CameraId) -> tuple[Line, ...]:
    """Give the lines that are drawn over a camera's pictures; none of one that is gone meanwhile."""
    try:
        return mirror.setup(camera).lines
    except SightlineError:
        return ()


def _empty_app(version: str, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]]) -> FastAPI:
    return DescribedApp(
        title="Sightline",
        description=DESCRIPTION,
        generate_unique_id_function=lambda route: route.name,
        lifespan=lifespan,
        version=version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )


def create_app(
    database: WebDatabase,
    tracks: TrackFeed,
    states: StateBoard,
    video: VideoSource,
    system: SystemInfo,
    settings: WebSettings,
    mirror: SetupMirror,
    camera_tests: CameraTests,
    now_s: Callable[[], float] = time.time,
    decoders: Decoders | None = None,
) -> FastAPI:
    """Make the application. The caller runs `mirror.run()` beside it.

    `decoders` are those of the process, where it shows pictures on other ports too.
    """
    decoders = decoders or Decoders(video, settings.live_memory_mb)
    live = LivePictures(
        tracks, decoders, partial(_lines_of, mirror), settings.live_fps, settings.jpeg_quality
    )
    tests = AnswerSlots("camera-tests", camera_tests_routes.MOST, camera_tests_routes.MOST_EACH)
    streams = AnswerSlots("streams", settings.streams, settings.streams_per_user)
    sockets = AnswerSlots("sockets", settings.sockets, settings.sockets_per_user)
    audit = AuditLog(database.audit)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await audit.close()

    app = _empty_app(system.version, lifespan)
    findings = HostFindings(system.findings)
    app.state.context = WebContext(
        database,
        tracks,
        states,
        system,
        settings,
        mirror,
        live,
        audit,
        streams,
        sockets,
        findings,
        camera_tests,
        tests,
        now_s,
    )
    for module in ROUTERS:
        app.include_router(module.router)
    install_problems(app)
    install_page(app)
    app.add_middleware(BodyValues)
    app.add_middleware(HeadRequests)
    app.add_middleware(LoginGuard, accounts=database.accounts, settings=settings, audit=audit)
    if settings.is_loopback and not settings.wants_login:
        app.add_middleware(LoopbackGuard, on_refused=refused_pages(audit, settings.trusted_proxy))
    app.add_middleware(SecurityHeaders, trusted_proxy=settings.trusted_proxy)
    app.add_middleware(BelowPath, proxy_path=settings.proxy_path, trusted_proxy=settings.trusted_proxy)
    return app
