"""A real database server for tests: a process of its own, ended by its pid."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

START_TIMEOUT_S = 40.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class DatabaseServer:
    """One server on a fixed port and folder; it may be killed and started again."""

    def __init__(self, folder: Path, tls: tuple[Path, Path] | None = None) -> None:
        """`tls` is a certificate and its key, with which it speaks to nobody in plain text."""
        self.folder, self.port = folder, free_port()
        self._tls = ["--tls-cert-file", tls[0], "--tls-key-file", tls[1]] if tls else []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/?directConnection=true"

    def start(self) -> None:
        program = Path(sys.executable).with_name("secantusd-py")
        place = ["--host", "127.0.0.1", "--port", str(self.port), "--storage-path", str(self.folder)]
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, *place, *self._tls, "--sync-on-commit"],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end_s:
            assert self._process.poll() is None, "the database server ended at once"
            with socket.socket() as probe:
                probe.settimeout(0.5)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the database server did not start")

    def end(self, sign: signal.Signals = signal.SIGTERM) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            os.kill(process.pid, sign)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.end(signal.SIGKILL)
