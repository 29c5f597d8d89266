"""A real NATS server for tests: a process of its own, ended by its pid."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.cli.bootstrap.material import NATS_USERS
from tests.processes import REPOSITORY, free_port

ADMIN = "admin"
"""A user of tests alone, who may do everything."""


@dataclass
class NatsServer:
    """A server that can be killed, stopped, and started again on its port, with or without its disk."""

    folder: Path
    port: int = field(default_factory=free_port)
    user: str = ""
    password: str = ""
    users: dict[str, str] = field(default_factory=dict)
    """Passwords of the users of configmaps/nats-users.conf, and of `admin`, who may do everything."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        login = f"{self.user}:{self.password}@" if self.user else ""
        return f"nats://{login}127.0.0.1:{self.port}"

    def url_of(self, role: str) -> str:
        """The address with the login of a service, where there are users."""
        login = f"{role}:{self.users[role]}@" if self.users else ""
        return f"nats://{login}127.0.0.1:{self.port}" if login else self.url

    def start(self) -> None:
        """Begin to serve; returns when it answers."""
        program = Path(sys.executable).with_name("nats-server")
        command = [program, "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self.folder)]
        if self.users:
            command += ["--config", str(write_users(self.folder.parent / f"nats-{self.port}", self.users))]
        if self.user:
            command += ["--user", self.user, "--pass", self.password]
        with (self.folder.parent / f"nats-{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline_s = time.monotonic() + 10
        while time.monotonic() < deadline_s:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                    if probe.recv(4) == b"INFO":
                        return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("nats-server did not start")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None

    def rewrite(self, change: Callable[[str], str], user: str = "") -> None:
        """Change what it knows of users while it runs: its permissions, or the password file of a user."""
        assert self.process is not None, "start it first"
        folder = self.folder.parent / f"nats-{self.port}"
        file = folder / (f"secrets/nats-{user}/auth.conf" if user else "config/nats-users.conf")
        text = file.read_text(encoding="utf-8")
        assert change(text) != text, "nothing changes"
        file.write_text(change(text), encoding="utf-8")
        self.process.send_signal(signal.SIGHUP)

    def pause(self) -> None:
        """Let it stand still with its connections open, until it is resumed or killed."""
        assert self.process is not None, "start it first"
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self.process is not None, "start it first"
        self.process.send_signal(signal.SIGCONT)

    def lose_disk(self) -> None:
        """Remove what the ended server has stored."""
        assert self.process is None, "kill it first"
        shutil.rmtree(self.folder)
        os.mkdir(self.folder)


def new_users() -> dict[str, str]:
    """Passwords for the users of the services and for `admin`."""
    return {user: secrets.token_urlsafe(16) for user in (*NATS_USERS, ADMIN)}


def write_users(folder: Path, users: Mapping[str, str]) -> Path:
    """Write what the server knows of users, as it ships, with `admin` beside them; give the file."""
    config = folder / "config/nats-users.conf"
    config.parent.mkdir(parents=True, exist_ok=True)
    text = (REPOSITORY / "configmaps/nats-users.conf").read_text(encoding="utf-8")
    admin = f'  users: [\n    {{user: {ADMIN}, password: "{users[ADMIN]}"}}\n'
    config.write_text(text.replace("  users: [\n", admin, 1), encoding="utf-8")
    for user in NATS_USERS:
        fragment = folder / f"secrets/nats-{user}/auth.conf"
        fragment.parent.mkdir(parents=True, exist_ok=True)
        fragment.write_text(f'{user}_password: "{users[user]}"\n', encoding="utf-8")
    return config


@contextmanager
def nats_server(
    folder: Path, user: str = "", password: str = "", users: Mapping[str, str] | None = None
) -> Iterator[NatsServer]:
    """A server for the length of a test, which stores in a new folder within `folder`."""
    storage = folder / "nats"
    storage.mkdir()
    server = NatsServer(storage, user=user, password=password, users=dict(users or {}))
    server.start()
    try:
        yield server
    finally:
        server.kill()
