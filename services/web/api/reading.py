"""Large questions: read, computed and written in a few threads of their own, beside the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

from services.web.auth.caller import Caller
from services.web.live.streams import AnswerSlots

T = TypeVar("T")

AT_ONCE = 3
"""Questions that are answered at the same moment; the others wait for their turn."""

ANSWER_LIMIT_S = 120.0
"""Longest that one question may take a thread."""

MOST_WAITING, MOST_WAITING_EACH = 120, 40


class ReadingThreads:
    """Answers questions that take longer than an event loop may be blocked."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "reading")
        self.slots = AnswerSlots("questions", MOST_WAITING, MOST_WAITING_EACH)

    async def run(self, who: Caller, work: Callable[[], T]) -> T:
        """Do some work in its turn.

        ThrottledError when this user waits for too many already, StreamError when all do.
        """
        with closing(self.slots.take(who)):
            return await self.go_on(work)

    async def go_on(self, work: Callable[[], T]) -> T:
        """Do a further part of an answer that has its slot already."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def later(self, work: Callable[[], object]) -> None:
        """Do some work that nobody waits for."""
        self._threads.submit(work)
