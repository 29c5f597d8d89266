"""The bounds of page and API, and who sends a request from behind the proxy."""

import ipaddress

from starlette.types import Scope

from services.web.auth.origin import origin_of
from services.web.auth.rules import SESSION_PATH

LOGIN_BYTES = 65_536

SMALL_BODIES = {("POST", SESSION_PATH): LOGIN_BYTES}
"""What anybody may send, known or not."""


class ProxyClients:
    """Believes one proxy, or those of a network, what they tell of their clients."""

    def __init__(self, trusted_proxy: str) -> None:
        """Take an address or a network; empty: nobody is believed."""
        self._trusted_proxy = trusted_proxy
        self._network = ipaddress.ip_network(trusted_proxy, strict=False) if trusted_proxy else None

    def is_proxy(self, peer: str) -> bool:
        """Tell whether an address is the proxy's."""
        try:
            return self._network is not None and ipaddress.ip_address(peer) in self._network
        except ValueError:
            return False

    def address(self, scope: Scope) -> str:
        """Give the client's address as far as it can be believed."""
        return origin_of(scope, self._trusted_proxy).address
