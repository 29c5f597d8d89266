"""The database of `sightline up` on one machine: a process of its own, with its data in the data folder.

`mongod` where the machine has one, else SecantusDB's daemon (docs/adr/0004). Both speak MongoDB's wire
protocol on a free port of the loopback address to whoever has the password of the data folder, sync each
commit, and end with this process.
"""

import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import OperationFailure, PyMongoError

from services.cli.data_folder import DataFolder
from services.cli.embedded_account import (
    address_of,
    make_account,
    secret_password,
    with_login,
    wrong_password,
)
from services.cli.embedded_program import Kind, Program, choose_program, end_process
from services.cli.embedded_watchdog import DatabaseWatchdog
from services.common.connections.addresses import loopback
from services.common.connections.listening import listen
from services.common.database.link import DATABASE_NAME, DURABLE, LOGIN_REFUSED, NOT_ALLOWED
from services.common.database.probe import PROBE_ID
from services.common.database.schema import META
from services.common.tasks import kept_running
from services.core.sentences.sentence import Sentence

START_DEADLINE_S = 30.0


@dataclass(slots=True)
class RunningDatabase:
    """A database process that is kept running until it is closed."""

    uri: str = field(repr=False)
    """Its address with the password."""
    port: int
    _program: Program
    _folder: DataFolder
    _process: subprocess.Popen[bytes]
    _watchdog: DatabaseWatchdog = field(init=False)
    _closing: bool = False
    restarts: int = 0

    def __post_init__(self) -> None:
        """Make what watches it."""
        self._watchdog = DatabaseWatchdog(self)

    @property
    def kind(self) -> Kind:
        """Which program it is."""
        return self._program.kind

    @property
    def pid(self) -> int:
        """The process that holds the data now."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How the process ended; None while it lives."""
        return self._process.poll()

    @property
    def free_bytes(self) -> int:
        """What is free on the disk of the data folder."""
        return self._folder.free_bytes

    @property
    def folder(self) -> Path:
        """The data folder."""
        return self._folder.path

    @property
    def trouble(self) -> Sentence | None:
        """Why it does not work, where that is known here; None while it does."""
        return self._watchdog.trouble

    def bound_log(self) -> None:
        """Keep what it has said within a bound."""
        self._folder.bound_log()

    def damaged(self) -> Sentence:
        """Name files that it cannot use, and the way out."""
        return self._folder.damaged(self._folder.last_log_line())

    async def watch(self) -> None:
        """Start the database again, on the same port, whenever it dies or does not work. Runs until `close`.

        Must run on the main thread's event loop: Linux ends the database with the thread that started it.
        """
        watchdog, name = self._watchdog, "the watch over the database"
        await kept_running(watchdog.run, name, lambda: self._closing, watchdog.note_failure)

    @property
    def is_closing(self) -> bool:
        """Whether it is to end."""
        return self._closing

    def end(self) -> None:
        """End the process; `begin` starts the next. Blocks for as long as that takes."""
        end_process(self._process)

    def begin(self) -> None:
        """Start the process that follows one that ended."""
        self._process = self._program.start(self.port, self._folder)
        self.restarts += 1

    def wait_until_ready(self) -> None:
        """Wait until it reads and writes; DatabaseUnavailableError or BadInputError says why it does not."""
        _wait_until_ready(self._process, self.uri, self._folder)

    def close(self) -> None:
        """End the process in order and give the data folder free. Safe to call again."""
        self._closing = True
        end_process(self._process)
        self._folder.close()


def start_database(data_folder: Path) -> RunningDatabase:
    """Start the database of a data folder and wait until it works. Call it on the main thread.

    BadInputError when the folder cannot be used: not writable, no space left, in use by another Sightline,
    or damaged. DatabaseUnavailableError when the database does not answer in time.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("the database ends with the thread that starts it: start it on the main thread")
    folder = DataFolder.claim(data_folder)
    try:
        return _start(folder)
    except OSError as error:
        folder.close()
        raise folder.unusable(error) from error
    except BaseException:
        folder.close()
        raise


def _start(folder: DataFolder) -> RunningDatabase:
    program = choose_program(folder.database_path)
    password = secret_password(folder.password_path)
    program.storage.mkdir(mode=0o700, parents=True, exist_ok=True)
    if password is None:
        password = make_account(program, folder)
    port = _free_port()
    uri = with_login(address_of(port), password)
    process = program.start(port, folder)
    try:
        _wait_until_ready(process, uri, folder)
        folder.announce_database(address_of(port))
    except BaseException:
        end_process(process)
        raise
    return RunningDatabase(uri, port, program, folder, process)


def _free_port() -> int:
    with listen(loopback(), 0) as probe:
        return int(probe.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], uri: str, folder: DataFolder) -> None:
    """Wait until a document can be written and read: a database may answer pings and do neither."""
    deadline_s = time.monotonic() + START_DEADLINE_S
    client: MongoClient[dict[str, object]]
    with MongoClient(uri, serverSelectionTimeoutMS=500, socketTimeoutMS=10_000) as client:
        meta: Collection[dict[str, object]] = client[DATABASE_NAME].get_collection(
            META, write_concern=DURABLE
        )
        while time.monotonic() < deadline_s:
            if process.poll() is not None:
                folder.check_space()
                raise folder.damage_or(f"the database ended at its start: {folder.last_log_line()}")
            try:
                meta.find_one_and_update({"_id": PROBE_ID}, {"$set": {"start": time.time()}}, upsert=True)
                return
            except OperationFailure as error:
                if error.code in (LOGIN_REFUSED, NOT_ALLOWED):
                    raise wrong_password(folder.password_path) from None
                time.sleep(0.2)
            except PyMongoError:
                time.sleep(0.05)
    folder.check_space()
    raise folder.damage_or(
        f"the database did not answer within {START_DEADLINE_S:g} s; {folder.log_path} may say why"
    )
