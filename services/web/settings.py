"""Settings of the web service."""

from pydantic import Field

from services.common.connections.addresses import is_loopback
from services.common.settings.files import ConnectionSettings
from services.common.settings.service import PageSettings


class WebSettings(PageSettings, ConnectionSettings):
    """Where the page and the API are served. Secrets come by the environment alone."""

    port: int = Field(8080, ge=0, le=65_535)
    health_port: int | None = Field(None, ge=0, le=65_535)
    """A further port for /healthz, /readyz and /metrics, which the main port answers too."""
    live_fps: float = Field(12, gt=0, le=60)
    """Most pictures a second of an MJPEG stream, and of a camera on a page."""
    jpeg_quality: int = Field(80, ge=10, le=100)
    streams: int = Field(200, ge=1)
    """Most pictures, tracks and files that are sent at once."""
    streams_per_user: int = Field(40, ge=1)
    """Most of them for one user, or for one client address where no login is wanted."""
    sockets: int = Field(100, ge=1)
    """Most pages that are connected for what is live at once."""
    sockets_per_user: int = Field(20, ge=1)
    """Most of them for one user, or for one client address where no login is wanted."""

    @property
    def wants_login(self) -> bool:
        """Whether users have to say who they are."""
        return self.login == "required" or (self.login == "auto" and not self.is_loopback)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the service."""
        return is_loopback(self.host)
