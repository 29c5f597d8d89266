"""Settings of the rtsp service."""

from pydantic import Field

from services.common.settings.files import RtspConnectionSettings
from services.common.settings.service import LIVE_MEMORY_MB, LiveMemory, Port, ServiceSettings


class RtspSettings(ServiceSettings, RtspConnectionSettings):
    """Where the annotated pictures are served."""

    port: Port = Field(8555, ge=0, le=65_535)
    live_memory_mb: LiveMemory = LIVE_MEMORY_MB
    """Most memory for the decoded pictures of all cameras that are watched, in megabytes."""
