"""Pictures of a high range (HDR: PQ, HLG) in the range of a screen: as bright as they are meant, rolled off.

A curve for each channel, from codes to light; a matrix from the wide colours of BT.2020 to those of screens;
and a curve back to codes.
"""

from functools import cache

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from services.common.video.shown import PQ

WHITE_NITS = 203.0
"""How bright white paper is (BT.2408)."""
PEAK_NITS = 1000.0
"""How bright highlights are; what is brighter is white."""
KNEE = 0.5
"""Share of white up to which light is left as it is."""
STEEPNESS = 6.9
"""Makes the curve go on at the knee as steep as it comes."""
SCREEN_GAMMA = 2.4

_WIDE_TO_SCREEN = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
"""From linear BT.2020 to linear BT.709 (BT.2087)."""

_STEPS = 65535


def tone_mapped(picture: VideoFrame, curve: int) -> VideoFrame:
    """Give a picture of a high range in RGB for screens; `curve` is its `color_trc`."""
    converted = VideoReformatter().reformat(picture, format="rgb24", threads=1)
    light = cv2.LUT(np.asarray(converted.to_ndarray(), np.uint8), _light_of_codes(curve))
    screen = np.asarray(cv2.transform(light, _WIDE_TO_SCREEN), np.uint16)
    return VideoFrame.from_ndarray(np.take(_codes_of_light(), screen), format="rgb24")


def nits(curve: int, codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give how bright codes (0..1) are by the curve of PQ (BT.2100) or HLG on a screen of 1000 nits."""
    if curve == PQ:
        power = codes ** (1 / 78.84375)
        light = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
        return np.asarray(10_000 * light ** (1 / 0.1593017578125))
    scene = np.where(
        codes <= 0.5, codes**2 / 3, (np.exp((codes - 0.55991073) / 0.17883277) + 0.28466892) / 12
    )
    return np.asarray(PEAK_NITS * scene**1.2)


@cache
def _light_of_codes(curve: int) -> NDArray[np.uint16]:
    light = nits(curve, np.arange(256) / 255) / WHITE_NITS
    peak = PEAK_NITS / WHITE_NITS
    above = np.log1p(STEEPNESS * np.maximum(light - KNEE, 0)) / np.log1p(STEEPNESS * (peak - KNEE))
    rolled_off = np.where(light <= KNEE, light, KNEE + (1 - KNEE) * above)
    return np.round(np.clip(rolled_off, 0, 1) * _STEPS).astype(np.uint16)


@cache
def _codes_of_light() -> NDArray[np.uint8]:
    light = np.arange(_STEPS + 1) / _STEPS
    return np.round(255 * light ** (1 / SCREEN_GAMMA)).astype(np.uint8)
