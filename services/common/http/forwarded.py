"""Where a request comes from when proxies stand in front: what they add is believed as far as they are named.

Anybody may send `X-Forwarded-For`; each proxy appends who sent the request to it. So the lines are read as
one list from its end, for as long as the next address is that of a proxy that is trusted.
"""

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

from starlette.datastructures import Headers

from services.common.connections.addresses import plain_address

DIRECT = "direct"
"""Whoever connects is the proxy, one hop of it: for places where nothing else reaches the port."""

MOST_HOPS = 20

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The proxies whose word is taken."""

    networks: tuple[Network, ...] = ()
    trusts_peer: bool = False

    def are_in_front(self, peer: str) -> bool:
        """Return whether the address that a connection comes from is one of them."""
        return self.trusts_peer or self._are_at(peer)

    def client_address(self, headers: Headers, peer: str) -> str:
        """Give the address of the first sender, counted from here, that is no trusted proxy.

        What is no address, such as `unknown`, ends the way: then it is the last one before it.
        """
        if not self.are_in_front(peer):
            return peer
        address = peer
        hops = ",".join(headers.getlist("x-forwarded-for")).split(",")
        for hop in hops[: -MOST_HOPS - 1 : -1]:
            before = _address_of(hop)
            if before is None:
                break
            address = before
            if not self._are_at(address):
                break
        return address

    def last_word(self, headers: Headers, name: str, peer: str) -> str | None:
        """Give the value that the nearest proxy set in a header, of several the last; None where none did."""
        if not self.are_in_front(peer):
            return None
        return ",".join(headers.getlist(name)).rpartition(",")[2].strip() or None

    def _are_at(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
        return any((mapped or ip) in network for network in self.networks)


@lru_cache(maxsize=16)
def trusted_proxies(text: str) -> TrustedProxies:
    """Read a setting: addresses and networks with commas between, or `direct`; ValueError says what fits."""
    words = [word for word in (part.strip() for part in text.split(",")) if word]
    try:
        networks = tuple(ipaddress.ip_network(word, strict=False) for word in words if word != DIRECT)
    except ValueError:
        raise ValueError(f"give addresses or networks like 10.1.2.0/24, or {DIRECT}") from None
    return TrustedProxies(networks, DIRECT in words)


def _address_of(hop: str) -> str | None:
    """Read one hop, which may carry a port: `192.0.2.1:5000`, `[2001:db8::1]:5000`."""
    text = hop.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return plain_address(str(ipaddress.ip_address(text)))
    except ValueError:
        return None
