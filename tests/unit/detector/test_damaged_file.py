"""A file whose data is damaged is counted, and says how much of it is."""

from pathlib import Path

import av
import numpy as np
import pytest

from services.core.frames import Letterbox, Picture
from services.core.types import Detection
from services.detector.count_file import count_video
from services.detector.decode.file import VideoFile
from services.detector.infer.detector import ModelInfo

GOP, PICTURES = 10, 40


class Blind:
    """Sees nothing."""

    engine = "blind"
    info = ModelInfo("blind", "traffic", ("car",), 64, 64, 0.25, 0.5, Path("none"))

    def letterbox(self, width: int, height: int) -> Letterbox:
        return Letterbox(64, 64, width, height)

    def detect(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        return []


def clip(path: Path, damaged: int | None) -> Path:
    """A noisy clip, the middle of one of whose pictures was overwritten."""
    noise = np.random.default_rng(1)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 128, 128, "yuv420p", GOP
        stream.options = {"x264-params": "bframes=0:scenecut=0", "preset": "ultrafast"}
        pictures = [noise.integers(0, 255, (128, 128, 3)).astype(np.uint8) for _ in range(PICTURES)]
        frames = [av.VideoFrame.from_ndarray(picture, format="bgr24") for picture in pictures]
        packets = [packet for frame in [*frames, None] for packet in stream.encode(frame)]
        for number, packet in enumerate(packets):
            if number == damaged:
                data = bytearray(bytes(packet))
                data[len(data) // 4 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 4)
                changed = av.Packet(bytes(data))
                changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
                changed.stream = stream
                packet = changed
            output.mux(packet)
    return path


@pytest.mark.parametrize(("damaged", "share"), [(None, 0), (13, GOP - 3), (25, GOP - 5)])
def test_what_stands_on_damaged_data_is_told(tmp_path: Path, damaged: int | None, share: int) -> None:
    with VideoFile(clip(tmp_path / "clip.mkv", damaged)) as video:
        result = count_video(video, Blind(), ())
    damaged_s = sum(gap.to_s - gap.from_s for gap in result.gaps)
    assert (result.frames, round(25 * damaged_s)) == (PICTURES, share)
    assert all(gap.cause == "damaged" for gap in result.gaps)
