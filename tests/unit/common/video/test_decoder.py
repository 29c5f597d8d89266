"""Pictures must be told with the access unit that they came in, also where the stream reorders them."""

import io

import av
import numpy as np
import psutil
import pytest

from services.common.video import decoder as decoding
from services.common.video.decoder import UnitDecoder
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
    decoder = UnitDecoder()
    decoded = [picture for unit in units if (picture := decoder.decode(unit)) is not None]
    assert len(decoded) >= FRAMES - 4
    for item in decoded:
        brightness = item.picture.to_ndarray(format="gray").mean()
        assert abs(brightness - 5 * order[item.unit.time_s]) < 12


def test_decoding_begins_at_a_key_frame_and_goes_on_after_damage():
    units = encoded(0)
    decoder = UnitDecoder()
    assert decoder.decode(units[3]) is None
    damaged = AccessUnit("c", 1, 1.0, False, b"\x00\x00\x01\x41garbage")
    results = [decoder.decode(unit) for unit in (units[0], damaged, *units[12:20])]
    assert results[0] is not None
    assert results[-1] is not None


def keyframe_of(width: int, height: int) -> bytes:
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt, codec.framerate = width, height, "yuv420p", 25
    codec.options = {"preset": "ultrafast", "x264-params": "threads=1:ref=1"}
    packets = [*codec.encode(av.VideoFrame(width, height, "yuv420p")), *codec.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


LARGE_BYTES = 12_288 * 6_912 * 3 // 2


def test_nothing_is_reserved_for_a_picture_that_is_too_large():
    decoder, own = UnitDecoder(), psutil.Process()
    good, large = keyframe_of(640, 360), keyframe_of(12_288, 6_912)
    UnitDecoder().decode(AccessUnit("c", 0, 0.0, True, good))
    before_bytes = own.memory_info().rss
    for number in range(6):
        assert decoder.decode(AccessUnit("c", number, float(number), True, large)) is None
        assert own.memory_info().rss - before_bytes < LARGE_BYTES / 2
    decoded = [decoder.decode(AccessUnit("c", 10 + n, 10.0 + n, True, good)) for n in range(3)]
    assert any(decoded)
    assert decoder.broken


def test_large_pictures_that_are_held_back_are_let_go(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decoding, "WAITING_LIMIT_PIXELS", 4 * 64 * 64)
    units = encoded(2)
    decoder = UnitDecoder()
    held = [AccessUnit("c", n, float(n), False, b"\0\0\1\x41garbage") for n in range(100, 110)]
    assert any(decoder.decode(unit) for unit in units[:6])
    for unit in held:
        assert decoder.decode(unit) is None
    assert decoder.decode(units[6]) is None, "it waits for a key frame"
    assert any(decoder.decode(unit) for unit in units[12:])
