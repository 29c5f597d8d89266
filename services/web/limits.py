"""The bounds of page and API, of what a body holds, and who sends a request from behind the proxy."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.http.bounds import HttpLimits
from services.common.http.forwarded import trusted_proxies
from services.web.auth.origin import origin_of
from services.web.auth.rules import SESSION_PATH
from services.web.settings import WebSettings

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
                    raise _too_much(f"{MOST_VALUES} values")
                if brackets > MOST_BRACKETS:
                    raise _too_much(f"{MOST_BRACKETS} lists and objects")
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)


def _too_much(what: str) -> HTTPException:
    return HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"the body holds more than {what}")
