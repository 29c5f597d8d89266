"""Settings of the web service."""

import ipaddress

from pydantic import Field

from services.common.settings import Settings


class WebSettings(Settings):
    """Where the page and the API are served. Secrets come by the environment alone."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65_535)
    live_fps: float = Field(12, gt=0, le=60)
    """Most pictures a second of an MJPEG stream."""
    jpeg_quality: int = Field(80, ge=10, le=100)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the service."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine itself."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
