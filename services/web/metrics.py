"""Figures of the web service and its cameras in Prometheus' text format."""

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from services.core.errors import DatabaseUnavailableError
from services.core.types import CameraStatus
from services.web.context import WebContext

METRICS_TYPE = CONTENT_TYPE_LATEST


async def metrics_text(context: WebContext) -> bytes:
    """Collect the figures of this moment; a database that is away is a figure and no failure."""
    registry = CollectorRegistry()
    up = Gauge("sightline_database_up", "Whether the database answers.", registry=registry)
    try:
        await context.repository.ping()
        up.set(1)
    except DatabaseUnavailableError:
        up.set(0)
    live = Gauge("sightline_camera_live", "Whether a camera's stream is live.", ["camera"], registry=registry)
    fps = Gauge("sightline_camera_fps", "Analysed frames a second.", ["camera"], registry=registry)
    for camera in context.mirror.cameras():
        state = context.bus.state(camera)
        live.labels(camera).set(float(state is not None and state.status is CameraStatus.LIVE))
        fps.labels(camera).set(state.fps if state is not None else 0.0)
    watched = Gauge("sightline_live_pictures", "Picture streams that are being made.", registry=registry)
    watched.set(context.live.watched)
    started = Gauge("sightline_start_time_seconds", "When the process started.", registry=registry)
    started.set(context.system.started_s)
    for name, value in context.system.figures().items():
        Gauge(f"sightline_{name}", "Told by another service of this process.", registry=registry).set(value)
    return generate_latest(registry)
