"""From a decoded picture to the network's input, in one pass."""

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from services.core.frames import Letterbox, Picture


def scaled_rgb(picture: VideoFrame, letterbox: Letterbox) -> Picture:
    """Scale a decoded picture to `letterbox.size` and turn it to RGB, without threads of its own."""
    width, height = letterbox.size
    converted = VideoReformatter().reformat(
        picture, width=width, height=height, format="rgb24", interpolation=Interpolation.AREA, threads=1
    )
    return np.asarray(converted.to_ndarray(), np.uint8)
