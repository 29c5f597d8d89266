"""Settings of the rtsp service."""

from pydantic import Field

from services.common.service_settings import LIVE_MEMORY_MB, LiveMemory, Port, ServiceSettings
from services.common.settings import RtspConnectionSettings


class RtspSettings(ServiceSettings, RtspConnectionSettings):
    """Where the annotated pictures are served."""

    port: Port = Field(8555, ge=0, le=65_535)
    live_memory_mb: LiveMemory = LIVE_MEMORY_MB
    """Most memory for the decoded pictures of all cameras that are watched, in megabytes."""
