"""Settings of the detector service."""

from pydantic import Field

from services.common.settings.files import ConnectionSettings
from services.common.settings.service import LIVE_MEMORY_MB, LiveMemory, Port, ServiceSettings


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
