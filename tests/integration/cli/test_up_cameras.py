"""Cameras of the command line: their secrets are seen nowhere, and files are theirs alone to open."""

import subprocess
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from tests.processes import platform, wait_until


def _last_error(api: httpx.Client, camera: str) -> str:
    """Wait until a camera is degraded and give the reason."""
    state = wait_until(
        lambda: (body := api.get(f"cameras/{camera}").json()).get("status") == "degraded" and body,
        30,
        f"{camera} is degraded",
    )
    return str(state["last_error"])  # type: ignore[index]


def _command_of(process: psutil.Process) -> str:
    """The command line as everybody on the machine sees it; one that has just ended has none."""
    with suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


def test_secrets_are_seen_nowhere_and_files_belong_to_whoever_starts_it(tmp_path: Path) -> None:
    video = tmp_path / "street.mp4"
    source = [
        "-f",
        "lavfi",
        "-i",
        "testsrc=duration=2:size=320x240:rate=10",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "0",
    ]
    subprocess.run(["ffmpeg", "-v", "error", *source, "-bf", "0", str(video)], check=True)
    (tmp_path / "yard.url").write_text("rtsp://u:pa55-s3cret@127.0.0.1:1/s?token=t0k-s3cret\n")
    (tmp_path / "yard.url").chmod(0o600)
    options = ["--camera", "gate=$GATE_URL", "--camera", f"yard=@{tmp_path}/yard.url"]
    secret = {"GATE_URL": "rtsp://127.0.0.1:1/user=a_password=b@s3cret_channel=1"}
    with (
        platform(tmp_path / "data", *options, "--camera", f"street={video}", environment=secret) as up,
        httpx.Client(base_url=f"{up.url}/api/v1/", timeout=20) as api,
    ):
        wait_until(lambda: api.get("cameras/street").json().get("status") == "live", 60, "the file is live")
        texts = [_last_error(api, "gate"), _last_error(api, "yard"), api.get("cameras").text]
        texts += [httpx.get(f"{up.url}/metrics", timeout=20).text, up.text()]
        process = psutil.Process(up.process.pid)
        texts += [_command_of(one) for one in (process, *process.children(recursive=True))]
        assert len(texts) > 6, "the database is a process too"
        assert not [text for text in texts if "s3cret" in text]
        refused = api.post("cameras", json={"url": str(video)})
        assert refused.status_code == 422
        assert "file_camera_folders" in refused.json()["detail"]
        (tmp_path / "there.onnx").touch()
        refusals = set()
        for name in ("there.onnx", "absent.onnx", "there", "absent"):
            answer = api.post("cameras", json={"url": "demo://traffic", "model": str(tmp_path / name)})
            assert answer.status_code == 422
            asked, _, reason = answer.json()["detail"].partition(": give one of ")
            assert asked.startswith("unknown model ")  # and what was asked for, which may be cut
            refusals.add(reason)
        assert len(refusals) == 1 and "model_folders" in refusals.pop()
    folders = {"SIGHTLINE_FILE_CAMERA_FOLDERS": str(tmp_path / "clips")}
    with (
        platform(tmp_path / "data", environment=folders) as up,
        httpx.Client(base_url=f"{up.url}/api/v1/", timeout=20) as api,
    ):
        wait_until(lambda: api.get("cameras/street").status_code == 200, 60, "the cameras are there")
        assert "file_camera_folders" in _last_error(api, "street")
