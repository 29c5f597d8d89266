"""One service as a process of its own: its health port, its connection to the others, and its end."""

import asyncio
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

from nats.aio.client import Client

from services.cli.running import RunningTasks
from services.common.bus.nats.bus import NatsBus, nats_bus
from services.common.bus.nats.connection import Refusals, nats_connection, password_of, why_closed
from services.common.connections.addresses import is_loopback
from services.common.connections.listening import listen
from services.common.http.bounds import HttpLimits
from services.common.http.health import LoopHeartbeat, health_app
from services.common.http.server import HttpServer
from services.common.leases.nats.store import NatsLeaseStore
from services.common.leases.protocol import Role
from services.common.metrics import Figure
from services.common.settings.service import nats_url
from services.core.errors import BusUnavailableError
from services.core.sentences.sentence import Sentence, sentence

BEAT_S = 1.0

HEALTH_LIMITS = HttpLimits(connections=64, client_connections=32, body_bytes=1024)
"""Probes and figures: few ask, and nobody sends anything."""


@dataclass(frozen=True, slots=True)
class Link:
    """How a service meets the others."""

    bus: NatsBus
    leases: NatsLeaseStore
    client: Client


def _nothing() -> Sequence[Sentence]:
    return ()


def _no_figures() -> Iterator[Figure]:
    yield from ()


@dataclass
class ServiceProcess:
    """Runs a service until SIGTERM or SIGINT; the health port answers from the first moment to the last."""

    role: Role
    host: str
    health_port: int | None
    """None: the service answers these questions on its main port."""
    missing: Callable[[], Sequence[Sentence]] = _nothing
    """What keeps the service from its work, beside the message server."""
    figures: Callable[[], Iterator[Figure]] = _no_figures
    member_id: str = field(init=False)
    _url: str = field(init=False, repr=False)
    _link: Link | None = None
    _refusals: Refusals = field(default_factory=Refusals)
    _heartbeat: LoopHeartbeat = field(default_factory=LoopHeartbeat)
    _started_s: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        """Check what can be checked before anything runs; BadInputError says what is wrong."""
        self._url = nats_url()
        self.member_id = f"{self.role}-{socket.gethostname()}-{secrets.token_hex(3)}"

    async def run(self, serve: Callable[[Link], Awaitable[None]]) -> None:
        """Connect, and let `serve` work until it is cancelled; it ends its own parts in order."""
        tasks = RunningTasks()
        if self.health_port is not None:
            listening = listen(self.host, self.health_port, "--health-port")
            tasks.start("health", self._health_server().run_until_cancelled(listening))
        tasks.start("heartbeat", self._beat())
        tasks.start(self.role, self._serve(serve))
        try:
            await tasks.until_stopped()
        finally:
            await tasks.end(("heartbeat", self.role, "health"))

    async def _serve(self, serve: Callable[[Link], Awaitable[None]]) -> None:
        async with (
            nats_connection(self._url, self.member_id, self.role, self._refusals) as client,
            nats_bus(client, role=self.role, secret=password_of(self._url)) as bus,
        ):
            self._link = Link(bus, NatsLeaseStore(client, role=self.role), client)
            await serve(self._link)

    async def _beat(self) -> None:
        while True:
            self._heartbeat.beat()
            if self._link is not None and self._link.client.is_closed:
                raise BusUnavailableError(why_closed(self._link.client))
            await asyncio.sleep(BEAT_S)

    def _health_server(self) -> HttpServer:
        app = health_app(
            missing=self.all_missing,
            figures=self.all_figures,
            heartbeat=self._heartbeat,
            is_loopback=is_loopback(self.host),
        )
        return HttpServer(app, limits=HEALTH_LIMITS)

    def all_missing(self) -> Sequence[Sentence]:
        """Give what keeps the service from its work."""
        if self._link is None or not self._link.client.is_connected:
            return (*(self.refused() or (sentence("nats-away"),)), *self.missing())
        return (*self.refused(), *self.missing())

    def refused(self) -> Sequence[Sentence]:
        """Give what NATS refuses this service: its login, or what its user has no permission for."""
        return self._refusals.missing()

    def all_figures(self) -> Iterator[Figure]:
        """Give the figures of this moment."""
        yield Figure("sightline_info", 1, {"service": self.role, "version": version("sightline")})
        yield Figure("sightline_start_time_seconds", self._started_s)
        link = self._link
        yield Figure("sightline_nats_up", float(link is not None and link.client.is_connected))
        if link is not None:
            yield from link.bus.figures()
        yield from self.figures()
