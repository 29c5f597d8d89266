"""File descriptors: as many as the system allows, and what is done when there are none left."""

import contextlib
import errno
import os
import resource

EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""What accepting a connection fails with while the process or the machine has no room for it."""

HIGHEST = 1_048_576
"""More is not asked for, though some systems allow a thousand million."""

OWN = 128
"""What a process needs for itself: files, its database, cameras."""

PORTS = 4
"""Ports that may be full of connections at once."""

FEWEST_CONNECTIONS = 8


def raise_descriptor_limit() -> None:
    """Let this process have as many descriptors as it may; programs that it starts inherit that."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = HIGHEST if hard == resource.RLIM_INFINITY else min(hard, HIGHEST)
    with contextlib.suppress(OSError, ValueError):  # a system that allows less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def affordable(connections: int) -> int:
    """Give how many of the wanted connections one port may have, so that all ports leave some descriptors."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return connections
    return min(connections, max(FEWEST_CONNECTIONS, (limit - OWN) // PORTS))


def ensure_left(number: int) -> None:
    """OSError (EMFILE or ENFILE) where not so many descriptors are left now."""
    taken: list[int] = []
    try:
        taken += (os.open(os.devnull, os.O_RDONLY) for _ in range(number))
    finally:
        for handle in taken:
            os.close(handle)


class SpareDescriptor:
    """One descriptor that is kept, so that one connection can be answered when there is no other."""

    def __init__(self) -> None:
        self._handle: int | None = None
        self.hold()

    def hold(self) -> bool:
        """Take it, if it is not taken; False when there is none."""
        if self._handle is None:
            try:
                self._handle = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                if error.errno not in EXHAUSTED:
                    raise
        return self._handle is not None

    def release(self) -> bool:
        """Let go of it; False when it was not taken."""
        handle, self._handle = self._handle, None
        if handle is None:
            return False
        os.close(handle)
        return True
