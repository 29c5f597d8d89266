"""What a person sees on the command line when something is wrong: one clear line and exit 2."""

import json
import resource
import socket
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from tests.hostile_files import write_grey
from tests.processes import REPOSITORY

GOOD_LINE = {"id": "main", "x1": 0.1, "y1": 0.5, "x2": 0.9, "y2": 0.5}


def sightline(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "services.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=60)


def refused(*arguments: object) -> str:
    """Run what must be refused; give the one line that says why."""
    result = sightline(*arguments)
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr + result.stdout
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "lines.json"
    path.write_text(json.dumps({"lines": [GOOD_LINE]}))
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=duration=1:size=320x240:rate=5", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-v", "error", *source, str(path)], check=True)
    return path


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ({**GOOD_LINE, "x2": 0.1}, "one point"),
        ({**GOOD_LINE, "y1": 1.5}, "0"),
        ({**GOOD_LINE, "x1": float("nan")}, "x1"),
        ({**GOOD_LINE, "x1": "left"}, "x1"),
        ({"id": "main"}, "main"),
        ({**GOOD_LINE, "id": "Not An Id"}, "id"),
    ],
)
def test_lines_that_cannot_be_used(tmp_path: Path, video: Path, line: dict, word: str):
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({"lines": [line]}))
    assert "line" in refused("count", video, "--lines", path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"lines": []}', '{"lines": 3}', "\x00\x01"])
def test_a_file_that_holds_no_lines(tmp_path: Path, video: Path, text: str):
    path = tmp_path / "bad.json"
    path.write_text(text)
    refused("count", video, "--lines", path)


def test_files_of_lines_that_cannot_be_read(tmp_path: Path, video: Path):
    assert refused("count", video, "--lines", tmp_path / "absent.json").endswith("No such file or directory")
    assert refused("count", video, "--lines", tmp_path).endswith("Is a directory")
    path = tmp_path / "bad.json"
    path.write_bytes(b"\xff\xfe")
    assert "UTF-8" in refused("count", video, "--lines", path)


def test_files_that_are_no_video(tmp_path: Path, lines: Path):
    assert "there is no file" in refused("count", tmp_path / "absent.mp4", "--lines", lines)
    text = tmp_path / "text.mp4"
    text.write_text("not a video")
    assert "no video" in refused("count", text, "--lines", lines)
    sound = tmp_path / "sound.mp4"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", str(sound)]
    subprocess.run(command, check=True)
    assert "no video stream" in refused("count", sound, "--lines", lines)


def test_models_that_are_not_there(tmp_path: Path, video: Path, lines: Path):
    assert "traffic-n" in refused("count", video, "--lines", lines, "--model", "yolo99")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    assert "no ONNX model" in refused("count", video, "--lines", lines, "--model", broken)


def test_lines_of_classes_that_the_model_never_finds(tmp_path: Path, video: Path):
    path = tmp_path / "masks.json"
    path.write_text(json.dumps({"lines": [GOOD_LINE | {"classes": ["no_mask"]}]}))
    assert "counts no_mask, which model 'traffic' never finds" in refused("count", video, "--lines", path)
    config = tmp_path / "up.yaml"
    line = "{id: main, points: [[0.1, 0.5], [0.9, 0.5]], classes: [mask]}"
    config.write_text(f"cameras:\n  - {{id: street, url: demo://traffic, lines: [{line}]}}\n")
    message = refused("up", "--config", config, "--data", tmp_path / "data")
    assert "line 'main' counts mask, which model 'traffic' never finds" in message


def test_outputs_that_cannot_be_written(tmp_path: Path, video: Path, lines: Path):
    assert "cannot be written" in refused(
        "count", video, "--lines", lines, "--json", tmp_path / "no" / "out.json"
    )
    assert "cannot be written" in refused(
        "count", video, "--lines", lines, "--video", tmp_path / "no" / "out.mp4"
    )


def test_detections_that_cannot_be_read(tmp_path: Path, lines: Path):
    path = tmp_path / "detections.jsonl"
    path.write_text('{"frame_id":0,"objects":[]}\n{"frame_id":1}\n')
    assert "line 2" in refused("count", "--detections", path, "--fps", "25", "--lines", lines)
    assert "--fps" in refused("count", "--detections", path, "--lines", lines)
    assert "--fps is 2: give 4 to" in refused("count", "--detections", path, "--fps", "2", "--lines", lines)


def test_pictures_that_cannot_be_read(tmp_path: Path):
    assert "there is no file" in refused("detect", tmp_path / "absent.jpg")
    assert "no picture" in refused("detect", tmp_path)
    path = tmp_path / "text.jpg"
    path.write_text("not a picture")
    assert "no picture" in refused("detect", path)


