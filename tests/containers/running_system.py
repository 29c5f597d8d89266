"""What the acceptance test asks of a system in containers, whatever engine runs them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

CAMERA_HOST = "camera"
"""The name by which the services reach the camera's container."""

CAMERA_FOLDER = "/camera"


class RunningSystem(Protocol):
    """All services in containers of one network, ready."""

    def port(self, port: int) -> int:
        """Give the port of 127.0.0.1 that leads to 8080, 8070, 8090, 8554 or 8555 of the system."""

    def admin_password(self) -> str:
        """Give the first account's password, read as its owner would read it."""

    def process_id(self, service: str) -> int:
        """Give the first process of a service's container, as this host numbers it; 0 while none runs."""

    def camera(self, folder: Path, command: Sequence[str]) -> AbstractContextManager[None]:
        """Run a camera beside the services, as CAMERA_HOST, with the image of ingest.

        `folder` is mounted read-only at CAMERA_FOLDER, and `command` replaces the image's entry point.
        """
