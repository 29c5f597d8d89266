"""Settings of the services that run alone, as configmaps/ explains them; those of web are with web."""

from pathlib import Path

from pydantic import Field

from services.common.settings.cameras import Folders, Patience
from services.common.settings.files import ConnectionSettings, RtspConnectionSettings
from services.common.settings.retention import RetentionSettings
from services.common.settings.service import LIVE_MEMORY_MB, LiveMemory, Port, ServiceSettings
from services.common.settings.space import SpaceLimits
from services.core.costs import EngineName
from services.core.limits import CAMERA_PATIENCE_S


class IngestSettings(ServiceSettings, RtspConnectionSettings):
    """Where ingest listens and how other services reach it."""

    port: Port = Field(8554, ge=0, le=65_535)
    """RTSP relay of the cameras' own streams."""
    relay: bool = True
    """Whether the relay runs; it needs GStreamer."""
    video_port: Port = Field(8553, ge=0, le=65_535)
    """Pictures for the other services, opened by a key that only they know."""
    file_camera_folders: Folders = ()
    """Folders whose video files may be cameras; a camera that is any other file is degraded."""
    camera_patience_s: Patience = CAMERA_PATIENCE_S
    """How long a camera may take for each answer, and for its first picture, in seconds."""
    advertise_host: str | None = None
    """Name or address by which other services reach this one; None: this machine's own."""


class DetectorSettings(ServiceSettings, ConnectionSettings):
    """Where the detector shows what it sees."""

    port: Port = Field(8070, ge=0, le=65_535)
    """Detections as a JSON stream."""
    mjpeg_port: Port = Field(8090, ge=0, le=65_535)
    """Pictures as MJPEG."""
    live_fps: float = Field(12, gt=0, le=60)
    """Most pictures a second of an MJPEG stream."""
    jpeg_quality: int = Field(60, ge=10, le=100)
    live_memory_mb: LiveMemory = LIVE_MEMORY_MB
    """Most memory for the decoded pictures of all cameras that are watched, in megabytes."""
    engine: EngineName = "auto"
    """What computes the models; `auto`: the fastest that computes right, as measured on this machine."""
    engine_folder: Path | None = None
    """Where it is remembered which engine was chosen; None: it is measured at each start."""


class StoreSettings(ServiceSettings, RetentionSettings, SpaceLimits):
    """How long records are kept, and which while the disk fills.

    The database's address comes from `SIGHTLINE_MONGODB_URI` alone.
    """

    batch_events: int = Field(500, ge=1, le=10_000)
    """Events that are written and acknowledged together."""


class RtspSettings(ServiceSettings, RtspConnectionSettings):
    """Where the annotated pictures are served."""

    port: Port = Field(8555, ge=0, le=65_535)
    live_memory_mb: LiveMemory = LIVE_MEMORY_MB
    """Most memory for the decoded pictures of all cameras that are watched, in megabytes."""
