"""Settings of the ingest service."""

from pydantic import Field

from services.common.settings.camera_files import Folders
from services.common.settings.files import RtspConnectionSettings
from services.common.settings.service import Port, ServiceSettings


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
    advertise_host: str | None = None
    """Name or address by which other services reach this one; None: this machine's own."""
