"""The server of page and API: who takes nothing of an answer is cut off, however long the answer is."""

import socket
from collections.abc import Iterator

from starlette.types import ASGIApp

from services.common.http.server import HttpServer
from services.common.metrics import Figure
from services.web.guard import SECURITY_HEADERS
from services.web.limits import ProxyClients, web_limits
from services.web.settings import WebSettings

STALL_S = 20.0
"""A reader that takes nothing of what waits for it for this long is cut off; one that is slow may stay."""

SEND_BUFFER_BYTES = 131_072
"""What the system may keep for one reader, so that many that read nothing cost little."""


def web_server(app: ASGIApp, settings: WebSettings, stall_s: float = STALL_S) -> HttpServer:
    """Make the server of the web application."""
    return HttpServer(
        app,
        stall_timeout_s=stall_s,
        limits=web_limits(settings),
        clients=ProxyClients(settings.trusted_proxy),
        headers=SECURITY_HEADERS,
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
