"""The bounds of page and API, and who sends a request from behind the proxy."""

from starlette.types import Scope

from services.common.http.bounds import HttpLimits
from services.common.http.forwarded import trusted_proxies
from services.web.auth.origin import origin_of
from services.web.auth.rules import SESSION_PATH
from services.web.settings import WebSettings

LOGIN_BYTES = 65_536

SMALL_BODIES = {("POST", SESSION_PATH): LOGIN_BYTES}
"""What anybody may send, known or not."""


def web_limits(settings: WebSettings) -> HttpLimits:
    """Give the bounds that the settings ask for."""
    return HttpLimits(
        connections=settings.connection_limit,
        client_connections=settings.client_connection_limit,
        small_bodies=SMALL_BODIES,
    )


class ProxyClients:
    """Believes the proxies of a setting what they tell of their clients."""

    def __init__(self, trusted_proxy: str) -> None:
        """Take the setting `trusted_proxy`; empty: nobody is believed."""
        self._trusted_proxy = trusted_proxy

    def is_proxy(self, peer: str) -> bool:
        """Tell whether an address is that of a proxy that is believed."""
        return trusted_proxies(self._trusted_proxy).are_in_front(peer)

    def address(self, scope: Scope) -> str:
        """Give the client's address as far as it can be believed."""
        return origin_of(scope, self._trusted_proxy).address
