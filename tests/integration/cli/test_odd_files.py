"""Files as people have them: their names, what is missing of them, and the video that is written of them."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from services.core.errors import BadInputError
from services.detector.decode.file import VideoFile
from tests.odd_clips import X264, count_clip, events, ffmpeg, make_clip
from tests.processes import REPOSITORY

LINE = '{"lines": [{"id": "main", "x1": 0.1, "y1": 0.5, "x2": 0.9, "y2": 0.5}]}'
NAMES = (
    "12:30.mp4",
    "rtsp:x.mp4",
    "file:x.mp4",
    "-x.mp4",
    "a %03d #?.mp4",
    "[red]\n.mp4",
    "\udcff\udcfe.mp4",
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


def sightline(folder: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "services.cli", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=60)


def probed(path: Path, entries: str) -> str:
    command = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", entries, "-of", "csv=p=0"]
    return subprocess.run(
        [*command, f"file:{path}"], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_nothing_but_a_name(clip: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(clip.read_bytes())
    assert len(events(count_clip(Path(name)))) == 2


def test_the_written_video_lasts_as_long_as_its_source(clip: Path, tmp_path: Path) -> None:
    uneven, folder = tmp_path / "12:30.mp4", tmp_path / "a:b"
    folder.mkdir()
    ffmpeg("-i", clip, "-vf", "select='lt(n,20)+not(mod(n,4))'", "-vsync", "vfr", *X264, f"file:{uneven}")
    (tmp_path / "lines.json").write_bytes(b"\xef\xbb\xbf" + LINE.encode())
    for source, option, pictures in ((clip, ("--fps", "5"), 25), (uneven, (), 28)):
        output = folder / f"{source.name}.out.mp4"
        options = ("--lines", "lines.json", "--json", "a:b/counts.json", "--video", f"a:b/{output.name}")
        result = sightline(tmp_path, "count", source.name if source == uneven else source, *options, *option)
        assert (result.returncode, result.stderr) == (0, "")
        length_s = float(probed(source, "stream=duration"))
        duration_s, frames = probed(output, "stream=duration,nb_frames").split(",")
        assert float(duration_s) == pytest.approx(length_s, abs=0.002)
        assert int(frames) == pictures
        report = json.loads((folder / "counts.json").read_text())
        assert (report["seconds"], report["coverage"]) == (pytest.approx(length_s, abs=0.002), 1.0)


def test_a_file_that_is_cut_off_is_counted_as_far_as_it_goes(clip: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    ffmpeg("-i", clip, "-c", "copy", "-movflags", "faststart", whole)
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.6)])
    (tmp_path / "lines.json").write_text(LINE, encoding="utf-16")
    result = sightline(tmp_path, "count", "cut.mp4", "--lines", "lines.json", "--json", "counts.json")
    assert result.returncode == 0
    (warning,) = result.stderr.splitlines()
    assert warning.startswith("warning: cut.mp4: ") and "the file is cut off" in warning
    report = json.loads((tmp_path / "counts.json").read_text())
    (gap,) = report["gaps"]
    assert gap == {"from": report["seconds"], "to": 5.0, "cause": "cut-off"}
    assert (
        report["coverage"] == pytest.approx(report["seconds"] / 5, abs=0.001)
        and 0.3 < report["coverage"] < 0.9
    )


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_damage_in_the_middle_is_a_gap(clip: Path, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"damaged{suffix}"
    options = ("-cluster_time_limit", "1000") if suffix == ".mkv" else ()
    ffmpeg("-i", clip, "-c", "copy", *options, path)
    data = bytearray(path.read_bytes())
    middle, span = len(data) // 2, len(data) // 10
    data[middle : middle + span] = random.Random(5).randbytes(span)
    path.write_bytes(data)
    result = count_clip(path)
    assert result.gaps and 0.3 < result.coverage < 0.98
    assert result.seconds == pytest.approx(5, abs=0.2) and result.frames > 30


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg2video"])
def test_what_stands_on_packets_that_are_lost_is_a_gap(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "lost.ts"
    quiet = ("-x265-params", "log-level=none:keyint=10") if codec == "libx265" else ("-g", "10", "-r", "25")
    make_clip(path, "noise=alls=20:allf=t,format=yuv420p", "-c:v", codec, "-preset", "ultrafast", *quiet)
    data = path.read_bytes()
    packets = [data[start : start + 188] for start in range(0, len(data), 188)]
    path.write_bytes(b"".join(packet for number, packet in enumerate(packets) if number % 97 != 50))
    result = count_clip(path)
    assert result.coverage < 0.6
    assert sum(gap.to_s - gap.from_s for gap in result.gaps) > 2
    assert max(result.seconds, result.gaps[-1].to_s) == pytest.approx(5, abs=0.2)


@pytest.mark.parametrize("share", [0.6, 0.8])
@pytest.mark.parametrize("codec", ["libx264", "mjpeg"])
def test_an_avi_that_is_cut_off_knows_how_long_it_was(tmp_path: Path, share: float, codec: str) -> None:
    path = make_clip(tmp_path / "whole.avi", "format=yuvj420p", "-c:v", codec, "-g", "10")
    assert (count_clip(path).coverage, count_clip(path).gaps) == (1.0, [])
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    result = count_clip(path)
    assert result.coverage == pytest.approx(result.seconds / 5, abs=0.03) and result.coverage < 0.9
    assert result.gaps[-1].cause == "cut-off" and result.gaps[-1].to_s == pytest.approx(5, abs=0.1)


def test_results_are_not_written_over_what_they_are_made_of(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "link.mp4").symlink_to("clip.mp4")
    (tmp_path / "lines.json").write_text(LINE)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for options, words in (
        (("--video", "clip.mp4"), "is what is read"),
        (("--video", "./link.mp4"), "is what is read"),
        (("--json", "clip.mp4"), "is what is read"),
        (("--json", "lines.json"), "is what is read"),
        (("--json", "new", "--video", f"{tmp_path}/new"), "twice"),
        (("--json", "missing/new.json"), "there is no folder missing"),
        (("--video", "."), "is a folder"),
    ):
        result = sightline(tmp_path, "count", "clip.mp4", "--lines", "lines.json", *options)
        assert result.returncode == 2 and words in result.stderr and result.stderr.count("\n") == 1
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("options", [("--save", "."), ("--json", "a.png")])
def test_pictures_are_not_written_over(tmp_path: Path, options: tuple[str, str]) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=320x180", "-frames:v", "1", tmp_path / "a.png")
    before = (tmp_path / "a.png").read_bytes()
    result = sightline(tmp_path, "detect", ".", *options)
    assert result.returncode == 2 and "is read: give another" in result.stderr
    assert (tmp_path / "a.png").read_bytes() == before


def _sound(path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", path)


def _still(path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=d=1:r=1", "-frames:v", "1", path.with_suffix(".jpg"))
    path.with_suffix(".jpg").rename(path)


def _without_index(path: Path) -> None:
    make_clip(path)
    path.write_bytes(path.read_bytes()[:5_000])


def _unknown(path: Path) -> None:
    make_clip(path)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz1"))


NO_VIDEOS = {
    "nothing here decodes its video": _unknown,
    "is a folder": Path.mkdir,
    "is no ordinary file": os.mkfifo,
    "is empty": Path.touch,
    "has no video stream": _sound,
    "is a picture: `sightline detect` takes it": _still,
    "is cut off: the index": _without_index,
    "is no video that can be read": lambda path: path.write_text("hello"),
    "there is no file": lambda path: None,
}


@pytest.mark.parametrize("words", NO_VIDEOS)
def test_what_is_no_video_is_said(tmp_path: Path, words: str) -> None:
    path = tmp_path / "film.mp4"
    NO_VIDEOS[words](path)
    with pytest.raises(BadInputError) as error:
        VideoFile(path)
    assert words in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)
