"""Which camera a path of a port means, and whether it may be shown."""

from collections.abc import Sequence

from services.core.errors import NotFoundError, StreamError
from services.core.types import Camera, CameraId, CameraSetup, Line


class ShownCameras:
    """The cameras as they were set up last, oldest first."""

    def __init__(self) -> None:
        self._setups: dict[str, CameraSetup] | None = None
        self._is_ended = False

    def update(self, setups: Sequence[CameraSetup]) -> None:
        """Replace what is known."""
        self._setups = {setup.camera.id: setup for setup in setups}

    def end(self) -> None:
        """Show nothing any more: the service ends."""
        self._is_ended = True

    def find(self, path: str) -> Camera:
        """Give the camera that a path means: `/gate` that one, `/` and unknown deeper paths the oldest.

        NotFoundError where there is none, StreamError where it shows nothing now.
        """
        if self._is_ended:
            raise StreamError("service-ends")
        if self._setups is None:
            raise StreamError("service-begins")
        camera = self._setups[self._name(path)].camera
        if not camera.enabled:
            raise StreamError("camera-off", camera=camera.id)
        return camera

    def shows(self, camera: CameraId) -> bool:
        """Return whether a camera's streams go on."""
        setup = (self._setups or {}).get(camera)
        return setup is not None and setup.camera.enabled and not self._is_ended

    def setup(self, camera: CameraId) -> CameraSetup | None:
        """Give what is known of a camera, None for one that is gone."""
        return (self._setups or {}).get(camera)

    def model(self, camera: CameraId) -> str:
        """Give the model that a camera is analysed with; none for one that is gone."""
        setup = (self._setups or {}).get(camera)
        return setup.camera.model if setup is not None else ""

    def lines(self, camera: CameraId) -> tuple[Line, ...]:
        """Give a camera's lines as they are now."""
        setup = (self._setups or {}).get(camera)
        return setup.lines if setup is not None else ()

    def _name(self, path: str) -> str:
        setups = self._setups or {}
        names = [name for name in path.split("/") if name]
        if names and names[0] in setups:
            return names[0]
        if len(names) == 1:
            raise NotFoundError("camera-missing", camera=names[0][:80])
        if not setups:
            raise NotFoundError("camera-none")
        return next(iter(setups))
