"""Settings of the web service."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from services.common.connections.addresses import is_loopback
from services.common.http.forwarded import trusted_proxies
from services.common.settings.camera_files import Folders
from services.common.settings.files import ConnectionSettings
from services.common.settings.service import LIVE_MEMORY_MB, LiveMemory


class WebSettings(ConnectionSettings):
    """Where the page and the API are served. Secrets come by the environment alone."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65_535)
    health_port: int | None = Field(None, ge=0, le=65_535)
    """A further port for /healthz, /readyz and /metrics, which the main port answers too."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    live_fps: float = Field(12, gt=0, le=60)
    """Most pictures a second of an MJPEG stream."""
    jpeg_quality: int = Field(80, ge=10, le=100)
    live_memory_mb: LiveMemory = LIVE_MEMORY_MB
    """Most memory for the decoded pictures of all cameras that are watched, in megabytes."""
    streams: int = Field(200, ge=1)
    """Most pictures, tracks and files that are sent at once."""
    streams_per_user: int = Field(40, ge=1)
    """Most of them for one user, or for one client address where no login is wanted."""

    login: Literal["auto", "required", "off"] = "auto"
    """`auto` asks for a login where other machines can reach the service; `off` lets everybody in."""
    trusted_proxy: str = ""
    """Addresses and networks of proxies whose X-Forwarded-For, -Proto and -Host are believed, with commas
    between; `direct` believes whoever connects, one hop far."""
    file_camera_folders: Folders = ()
    """Folders whose video files may become cameras through the API, as ingest sees them."""
    model_folders: Folders = ()
    """Folders whose .onnx files may become models of cameras through the API, as the detector sees them."""

    @field_validator("trusted_proxy")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        trusted_proxies(value)
        return value

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together")
        return self

    @property
    def wants_login(self) -> bool:
        """Whether users have to say who they are."""
        return self.login == "required" or (self.login == "auto" and not self.is_loopback)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the service."""
        return is_loopback(self.host)
