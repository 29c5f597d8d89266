"""Figures of the web service and its cameras."""

from collections.abc import Iterator

from services.common.metrics import Figure
from services.core.errors import DatabaseUnavailableError
from services.core.types import CameraStatus
from services.web.context import WebContext


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