def test_a_port_in_use(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert "in use" in refused("up", "--port", port, "--data", tmp_path / "data")


@pytest.mark.parametrize(
    "camera", ["no-address", "gate=", "gate=ftp://user:s3cret@host/x", "gate=/absent.mp4", "gate=demo://none"]
)
def test_cameras_that_cannot_be_used(tmp_path: Path, camera: str):
    text = refused("up", "--camera", camera, "--data", tmp_path / "data")
    assert "s3cret" not in text


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("rtsp://u:s3 cret@192.0.2.1/", "camera 'gate': no address may hold a space: write it as %20"),
        ("rtsp://u:s3\u00a0cret@192.0.2.1/", "a no-break space"),
        ("@{folder}/absent", "camera 'gate': the file"),
        ("@{folder}/secret", "no-break space"),
        ("$NO_SUCH_VARIABLE", "the environment variable NO_SUCH_VARIABLE is not set"),
    ],
)
def test_addresses_that_no_camera_may_have(tmp_path: Path, address: str, words: str):
    (tmp_path / "secret").write_text("rtsp://192.0.2.1/?token=s3\u00a0cret\n")
    camera = f"gate={address.format(folder=tmp_path)}"
    text = refused("up", "--camera", camera, "--data", tmp_path / "data")
    assert words in text
    assert "cret" not in text.replace("secret", "")
    config = tmp_path / "up.yaml"
    if not address.startswith(("@", "$")):
        config.write_text(json.dumps({"cameras": [{"id": "gate", "url": address}]}))
        assert words in refused("up", "--config", config, "--data", tmp_path / "data")
        assert words.removeprefix("camera 'gate': ") in refused("doctor", "--camera", address)
    elif address == "@{folder}/secret":
        config.write_text(json.dumps({"cameras": [{"id": "gate", "url_file": str(tmp_path / "secret")}]}))
        assert words in refused("up", "--config", config, "--data", tmp_path / "data")


def test_a_setting_whose_variable_begins_like_a_camera_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SIGHTLINE_CAMERA_PATIENCE_S", "30")
    monkeypatch.setenv("SIGHTLINE_CAMERA_YARD", "http://192.0.2.1/")
    assert "camera 'Yard': " in refused("up", "--data", tmp_path / "data")
    monkeypatch.setenv("SIGHTLINE_CAMERA_PATIENCE_S", "61")
    assert "SIGHTLINE_CAMERA_PATIENCE_S: " in refused("up", "--data", tmp_path / "data")


def test_half_of_a_certificate(tmp_path: Path):
    assert "belong together" in refused(
        "up", "--tls-cert", REPOSITORY / "LICENSE", "--data", tmp_path / "data"
    )


def test_unknown_options_and_commands():
    refused("up", "--no-such-option")
    refused("no-such-command")


def test_a_bench_of_nothing(tmp_path: Path):
    assert "--speed" in refused("bench", "models")
    assert "absent.mp4" in refused("bench", tmp_path / "absent.mp4")
    refused("bench", "--no-such-option")


def test_the_same_file_gives_the_same_result(video: Path, lines: Path, tmp_path: Path):
    reports = []
    for name in ("a.json", "b.json"):
        result = sightline("count", video, "--lines", lines, "--json", tmp_path / name)
        assert result.returncode == 0, result.stderr
        report = json.loads((tmp_path / name).read_text())
        assert (report["clip"], report["frames"]) == ("clip.mp4", 5)
        reports.append({**report, "wall_seconds": 0})
    assert reports[0] == reports[1]


def test_the_annotated_video_holds_every_frame(video: Path, lines: Path, tmp_path: Path):
    output = tmp_path / "out.mp4"
    assert sightline("count", video, "--lines", lines, "--video", output).returncode == 0
    probe = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries"]
    probe += ["stream=nb_read_frames,width", "-of", "csv=p=0", str(output)]
    answer = subprocess.run(probe, capture_output=True, text=True, check=True).stdout
    assert answer.strip() == "320,5"


@pytest.mark.parametrize("command", [("backup", "all.backup"), ("set-password", "admin")])
def test_a_data_folder_that_is_not_there_is_not_made(tmp_path: Path, command: tuple[str, str]) -> None:
    name, target = command
    argument = tmp_path / target if name == "backup" else target
    program = [sys.executable, "-m", "services.cli", name, str(argument), "--data", str(tmp_path / "none")]
    result = subprocess.run(
        program, input="a long new password\n", capture_output=True, text=True, cwd=REPOSITORY, timeout=60
    )
    assert result.returncode == 2 and "name that of `up` with --data" in result.stderr
    assert not list(tmp_path.iterdir())


def bomb(path: Path, side: int) -> None:
    """A black picture of few bytes on the disk and many pixels."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", data), (b"IEND", b"")]
    body = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(body))


@pytest.mark.parametrize("side", [9_000, 30_000])
def test_a_small_file_that_unfolds_into_a_large_picture(tmp_path: Path, side: int):
    bomb(tmp_path / "bomb.png", side)
    before_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert "megapixels" in refused("detect", tmp_path / "bomb.png")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before_s < 10


def test_a_picture_is_bounded_also_where_its_size_is_not_found_out_before(tmp_path: Path):
    """OpenCV itself refuses it; a process of its own, since it reads the limit when it is loaded."""
    bomb(tmp_path / "bomb.png", 9_000)
    code = "import sys, services.cli, cv2; cv2.imread(sys.argv[1])"
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "bomb.png")],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=60,
    )
    assert "CV_IO_MAX_IMAGE_PIXELS" in result.stderr


def test_a_video_of_large_pictures(tmp_path: Path, lines: Path):
    write_grey(tmp_path / "large.mp4", 12_288, 6_912, 1)
    assert "12288x6912 pixels" in refused("count", tmp_path / "large.mp4", "--lines", lines)
