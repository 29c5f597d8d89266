"""Pictures that the detectors of this process have decoded, for whoever cannot decode a camera yet.

Who begins to watch a camera with rare key frames has to catch up through the whole group of pictures, and
cannot begin at all where that was not kept. A detector in the same process decodes every picture anyway.
"""

from services.common.video.decoder import DecodedPicture
from services.core.types import CameraId


class AnalysedPictures:
    """The newest decoded picture of each camera that is analysed here. Callable from any thread."""

    def __init__(self) -> None:
        self._newest: dict[CameraId, DecodedPicture] = {}

    def put(self, decoded: DecodedPicture) -> None:
        """Keep a picture in place of the one before."""
        self._newest[decoded.unit.camera] = decoded

    def newest(self, camera: CameraId) -> DecodedPicture | None:
        """Give the newest picture; None where no detector of this process has one."""
        return self._newest.get(camera)

    def forget(self, camera: CameraId) -> None:
        """Keep nothing of a camera that is analysed here no more."""
        self._newest.pop(camera, None)
