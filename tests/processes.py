"""Processes that tests start on loopback and end by pid."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
CAMERA_SCRIPT = REPOSITORY / "tests" / "fixtures" / "rtsp_camera.py"


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], object], timeout_s: float, what: str) -> object:
    """Ask again and again until the answer is true; fails with what was waited for."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"not within {timeout_s:g} s: {what}")


@dataclass
class Camera:
    """An RTSP camera that can be killed and started again on its port."""

    python: str
    file: Path
    user: str = ""
    password: str = ""
    began_s: float | None = None
    """When the file began to play; None: with each first client."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        login = f"{self.user}:{self.password}@" if self.user else ""
        return f"rtsp://{login}127.0.0.1:{self.port}/cam"

    def start(self) -> None:
        """Begin to serve; returns when it listens."""
        command = [self.python, str(CAMERA_SCRIPT), str(self.file), "--port", str(self.port)]
        if self.user:
            command += ["--user", self.user, "--password", self.password]
        if self.began_s is not None:
            command += ["--began", str(self.began_s)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith("rtsp://"), "the camera did not start"

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None


@contextmanager
def camera(
    python: str, file: Path, user: str = "", password: str = "", began_s: float | None = None
) -> Iterator[Camera]:
    """A camera for the length of a test."""
    running = Camera(python, file, user, password, began_s)
    running.start()
    try:
        yield running
    finally:
        running.kill()


@dataclass
class Platform:
    """A `sightline up` with its log."""

    port: int
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def text(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")


@contextmanager
def platform(
    data: Path,
    *arguments: str,
    port: int | None = None,
    environment: dict[str, str] | None = None,
    program: str = "services.cli",
) -> Iterator[Platform]:
    """Run `sightline up` for the length of a test, ended as systemd would; `program` is its module."""
    port = port or free_port()
    log = data.with_suffix(f".{port}.{time.monotonic_ns()}.log")
    command = [
        sys.executable,
        "-m",
        program,
        "up",
        "--port",
        str(port),
        "--data",
        str(data),
        *arguments,
    ]
    variables = {k: v for k, v in os.environ.items() if not k.startswith("SIGHTLINE_")}
    variables |= {f"SIGHTLINE_{name}_PORT": "0" for name in ("JSON", "MJPEG", "RELAY", "ANNOTATED")}
    variables |= environment or {}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=variables, cwd=REPOSITORY
        )
    running = Platform(port, log, process)
    try:
        wait_until(lambda: _answers(running), 60, f"sightline up answers; its log: {running.text()}")
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        finally:
            process.kill()


def _answers(running: Platform) -> bool:
    if running.process.poll() is not None:
        raise AssertionError(f"sightline up ended with {running.process.returncode}: {running.text()}")
    try:
        socket.create_connection(("127.0.0.1", running.port), 1).close()
    except OSError:
        return False
    return True
