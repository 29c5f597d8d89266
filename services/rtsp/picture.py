"""Pictures in the form that the encoder takes: planes of brightness and colour (I420). Pure."""

import cv2
import numpy as np

from services.common.live.drawing import Canvas

ROW_BYTES = 4
"""GStreamer's rows begin at multiples of this."""


def encoded_size(width: int, height: int) -> tuple[int, int]:
    """Give the size that is sent: an odd size loses its last column or row."""
    return width // 2 * 2, height // 2 * 2


def i420_caps(width: int, height: int, fps: float) -> str:
    """Describe pictures of a size to GStreamer.

    The time stamps tell when they really come. Without a rate beside them, players wait for seconds of
    video to guess one.
    """
    rate = f"{round(fps * 100)}/100"
    return f"video/x-raw,format=I420,width={width},height={height},framerate={rate},colorimetry=bt601"


def to_i420(canvas: Canvas) -> bytes:
    """Convert a picture (BGR) of any size."""
    width, height = encoded_size(canvas.shape[1], canvas.shape[0])
    even = np.ascontiguousarray(canvas[:height, :width])
    planar: Canvas = np.asarray(cv2.cvtColor(even, cv2.COLOR_BGR2YUV_I420), np.uint8)
    if width // 2 % ROW_BYTES == 0:
        return bytes(planar.tobytes())
    flat, half = planar.reshape(-1), (height // 2, width // 2)
    brightness, blue, red = np.split(flat, [width * height, width * height * 5 // 4])
    planes = brightness.reshape(height, width), blue.reshape(half), red.reshape(half)
    return b"".join(_padded(plane).tobytes() for plane in planes)


def _padded(plane: Canvas) -> Canvas:
    """Lengthen each row to where the next one may begin."""
    return np.pad(plane, ((0, 0), (0, -plane.shape[1] % ROW_BYTES)))
