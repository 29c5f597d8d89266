"""Pictures must be told with the access unit that they came in, also where the stream reorders them."""

import io

import av
import numpy as np
import pytest

from services.common.h264 import H264Decoder
from services.core.types import AccessUnit

FRAMES = 40


def encoded(b_frames: int) -> list[AccessUnit]:
    """A clip whose picture n has the brightness 5n, as access units in the order of the stream."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.options = {"bf": str(b_frames), "g": "12", "x264-params": "scenecut=0:b-adapt=0"}
        units = []
        for n in range(FRAMES + 1):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 5 * n, np.uint8), format="bgr24")
            for packet in stream.encode(frame if n < FRAMES else None):
                units.append((packet.is_keyframe, bytes(packet), packet.pts))
    return [AccessUnit("c", i, float(pts), key, data) for i, (key, data, pts) in enumerate(units)]


@pytest.mark.parametrize("b_frames", [0, 2])
def test_each_picture_is_told_with_its_own_unit(b_frames: int):
    units = encoded(b_frames)
    order = {time: n for n, time in enumerate(sorted(unit.time_s for unit in units))}
    decoder = H264Decoder()
    decoded = [picture for unit in units if (picture := decoder.decode(unit)) is not None]
    assert len(decoded) >= FRAMES - 4
    for item in decoded:
        brightness = item.picture.to_ndarray(format="gray").mean()
        assert abs(brightness - 5 * order[item.unit.time_s]) < 12


def test_decoding_begins_at_a_key_frame_and_goes_on_after_damage():
    units = encoded(0)
    decoder = H264Decoder()
    assert decoder.decode(units[3]) is None
    damaged = AccessUnit("c", 1, 1.0, False, b"\x00\x00\x01\x41garbage")
    results = [decoder.decode(unit) for unit in (units[0], damaged, *units[12:20])]
    assert results[0] is not None
    assert results[-1] is not None
