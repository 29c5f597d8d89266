"""Large questions take their turn in threads."""

import asyncio
import threading

import pytest

from services.common.access.accounts import UserRole
from services.core.errors import ThrottledError
from services.web.api.reading import AT_ONCE, MOST_WAITING_EACH, ReadingThreads
from services.web.auth.caller import Caller
from services.web.auth.origin import Origin

WHO = Caller(UserRole.VIEWER, Origin("10.0.0.1", False, "here", None, True))


async def test_few_are_answered_at_once_and_a_user_who_asks_too_much_is_told_to_wait() -> None:
    reading, goes_on, running, most = ReadingThreads(), threading.Event(), [0], [0]
    lock = threading.Lock()

    def work() -> int:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        goes_on.wait(10)
        with lock:
            running[0] -= 1
        return 7

    asking = [asyncio.create_task(reading.run(WHO, work)) for _ in range(MOST_WAITING_EACH)]
    await asyncio.sleep(0.1)
    with pytest.raises(ThrottledError):
        await reading.run(WHO, work)
    assert (reading.slots.taken, reading.slots.refused) == (MOST_WAITING_EACH, 1)
    goes_on.set()
    assert await asyncio.gather(*asking) == [7] * MOST_WAITING_EACH
    assert (most[0], reading.slots.taken) == (AT_ONCE, 0)
