"""All services of a system as processes of their own, for tests that kill, stop and restart them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.database_server import DatabaseServer
from tests.nats_server import NatsServer, new_users
from tests.processes import REPOSITORY, free_port, wait_until

START_TIMEOUT_S = 60.0
END_TIMEOUT_S = 20.0


@dataclass
class Service:
    """One `sightline serve`, which may be killed, stopped and started again on its ports."""

    name: str
    role: str
    arguments: list[str]
    environment: dict[str, str]
    log: Path
    ports: dict[str, int]
    process: subprocess.Popen[bytes] | None = None

    @property
    def health_url(self) -> str:
        port = self.ports["port"] if self.role == "web" else self.ports["health-port"]
        return f"http://127.0.0.1:{port}"

    def url(self, port: str = "port", scheme: str = "http") -> str:
        """The address of one of its ports."""
        return f"{scheme}://127.0.0.1:{self.ports[port]}"

    def start(self) -> None:
        """Begin; does not wait until it answers."""
        command = [sys.executable, "-m", "services.cli", "serve", self.role, *self.arguments]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env=self.environment, cwd=REPOSITORY
            )

    def send(self, number: signal.Signals) -> None:
        """Send a signal: SIGSTOP freezes it, SIGCONT wakes it."""
        assert self.process is not None, f"{self.name} does not run"
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> int:
        """End it as Kubernetes would, and give its exit code."""
        assert self.process is not None, f"{self.name} does not run"
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(END_TIMEOUT_S)
        self.process = None
        return code

    def text(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def is_ready(self) -> bool:
        """Whether `/readyz` says so; fails when the process has ended."""
        assert self.process is not None and self.process.poll() is None, f"{self.name} ended: {self.text()}"
        try:
            return httpx.get(f"{self.health_url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def metric(self, name: str) -> float | None:
        """The sum of a figure over its labels, None when it is not told."""
        lines = httpx.get(f"{self.health_url}/metrics", timeout=5).text.splitlines()
        values = [
            float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{"))
        ]
        return sum(values) if values else None


PORTS = {
    "ingest": ("port", "video-port", "health-port"),
    "detector": ("port", "mjpeg-port", "health-port"),
    "store": ("health-port",),
    "web": ("port",),
    "rtsp": ("port", "health-port"),
}


@dataclass
class Cluster:
    """NATS, a database and services, all on loopback."""

    folder: Path
    nats: NatsServer
    database: DatabaseServer
    services: dict[str, Service] = field(default_factory=dict)

    def add(self, name: str, *options: str, **environment: str) -> Service:
        """Start one more service; its role is its name without a number."""
        role = name.rstrip("0123456789")
        ports = {option: free_port() for option in PORTS[role]}
        arguments = [text for option, port in ports.items() for text in (f"--{option}", str(port))]
        variables = {key: value for key, value in os.environ.items() if not key.startswith("SIGHTLINE_")}
        variables |= {
            "SIGHTLINE_NATS_URL": self.nats.url_of(role),
            "SIGHTLINE_MONGODB_URI": self.database.uri,
        }
        service = Service(
            name, role, [*arguments, *options], variables | environment, self.folder / f"{name}.log", ports
        )
        self.services[name] = service
        service.start()
        return service

    def __getitem__(self, name: str) -> Service:
        return self.services[name]

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until all services say that they are ready."""
        for service in self.services.values():
            wait_until(service.is_ready, timeout_s, f"{service.name} is ready; its log: {service.text()}")

    @property
    def api(self) -> httpx.Client:
        """A client of the web service."""
        return httpx.Client(base_url=self["web"].url(), timeout=20)

    def end(self) -> None:
        """Kill everything that still runs."""
        for service in self.services.values():
            service.kill()
        self.nats.kill()
        self.database.kill()


@contextmanager
def cluster(folder: Path, *names: str, **environment: str) -> Iterator[Cluster]:
    """NATS with the users that ship, a database and the named services for the length of a test.

    What NATS refuses a service at any time fails the test.
    """
    (folder / "nats").mkdir()
    server = NatsServer(folder / "nats", users=new_users())
    running = Cluster(folder, server, DatabaseServer(folder / "database"))
    try:
        running.nats.start()
        running.database.start()
        for name in names:
            running.add(name, **environment)
        running.wait_ready()
        yield running
        for service in running.services.values():
            refused = [line for line in service.text().splitlines() if "NATS refuses" in line]
            assert not refused, f"{service.name}: {refused}"
    except AssertionError:
        for service in running.services.values():
            print(f"--- {service.name}\n{service.text()[-3000:]}")
        raise
    finally:
        running.end()


def elapsed_s(began_s: float) -> float:
    """Seconds since a moment of the monotonic clock."""
    return time.monotonic() - began_s
