"""Which seconds were analysed: pure, by capture time."""

from services.core.types import AnalysedSecond, CameraId

LEAST_FRAMES = 3


class SecondCounter:
    """Counts the analysed frames of each second and gives evidence of the seconds that hold enough."""

    def __init__(self, camera: CameraId, fps: float) -> None:
        self._camera = camera
        self._least = max(LEAST_FRAMES, fps / 2)
        self._second: int | None = None
        self._frames = 0

    def add(self, time_s: float) -> AnalysedSecond | None:
        """Count a frame; give the evidence of the second before when that one is over."""
        second = int(time_s)
        if second == self._second:
            self._frames += 1
            return None
        evidence = self.finish()
        self._second, self._frames = second, 1
        return evidence

    def finish(self) -> AnalysedSecond | None:
        """Give the evidence of the second that was counted last, if it holds enough frames."""
        second, self._second = self._second, None
        if second is None or self._frames < self._least:
            return None
        return AnalysedSecond(self._camera, second)
