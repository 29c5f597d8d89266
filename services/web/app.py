"""The web service: page, API and live pictures in one ASGI application."""

import time
from collections.abc import Callable

from fastapi import FastAPI

from services.common.bus import Bus
from services.common.database import Repository
from services.common.live.pictures import LivePictures
from services.common.video import VideoSource
from services.core.errors import SightlineError
from services.core.types import CameraId, Line
from services.web.api import (
    audit,
    cameras,
    counts,
    crossings,
    gaps,
    lines,
    pictures,
    retention,
    session,
    system,
    tokens,
    tracks,
    users,
)
from services.web.auth.guard import LoginGuard
from services.web.context import WebContext
from services.web.guard import LoopbackGuard, SecurityHeaders
from services.web.mirror import SetupMirror
from services.web.page import install_page
from services.web.problems import install_problems
from services.web.settings import WebSettings
from services.web.system import SystemInfo

ROUTERS = (
    cameras,
    lines,
    counts,
    crossings,
    gaps,
    tracks,
    pictures,
    system,
    retention,
    session,
    users,
    tokens,
    audit,
)


def create_app(
    repository: Repository,
    bus: Bus,
    video: VideoSource,
    system: SystemInfo,
    settings: WebSettings,
    mirror: SetupMirror | None = None,
    now_s: Callable[[], float] = time.time,
) -> FastAPI:
    """Make the application. The caller runs `app.state.context.mirror.run()` beside it."""
    mirror = mirror or SetupMirror(repository, bus)

    def lines_of(camera: CameraId) -> tuple[Line, ...]:
        try:
            return mirror.setup(camera).lines
        except SightlineError:
            return ()

    live = LivePictures(bus, video, lines_of, settings.live_fps, settings.jpeg_quality, now_s)
    app = FastAPI(
        title="Sightline",
        version=system.version,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = WebContext(repository, bus, system, settings, mirror, live, now_s)
    for module in ROUTERS:
        app.include_router(module.router)
    install_problems(app)
    install_page(app)
    app.add_middleware(LoginGuard, repository=repository, settings=settings)
    if settings.is_loopback and not settings.wants_login:
        app.add_middleware(LoopbackGuard)
    app.add_middleware(SecurityHeaders)
    return app
