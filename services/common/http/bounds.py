"""What bounds every HTTP port: bodies by size and time, connections and requests by number."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.access.throttle import network_of
from services.common.connections.addresses import plain_address
from services.common.http.guard import PORT_HEADERS, adding
from services.common.http.problems import RefusedRequestError, problem, problem_of_http
from services.common.settings.files import ConnectionSettings
from services.core.sentences.sentence import sentence

HEALTH_PATHS = ("/healthz", "/readyz")
"""What is answered where nothing else can be."""

HEAD_LIMIT_BYTES = 16_384
PIPELINE_LIMIT_BYTES = 65_536
"""What may wait of further requests while one is being answered."""

MOST_PARTS = 10_000
"""Parts of one body, as chunks or as they come over the network: each costs as much as many bytes."""

RETRY_AFTER = {"Retry-After": "2"}


class Clients(Protocol):
    """Finds out who sends a request, also from behind a proxy."""

    def is_proxy(self, peer: str) -> bool:
        """Return whether an address is a proxy's that is believed."""

    def address(self, scope: Scope) -> str:
        """Give the client's address as the proxy forwards it; where there is no proxy, the peer's."""


class Peers:
    """Takes the other end of a connection for the client: no proxy is in front."""

    def is_proxy(self, peer: str) -> bool:
        """No address is a proxy's."""
        return False

    def address(self, scope: Scope) -> str:
        """Give the other end of the connection."""
        return str((scope.get("client") or ("",))[0])


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The bounds of one port."""

    connections: int = 500
    """At once; fewer where the system allows few file descriptors."""
    client_connections: int = 100
    """At once from one address; behind a proxy this many requests at once for an address that it forwards."""
    reserve: int = 16
    """Connections beyond, which may ask for nothing but health."""
    head_s: float = 10.0
    """How long the head of a request may take, from its first byte on; for the first one from connecting."""
    handshake_s: float = 10.0
    """How long agreeing on TLS may take."""
    body_s: float = 30.0
    """How long the body of a request may take as a whole."""
    body_bytes: int = 1_000_000
    all_bodies_bytes: int = 32_000_000
    """Of all bodies that are in memory at once."""
    small_bodies: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Bytes of a body by method and path, where it may be even less."""

    def bytes_of(self, method: str, path: str) -> int:
        """Give how long the body of a request may be."""
        return self.small_bodies.get((method, path.rstrip("/")), self.body_bytes)


def http_limits(settings: ConnectionSettings) -> HttpLimits:
    """Give the bounds of a port by its settings."""
    return HttpLimits(settings.connection_limit, settings.client_connection_limit)


class RequestBounds:
    """Answers 413, 408 or 429 in place of an application that would be asked for too much."""

    def __init__(
        self,
        app: ASGIApp,
        limits: HttpLimits,
        clients: Clients,
        headers: Mapping[str, str] = PORT_HEADERS,
    ) -> None:
        """`headers` are those of its own answers, which the application never sees."""
        self._app, self._limits, self._clients, self._headers = app, limits, clients, headers
        self._requests: Counter[str] = Counter()
        self.refused = 0
        """Requests beyond the most of one client behind a proxy."""
        self.too_large = 0
        self.too_slow = 0
        self.buffered_bytes = 0
        """Bodies of all requests that are being answered."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on within its bounds."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope = _with_plain_client(scope)
        client = self._forwarded_client(scope)
        if client is not None and self._requests[client] >= self._limits.client_connections:
            self.refused += 1
            answer = problem(429, sentence("requests-too-many"), RETRY_AFTER)
            await answer(scope, receive, adding(send, self._headers))
            return
        self._requests.update([client] if client is not None else [])
        try:
            if scope["type"] == "websocket":
                await self._app(scope, receive, send)
            else:
                await self._pass_on(scope, receive, send)
        finally:
            if client is not None:
                self._requests[client] -= 1
                if not self._requests[client]:
                    del self._requests[client]

    def _forwarded_client(self, scope: Scope) -> str | None:
        """Give the client that a proxy speaks for; None where connections are counted, or for a probe."""
        peer = str((scope.get("client") or ("",))[0])
        if scope["path"] in HEALTH_PATHS or not self._clients.is_proxy(peer):
            return None
        return network_of(self._clients.address(scope))

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _Body(self, scope, receive, send, self._limits)
        try:
            body.check_length()
            await self._app(scope, body.receive, body.send)
        except HTTPException as error:
            if body.is_answered:
                raise
            answer = problem_of_http(error)
            await answer(scope, receive, adding(send, self._headers))
        finally:
            self.buffered_bytes -= body.received


def _with_plain_client(scope: Scope) -> Scope:
    """A port of both protocols tells the addresses of IPv4 in a form of IPv6."""
    host, port = scope.get("client") or ("", 0)
    return {**scope, "client": (plain_address(host), port)} if host.startswith("::") else scope


class _Body:
    """Counts and times one request's body while the application reads it."""

    def __init__(
        self, bounds: RequestBounds, scope: Scope, receive: Receive, send: Send, limits: HttpLimits
    ) -> None:
        self._bounds, self._scope, self._receive, self._send = bounds, scope, receive, send
        self._limit = limits.bytes_of(scope["method"], scope["path"])
        self._until_s = asyncio.get_running_loop().time() + limits.body_s
        self._body_s = limits.body_s
        self._most = limits.all_bodies_bytes
        self.received = 0
        self._is_whole = False
        self.is_answered = False

    def check_length(self) -> None:
        """Refuse what says itself that it is too long, before any of it is read."""
        declared = Headers(scope=self._scope).get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > self._limit:
            raise self._too_large()

    async def receive(self) -> Message:
        """Give the next part within the bounds; HTTPException where it is not."""
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until_s):
                message = await self._receive()
        except TimeoutError:
            return self._over(self._too_slow())
        came = len(message.get("body", b""))
        self.received += came
        self._bounds.buffered_bytes += came
        self._is_whole = not message.get("more_body", False)
        if self.received > self._limit:
            return self._over(self._too_large())
        if self._bounds.buffered_bytes > self._most:
            return self._over(self._too_many())
        return message

    async def send(self, message: Message) -> None:
        """Note that the application answers."""
        self.is_answered = True
        await self._send(message)

    def _over(self, error: HTTPException) -> Message:
        """End the request: with the error, or where the answer has begun, as if the client had left."""
        if self.is_answered:
            return {"type": "http.disconnect"}
        raise error

    def _too_large(self) -> HTTPException:
        self._bounds.too_large += 1
        return RefusedRequestError(413, sentence("body-too-long", most=self._limit), {"Connection": "close"})

    def _too_many(self) -> HTTPException:
        self._bounds.refused += 1
        return RefusedRequestError(503, sentence("bodies-too-much"), RETRY_AFTER)

    def _too_slow(self) -> HTTPException:
        self._bounds.too_slow += 1
        return RefusedRequestError(
            408, sentence("body-too-slow", seconds=self._body_s), {"Connection": "close"}
        )


def probes_only(app: ASGIApp, headers: Mapping[str, str] = PORT_HEADERS) -> ASGIApp:
    """Let nothing through but questions about health: for connections beyond the most at once."""

    async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in HEALTH_PATHS:
            await app(scope, receive, send)
        else:
            answer = problem(503, sentence("connections-too-many"), RETRY_AFTER)
            await answer(scope, receive, adding(send, headers))

    return pass_on
