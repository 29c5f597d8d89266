"""The same objects are counted in a clip, in whatever form its file holds it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from av.video.stream import VideoStream

from services.common.video.packets import packets_of
from services.detector.count_file import FileCount
from services.detector.decode.file import VideoFile
from services.ingest.container import ContainerConnection
from tests.odd_clips import X264, count_clip, events, ffmpeg, make_clip, turn

TURNS = {
    "clock": ((0, 1, -1, 0), "transpose=cclock"),
    "half": ((-1, 0, 0, -1), "hflip,vflip"),
    "cclock": ((0, -1, 1, 0), "transpose=clock"),
    "mirrored": ((-1, 0, 0, 1), "hflip"),
    "mirrored-clock": ((0, -1, -1, 0), "transpose=cclock,hflip"),
}
"""The linear part of a display matrix, and what it undoes."""

TEN_BITS = "format=yuv420p10le"
TO_HDR = (
    "format=yuv444p,setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=limited,"
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt2020:t={0}:m=2020_ncl:r=limited:npl=203," + TEN_BITS
)
WIDE = ("-color_primaries", "bt2020", "-colorspace", "bt2020nc", "-color_trc")
FORMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ten-bits.mp4": (TEN_BITS, X264),
    "hevc.mp4": (TEN_BITS, ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")),
    "pq.mp4": (TO_HDR.format("smpte2084"), (*X264, *WIDE, "smpte2084")),
    "hlg.mp4": (TO_HDR.format("arib-std-b67"), (*X264, *WIDE, "arib-std-b67")),
    "called-pq.mp4": (TEN_BITS, (*X264, *WIDE, "smpte2084")),
    "wide-pixels.mp4": ("scale=240:180,setsar=4/3,format=yuv420p", X264),
    "high-pixels.mkv": ("scale=320:90,setsar=1/2,format=yuv420p", X264),
    "fields.mp4": (
        "scale=320:180,fps=20,tinterlace=interleave_top,setfield=tff,format=yuv420p",
        (*X264, "-flags", "+ildct+ilme"),
    ),
    "fields.ts": (
        "fps=20,tinterlace=interleave_bottom,setfield=bff,scale=320:192:interl=1,setsar=16/15,format=yuv420p",
        ("-c:v", "mpeg2video", "-q:v", "2", "-flags", "+ildct+ilme", "-r", "10", "-strict", "-1"),
    ),
    "full-range.mp4": ("scale=out_range=pc,format=yuv420p", (*X264, "-color_range", "pc")),
    "four-four-four.mp4": ("format=yuv444p", X264),
    "four-two-two.mov": ("format=yuv422p10le", ("-c:v", "prores_ks")),
    "alpha.mkv": ("format=bgra", ("-c:v", "ffv1")),
    "odd.mkv": ("scale=321:181,format=yuv444p", X264),
    "jpegs.avi": ("format=yuvj420p", ("-c:v", "mjpeg", "-q:v", "2")),
    "cropped.mp4": ("pad=330:186,crop=320:180:0:0,format=yuv420p", X264),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def plain(folder: Path) -> Path:
    return make_clip(folder / "plain.mp4")


@pytest.fixture(scope="module")
def truth(plain: Path) -> FileCount:
    result = count_clip(plain)
    assert events(result) == [("across", "forward"), ("upright", "backward")]
    return result


def assert_like(result: FileCount, truth: FileCount, shift_s: float = 0.0) -> None:
    """The same crossings at the same place and time, and all of it counted."""
    assert events(result) == events(truth)
    for one, true in zip(result.crossings, truth.crossings, strict=True):
        assert one.time_s == pytest.approx(true.time_s + shift_s, abs=0.11)
        assert one.along == pytest.approx(true.along, abs=0.04)
    assert (result.coverage, result.gaps) == (1.0, [])


@pytest.mark.parametrize("name", FORMS)
def test_a_form_of_pictures(folder: Path, truth: FileCount, name: str) -> None:
    filters, options = FORMS[name]
    path = make_clip(folder / name, filters, *options)
    result = count_clip(path)
    assert_like(result, truth)
    with VideoFile(path) as video:
        width, height = video.size
        shown = {(picture.width, picture.height) for _, picture in video.pictures()}
    assert width / height == pytest.approx(16 / 9, rel=0.01)
    assert shown == {(width, height)}


@pytest.mark.parametrize("name", TURNS)
def test_a_clip_that_lies_is_counted_upright(folder: Path, truth: FileCount, name: str) -> None:
    matrix, filters = TURNS[name]
    lying = make_clip(folder / f"{name}-lying.mp4", f"{filters},format=yuv420p")
    assert_like(count_clip(turn(lying, folder / f"{name}.mp4", matrix)), truth)


def test_files_joined_to_one(folder: Path, plain: Path, truth: FileCount) -> None:
    one, late, matroska = folder / "one.ts", folder / "late.ts", folder / "one.mkv"
    ffmpeg("-i", plain, "-c", "copy", one)
    ffmpeg("-i", plain, "-c", "copy", "-output_ts_offset", "3600", late)
    ffmpeg("-i", plain, "-c", "copy", matroska)
    for number, parts in enumerate([(one, one), (one, late), (late, one), (matroska, matroska)]):
        path = folder / f"joined{number}{parts[0].suffix}"
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        for fps in (None, 5):
            result = count_clip(path, fps)
            assert events(result) == 2 * events(truth)
            first, second = (result.crossings[start : start + 2] for start in (0, 2))
            for early, again, true in zip(first, second, truth.crossings, strict=True):
                assert early.time_s == pytest.approx(true.time_s, abs=0.15)
                assert again.time_s == pytest.approx(true.time_s + 5, abs=0.15)
            assert (result.frames, result.seconds, result.coverage) == (100, pytest.approx(10), 1.0)


@pytest.mark.parametrize(
    "name", ["bare.h264", "bare.hevc", "reordered.avi", "late.mp4", "before.mkv", "wrap.ts"]
)
def test_stamps_of_all_kinds(folder: Path, plain: Path, truth: FileCount, name: str) -> None:
    path = folder / name
    if path.suffix == ".hevc":
        ffmpeg("-i", plain, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", path)
    elif name == "reordered.avi":
        ffmpeg("-i", plain, *X264, "-bf", "3", path)
    else:
        offset = {"late.mp4": "5000", "before.mkv": "-1", "wrap.ts": "95441"}.get(name)
        ffmpeg("-i", plain, "-c", "copy", *(("-output_ts_offset", offset) if offset else ()), path)
    result = count_clip(path)
    assert_like(result, truth)
    assert (result.frames, result.seconds) == (50, pytest.approx(5, abs=0.06))


def test_the_first_of_two_videos_is_counted_unless_the_file_names_another(
    folder: Path, plain: Path, truth: FileCount
) -> None:
    sharper = make_clip(folder / "sharper.mp4", "noise=alls=40:allf=t,format=yuv420p", *X264[:-1], "4")
    for name, first, flags in (("first.mp4", 0, ("default", "default")), ("named.mp4", 1, ("0", "default"))):
        order = ("-map", first, "-map", 1 - first)
        named = ("-disposition:v:0", flags[0], "-disposition:v:1", flags[1])
        ffmpeg("-i", plain, "-i", sharper, *order, "-c", "copy", *named, folder / name)
        assert_like(count_clip(folder / name), truth)
        connection = ContainerConnection.open(str(folder / name))
        assert connection.stream.index == first
        connection.close()


class _StreamThatJoins:
    """A container in whose end PyAV looks for a stream that joined later."""

    def demux(self, stream: VideoStream) -> Iterator[str]:
        yield "a"
        raise IndexError("list index out of range")


def test_a_stream_that_joins_later_ends_nothing_else() -> None:
    assert list(packets_of(_StreamThatJoins(), None)) == ["a"]  # type: ignore[arg-type, comparison-overlap]
