"""The day's light over a scene, and the sensor that it falls on; pure, from the seed."""

import random
from dataclasses import dataclass

import cv2
import numpy as np

from services.demo.geometry import HEIGHT_PX, WIDTH_PX, Floats, Picture

NOISE_FIELDS = 8


@dataclass(frozen=True)
class Light:
    """How strong, from where and in what colour the light falls."""

    sun: Floats
    """Unit vector towards the sun."""
    ambient: float
    direct: float
    tint: Floats
    """Factors for blue, green, red."""
    exposure: float
    shadow: float
    noise: float
    """Standard deviation of the sensor's noise, in levels."""

    def shade(self, normals: Floats) -> Floats:
        """Brightness of faces by their normals."""
        upward = 0.12 * normals[:, 2]
        shade: Floats = self.ambient + upward + self.direct * np.maximum(normals @ self.sun, 0.0)
        return shade


def light_of(seed: int) -> Light:
    """Sunny, overcast, or a low sun, by the seed."""
    rng = random.Random(f"sightline-light-{seed}")
    kind = rng.choice(("sunny", "sunny", "overcast", "low"))
    angle = rng.uniform(0.0, 2 * np.pi)
    height = {"sunny": rng.uniform(0.8, 1.6), "overcast": 2.0, "low": rng.uniform(0.35, 0.6)}[kind]
    sun = np.array([np.cos(angle), np.sin(angle), height])
    sun /= np.linalg.norm(sun)
    ambient = {"sunny": 0.62, "overcast": 0.82, "low": 0.62}[kind]
    direct = {"sunny": 0.5, "overcast": 0.12, "low": 0.45}[kind]
    tint = {"sunny": (0.98, 1.0, 1.02), "overcast": (1.04, 1.0, 0.97), "low": (0.85, 0.97, 1.08)}[kind]
    exposure = {
        "sunny": rng.uniform(0.9, 1.1),
        "overcast": rng.uniform(0.75, 1.0),
        "low": rng.uniform(0.65, 0.9),
    }[kind]
    shadow = {"sunny": 0.55, "overcast": 0.3, "low": 0.4}[kind]
    return Light(sun, ambient, direct, np.array(tint), exposure, shadow, rng.uniform(1.2, 3.5))


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
