"""Settings of the rtsp service."""

from pydantic import Field

from services.common.service_settings import Port, ServiceSettings
from services.common.settings import RtspConnectionSettings


class RtspSettings(ServiceSettings, RtspConnectionSettings):
    """Where the annotated pictures are served."""

    port: Port = Field(8555, ge=0, le=65_535)
