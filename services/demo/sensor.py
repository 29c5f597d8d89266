"""The faults of a camera's sensor: softness, noise, and a light that flickers."""

import cv2
import numpy as np

from services.demo.background import Picture
from services.demo.geometry import HEIGHT_PX, WIDTH_PX

NOISE_FIELDS = 8


class Sensor:
    """Makes a clean picture look like a camera's; the same picture number has the same noise."""

    def __init__(self, random: np.random.Generator, noise: float) -> None:
        """`noise`: standard deviation in levels."""
        size = (HEIGHT_PX, WIDTH_PX, 3)
        fields = [random.normal(0, noise, size) for _ in range(NOISE_FIELDS)]
        self._brighter = [np.clip(field, 0, 255).astype(np.uint8) for field in fields]
        self._darker = [np.clip(-field, 0, 255).astype(np.uint8) for field in fields]

    def seen(self, clean: Picture, number: int) -> Picture:
        """The picture `number` as the sensor gives it."""
        blurred = cv2.GaussianBlur(clean, (3, 3), 0.55)
        field = number % NOISE_FIELDS
        noisy = cv2.subtract(cv2.add(blurred, self._brighter[field]), self._darker[field])
        flicker = 1.0 + 0.012 * float(np.sin(number / 37.0)) + 0.004 * float(np.sin(number * 1.7))
        return cv2.convertScaleAbs(noisy, alpha=flicker).astype(np.uint8, copy=False)
