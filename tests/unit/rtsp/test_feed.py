"""Pictures in the encoder's form, of sizes that fit its rows and of others."""

import cv2
import numpy as np
import pytest

from services.rtsp.feed import encoded_size, i420_caps, to_i420


def stride(width: int) -> int:
    return (width + 3) // 4 * 4


def from_i420(data: bytes, width: int, height: int) -> np.ndarray:
    """Read planes as GStreamer does, whose rows begin at multiples of four."""
    planes, at = [], 0
    for columns, rows in ((width, height), (width // 2, height // 2), (width // 2, height // 2)):
        plane = np.frombuffer(data, np.uint8, stride(columns) * rows, at).reshape(rows, -1)
        planes.append(np.ascontiguousarray(plane[:, :columns]).reshape(-1))
        at += stride(columns) * rows
    assert at == len(data)
    return cv2.cvtColor(np.concatenate(planes).reshape(-1, width), cv2.COLOR_YUV2BGR_I420)


@pytest.mark.parametrize("size", [(640, 360), (854, 480), (426, 242), (427, 241), (8, 4), (2, 2)])
def test_a_picture_survives_in_each_size(size: tuple[int, int]):
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = 20, 90, 200
    picture[height // 2 :, width // 2 :] = 210, 60, 30
    even = encoded_size(width, height)
    assert even == (width - width % 2, height - height % 2)
    back = from_i420(to_i420(picture), *even)
    inner = np.s_[2:-2, 2:-2] if width > 8 else np.s_[:0]
    difference = np.abs(back.astype(int) - picture[: even[1], : even[0]])[inner]
    near_edge = (difference > 12).mean() if difference.size else 0.0
    assert near_edge < 0.02


def test_the_rate_is_told():
    assert "width=640,height=360,framerate=1250/100" in i420_caps(640, 360, 12.5)
