"""What addresses of hosts mean, and by which one other machines reach this one."""

import ipaddress
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

ELSEWHERE = ("192.0.2.1", "2001:db8::1")
"""Addresses that no machine has (RFC 5737, 3849): the way to them is the way to all that is not near."""

DISCARD_PORT = 9


def is_loopback(host: str) -> bool:
    """Return whether a host name or address means this machine itself."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(plain_address(name)).is_loopback
    except ValueError:
        return False


def plain_address(address: str) -> str:
    """Give an address of IPv4 as itself where a socket of IPv6 tells it: `::ffff:10.0.0.1` is `10.0.0.1`."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return address if mapped is None else str(mapped)


def is_every_address(host: str) -> bool:
    """Return whether listening at this host means all addresses of this machine."""
    try:
        return not host or ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def loopback() -> str:
    """Give the address by which this machine reaches itself: `::1` where it has none of IPv4."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", 0))
        except OSError:
            return "::1"
    return "127.0.0.1"


def host_and_port(host: str, port: int) -> str:
    """Give `host:port`, with the brackets that an IPv6 address needs."""
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def near_end(host: str) -> str | None:
    """Give this machine's own address on the way to another; nothing is sent. None where there is no way."""
    try:
        places = socket.getaddrinfo(host, DISCARD_PORT, type=socket.SOCK_DGRAM)
    except OSError:
        return None
    for family, kind, _, _, place in places:
        with suppress(OSError), socket.socket(family, kind) as probe:
            probe.connect(place)
            return str(probe.getsockname()[0])
    return None


def named_addresses() -> Sequence[str]:
    """Give the addresses that this machine's name stands for; Debian's own table has a loopback one."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return [str(place[0]) for *_, place in found]


def address_for_others(
    host: str,
    towards: str | None = None,
    near_end: Callable[[str], str | None] = near_end,
    named: Callable[[], Sequence[str]] = named_addresses,
) -> str | None:
    """Give an address by which other machines reach what listens at all addresses; None where there is none.

    The best is the one on the way to where all services meet (`towards`); then what the machine's name stands
    for, and the one on the way out.
    """
    wants_ipv4 = ":" not in host

    def candidates() -> Iterator[str | None]:
        yield None if towards is None else near_end(towards)
        yield from named()
        yield from map(near_end, ELSEWHERE)

    for address in candidates():
        if address is not None and _is_for_others(address) and not (wants_ipv4 and ":" in address):
            return address
    return None


def address_to_open(
    host: str, port: int, for_others: Callable[[str], str | None] = address_for_others
) -> str:
    """Give `host:port` as a person can open it, also where a service listens at all addresses."""
    if is_every_address(host):
        host = for_others(host) or "localhost"
    return host_and_port(host, port)


def _is_for_others(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (ip.is_loopback or ip.is_unspecified or ip.is_link_local or ip.is_multicast)
