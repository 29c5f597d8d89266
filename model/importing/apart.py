"""What a stranger's network is run in: a process that may take only so much memory and time.

A graph can demand both without end, by a loop or a constant of any size, and can end the process it runs in.
"""

import multiprocessing
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from services.core.errors import BadInputError

MEMORY_BYTES = 6 << 30
"""Addresses, which are more than the pages in use: copies of the largest file, and a picture's run."""

LONGEST_S = 240.0


def apart(
    work: Callable[..., Any],
    *arguments: Any,
    longest_s: float = LONGEST_S,
    memory_bytes: int = MEMORY_BYTES,
) -> Any:
    """Give what a function of a module gives in a process of its own; its BadInputError is raised here.

    BadInputError also where it takes too long, or its process ends by itself, as for want of memory.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    bounds = (memory_bytes, int(longest_s) + 1)
    process = context.Process(target=_work, args=(sender, bounds, work, arguments), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(longest_s):
            raise BadInputError(f"it was not done after {longest_s:.0f} s: it takes too long for a picture")
        found = receiver.recv()
    except EOFError:
        raise BadInputError(
            f"its process ended: it takes more than {memory_bytes >> 20} MB, or is damaged"
        ) from None
    finally:
        process.kill()
        process.join()
        receiver.close()
    if isinstance(found, BadInputError):
        raise found
    return found


def _work(
    answers: Connection, bounds: tuple[int, int], work: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    memory_bytes, processor_s = bounds
    for which, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, processor_s),
        (resource.RLIMIT_CORE, 0),
    ):
        _limit(which, most)
    try:
        answers.send(work(*arguments))
    except BadInputError as error:
        answers.send(error)
    except MemoryError:
        answers.send(BadInputError(f"it takes more than {memory_bytes >> 20} MB"))


def _limit(which: int, most: int) -> None:
    """Lower a limit for good, but where the system knows none."""
    with suppress(OSError, ValueError):
        hard = resource.getrlimit(which)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (most, most))
