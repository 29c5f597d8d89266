"""Taking a TCP port before anything is served on it, with an error that says what to do."""

import errno
import socket
from collections.abc import Sequence
from typing import Any

from services.core.errors import BadInputError

WAITING_LIMIT = 128
"""Connections that may wait to be accepted."""

EVERY_ADDRESS = "::"
NOT_HERE = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)

KEEPALIVE_IDLE_S = 30
KEEPALIVE_PERIOD_S = 10
KEEPALIVE_PROBES = 3
"""A peer that vanished without a word is noticed after about a minute, also where nothing is sent."""


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """Listen on a port; 0 takes any free one. BadInputError names the option that gives another.

    `::` means all addresses of IPv6 and of IPv4; where the system has no IPv6, those of IPv4.
    """
    try:
        if host.strip("[]") == EVERY_ADDRESS:
            try:
                return _listening(socket.AF_INET6, (EVERY_ADDRESS, port))
            except OSError as error:
                if error.errno not in NOT_HERE:
                    raise
                return _listening(socket.AF_INET, ("0.0.0.0", port))
        places = socket.getaddrinfo(
            host.strip("[]") or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        places.sort(key=lambda place: place[0] != socket.AF_INET)
        return _first_of([(family, place) for family, _, _, _, place in places])
    except OSError as error:
        raise BadInputError(f"cannot listen on {host} port {port}: {_reason(error, option)}") from error


def _first_of(places: Sequence[tuple[int, tuple[Any, ...]]]) -> socket.socket:
    """Listen at the first that this machine has: a name may stand for several."""
    for family, place in places[:-1]:
        try:
            return _listening(family, place)
        except OSError as error:
            if error.errno not in NOT_HERE:
                raise
    return _listening(*places[-1])


def _listening(family: int, place: tuple[Any, ...]) -> socket.socket:
    listening = socket.socket(family)
    try:
        _prepare(listening)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, place[0] != EVERY_ADDRESS)
        listening.bind(place)
        listening.listen(WAITING_LIMIT)
    except OSError:
        listening.close()
        raise
    return listening


def ensure_free(host: str, port: int, option: str) -> None:
    """Check a port that another library will listen on later; BadInputError as `listen` has it."""
    listen(host, port, option).close()


def _prepare(listening: socket.socket) -> None:
    """Set what each accepted connection inherits."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_PERIOD_S)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)


def _reason(error: OSError, option: str) -> str:
    """Say what is wrong and what to do."""
    if isinstance(error, socket.gaierror):
        return "this host name is not known here: give an address of this machine with --host"
    if error.errno == errno.EADDRINUSE:
        return f"it is in use: end what uses it, or give another with {option}"
    if error.errno == errno.EACCES:
        return f"only the administrator may: give a port from 1024 on with {option}"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address: give one of its own with --host"
    return error.strerror or str(error)
