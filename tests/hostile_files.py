"""Video files that claim too much, small on the disk since what they claim is a hole; and headers alone."""

import struct
from fractions import Fraction
from pathlib import Path

import av

GIGABYTE = 1_000_000_000
START = b"\0\0\1"


def header_of(
    width: int, height: int, pixels: str = "yuv420p", options: str = "", profile: str = ""
) -> bytes:
    """Give the sequence header that x264 writes for a picture."""
    codec = av.CodecContext.create("libx264", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt, codec.time_base = width, height, pixels, Fraction(1, 25)
    codec.options = {"preset": "ultrafast", "x264-params": f"threads=1:{options}".rstrip(":")}
    if profile:
        codec.options = {**codec.options, "profile": profile}
    packets = [*codec.encode(av.VideoFrame(width, height, pixels)), *codec.encode(None)]
    parts = b"".join(bytes(packet) for packet in packets).split(START)
    return next(part.rstrip(b"\0") for part in parts if part and part[0] & 0x1F == 7)


def write_grey(path: Path, width: int, height: int, pictures: int = 5) -> None:
    """Write a grey H.264 video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, 25)
        stream.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "threads=1:ref=1"}
        frame = av.VideoFrame(width, height, "yuv420p")
        for plane in frame.planes:
            plane.update(b"\x80" * plane.buffer_size)
        for number in range(pictures):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_huge_sample(path: Path) -> None:
    """Write an MP4 whose second picture has a gigabyte."""
    write_grey(path, 640, 360)
    data = bytearray(path.read_bytes())
    sizes = data.index(b"stsz") + 16  # type, version, one size for all, count
    data[sizes + 4 : sizes + 8] = struct.pack(">I", GIGABYTE)
    path.write_bytes(data)
    with path.open("r+b") as file:
        file.truncate(2 * GIGABYTE)


def write_huge_block(path: Path) -> None:
    """Write a Matroska file whose first picture has a gigabyte."""
    write_grey(path, 640, 360)
    data = bytearray(path.read_bytes())
    segment = data.index(b"\x18\x53\x80\x67") + 4
    data[segment : segment + 8] = b"\x01" + b"\xff" * 7  # of unknown length
    head = bytes(data[: data.index(b"\x1f\x43\xb6\x75")])
    cluster = b"\x1f\x43\xb6\x75\x01" + b"\xff" * 7 + b"\xe7\x81\x00"
    block = b"\xa3" + struct.pack(">Q", 1 << 56 | GIGABYTE) + b"\x81\x00\x00\x80"
    path.write_bytes(head + cluster + block)
    with path.open("r+b") as file:
        file.truncate(2 * GIGABYTE)
