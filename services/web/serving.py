"""The server of page and API with its bounds: stalled readers are cut off, and bodies are measured."""

import socket
from collections.abc import Iterator
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.http.bounds import HttpLimits
from services.common.http.forwarded import trusted_proxies
from services.common.http.problems import RefusedRequestError
from services.common.http.server import HttpServer
from services.common.metrics import Figure
from services.core.sentences.sentence import Sentence, sentence
from services.web.auth.caller import LIVE_PATH, SESSION_PATH
from services.web.auth.origin import origin_of
from services.web.page import SECURITY_HEADERS
from services.web.settings import WebSettings

STALL_S = 20.0
"""A reader that takes nothing of what waits for it for this long is cut off; one that is slow may stay."""

SEND_BUFFER_BYTES = 131_072
"""What the system may keep for one reader, so that many that read nothing cost little."""

LOGIN_BYTES = 65_536

SMALL_BODIES = {("POST", SESSION_PATH): LOGIN_BYTES}
"""What anybody may send, known or not."""

MOST_VALUES = 2000
"""Values of one body, counted by its commas; a line of a hundred points has three hundred."""

MOST_BRACKETS = 400
"""Beginnings of lists and objects; a line of a hundred points has a hundred and two. Within one another they
cost a level of the stack each."""


def web_limits(settings: WebSettings) -> HttpLimits:
    """Give the bounds that the settings ask for."""
    return HttpLimits(
        connections=settings.connection_limit,
        client_connections=settings.client_connection_limit,
        small_bodies=SMALL_BODIES,
    )


class ProxyClients:
    """Believes the proxies of a setting what they say of their clients."""

    def __init__(self, trusted_proxy: str) -> None:
        """Take the setting `trusted_proxy`; empty: nobody is believed."""
        self._trusted_proxy = trusted_proxy

    def is_proxy(self, peer: str) -> bool:
        """Return whether an address is that of a proxy that is believed."""
        return trusted_proxies(self._trusted_proxy).are_in_front(peer)

    def address(self, scope: Scope) -> str:
        """Give the client's address as far as it can be believed."""
        return origin_of(scope, self._trusted_proxy).address


class BodyValues:
    """Refuses bodies of very many values while they are read: each costs much more than its bytes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a body that is counted as it comes."""
        values = brackets = 0

        async def counted() -> Message:
            nonlocal values, brackets
            message = await receive()
            if message["type"] == "http.request":
                body = message.get("body", b"")
                values += body.count(b",")
                brackets += body.count(b"[") + body.count(b"{")
                if values >= MOST_VALUES:
                    raise _too_much(sentence("body-values", most=MOST_VALUES))
                if brackets > MOST_BRACKETS:
                    raise _too_much(sentence("body-brackets", most=MOST_BRACKETS))
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)


def _too_much(what: Sentence) -> RefusedRequestError:
    return RefusedRequestError(HTTPStatus.UNPROCESSABLE_ENTITY, what)


def web_server(app: ASGIApp, settings: WebSettings, stall_s: float = STALL_S) -> HttpServer:
    """Make the server of the web application."""
    return HttpServer(
        app,
        stall_timeout_s=stall_s,
        limits=web_limits(settings),
        clients=ProxyClients(settings.trusted_proxy),
        headers=SECURITY_HEADERS,
        sockets=(LIVE_PATH,),
        tls_cert=settings.tls_cert,
        tls_key=settings.tls_key,
    )


def bound_send_buffers(listening: socket.socket) -> socket.socket:
    """Give a listening socket back whose connections keep little in the system."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    return listening


def server_figures(server: HttpServer) -> Iterator[Figure]:
    """Give the figures of the server's connections."""
    labels = {"port": "web"}
    yield Figure("sightline_readers_stalled_total", server.stalled, labels)
    yield Figure("sightline_reader_waiting_bytes", server.waiting_bytes, labels)
