"""The process of a source: it is told no secret where others see it, and never outlives who started it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from services.core.errors import StreamError
from services.ingest.apart.connection import ApartConnection
from tests.hostile_cameras import hostile_camera, ingesting, measured
from tests.hostile_files import write_grey, write_huge_block, write_huge_sample
from tests.processes import REPOSITORY, wait_until

PARENT = """
import sys
sys.path.insert(0, sys.argv[1])
from services.ingest.apart.connection import ApartConnection
connection = ApartConnection.open(sys.argv[2])
print(connection.pid, flush=True)
for _ in connection.units():
    pass
"""


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_it_ends_when_who_started_it_is_killed():
    with hostile_camera("good") as url:
        command = [sys.executable, "-c", PARENT, str(REPOSITORY), url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            assert not is_gone(pid)
            parent.kill()
        wait_until(lambda: is_gone(pid), 5, "the end of the process")


def test_it_ends_when_who_started_it_is_killed_while_the_camera_is_silent():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/cam"
        command = [sys.executable, "-c", PARENT, str(REPOSITORY), url]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as parent:
            own = psutil.Process(parent.pid)
            wait_until(own.children, 5, "the process of the source")
            (child,) = own.children()
            silent.accept()[0].recv(1)
            parent.kill()
        wait_until(lambda: is_gone(child.pid), 3, "the end of the process")


def test_secrets_are_seen_by_no_other_account(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SIGHTLINE_MONGODB_URI", "mongodb://user:s3cret-database@127.0.0.1/")
    monkeypatch.setenv("YARD", "rtsp://user:s3cret-other-camera@127.0.0.1/")
    with hostile_camera("good") as url:
        connection = ApartConnection.open(url.replace("rtsp://", "rtsp://user:s3cret-camera@"))
        try:
            process = psutil.Process(connection.pid)
            told = " ".join([*process.cmdline(), *process.environ().values()])
            assert "MALLOC_ARENA_MAX" in process.environ()
            assert "s3cret" not in told
            assert next(connection.units()).is_keyframe
        finally:
            connection.close()


def test_closing_ends_the_session_in_order_and_at_once():
    with hostile_camera("good") as url:
        connection = ApartConnection.open(url)
        next(connection.units())
        begun_s = time.monotonic()
        connection.close()
        assert time.monotonic() - begun_s < 1
        assert is_gone(connection.pid)
        assert connection._process.returncode == 0, "it was not killed"
        connection.close()


def test_a_process_that_hangs_is_ended():
    with hostile_camera("good") as url:
        connection = ApartConnection.open(url)
        os.kill(connection.pid, signal.SIGSTOP)
        connection.close()
        assert is_gone(connection.pid)


def test_a_process_that_dies_is_a_degraded_camera_that_comes_back():
    with (
        hostile_camera("good") as url,
        ingesting(url) as running,
        running.hub.reader(running.camera) as reader,
    ):
        first = reader.read(15)
        assert first is not None
        (child,) = [
            process
            for process in psutil.Process().children()
            if "services.ingest.apart.child" in " ".join(process.cmdline())
        ]
        child.send_signal(signal.SIGSEGV)
        assert "ended (code -11)" in running.reason(10)
        while (unit := reader.read(15)) is not None and unit.connection == first.connection:
            pass
        assert unit is not None


def test_a_request_that_is_cut_off_is_no_fault():
    connection = None
    with socket.create_server(("127.0.0.1", 0)) as server:

        def cut() -> None:
            server.accept()[0].close()

        threading.Thread(target=cut, daemon=True).start()
        with pytest.raises(StreamError):
            connection = ApartConnection.open(f"rtsp://127.0.0.1:{server.getsockname()[1]}/cam")
    assert connection is None


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("sample.mp4", write_huge_sample, ("memory",)),
        ("block.mkv", write_huge_block, ("takes more", "in time")),
        ("large.mp4", lambda path: write_grey(path, 12_288, 6_912, 1), ("12288x6912 pixels",)),
    ],
)
def test_a_file_that_claims_too_much(tmp_path: Path, name: str, write, words: tuple[str, ...]):
    write(tmp_path / name)
    with measured() as cost, ingesting(str(tmp_path / name)) as running:
        reason = running.reason(15)
    print(f"{name}: +{cost.memory_mb:.0f} MB, {cost.processor_s:.1f} s; {reason}")
    assert any(word in reason for word in words)
    assert cost.memory_mb < 150
    assert cost.processor_s < 5


def test_a_file_that_names_other_addresses_is_not_followed(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        file = tmp_path / "list.m3u8"
        address = f"http://127.0.0.1:{server.getsockname()[1]}/part.ts"
        file.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{address}\n#EXT-X-ENDLIST\n")
        with pytest.raises(StreamError):
            ApartConnection.open(str(file))
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_file_of_one_picture_begins_anew_without_haste(tmp_path: Path):
    write_grey(tmp_path / "one.mp4", 320, 240, 1)
    with ingesting(str(tmp_path / "one.mp4")) as running, running.hub.reader(running.camera) as reader:
        begun_s, units = time.monotonic(), 0
        while time.monotonic() - begun_s < 3:
            units += reader.read(0.1) is not None
    assert 1 <= units <= 4
