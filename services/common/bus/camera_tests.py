"""The door by which web has an address tried before a camera is made of it (docs/adr/0037).

Web dials no camera: it asks, and one ingest tries and answers. An address carries a password, so that
neither a request nor what holds one is ever logged.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from services.core.errors import BusUnavailableError, NoIngestError
from services.core.sentences.sentence import Sentence

TEST_S = 60.0
"""Most time that ingest takes to try an address."""

ANSWER_S = 62.0
"""Most time from the question to the answer."""

BEGIN_S = 2.0
"""Within this an ingest says that it has begun."""


@dataclass(frozen=True, slots=True)
class CameraTestResult:
    """What an address gives, as far as it was seen."""

    seconds: float
    """How long it took."""
    fault: Sentence | None = None
    """Why it does not work, without a secret of the address; None where it does."""
    picture: bytes | None = field(default=None, repr=False)
    """A JPEG, at most `TRIAL_WIDTH` wide."""
    resolution: tuple[int, int] | None = None
    """Width and height of the stream's pictures in pixels."""
    codec: str | None = None
    fps: float | None = None
    """Pictures a second by the stream's own clock; None where that is not known."""


Tester = Callable[[str], Awaitable[CameraTestResult]]
"""Tries an address; FullError when it tries too many at once. Being cancelled it lets go of it."""


class CameraTests(Protocol):
    """Addresses that are tried."""

    async def ask(self, url: str) -> CameraTestResult:
        """Have an ingest try an address; being cancelled it is tried no further.

        NoIngestError when none begins within `BEGIN_S`, FullError when it has too many already,
        BusUnavailableError when its answer does not come.
        """

    def answering(self, test: Tester) -> AbstractAsyncContextManager[None]:
        """Answer with what `test` finds, until the context ends."""


class LocalCameraTests:
    """Implements `CameraTests` within one process."""

    def __init__(self, answer_s: float = ANSWER_S) -> None:
        self._answer_s = answer_s
        self._test: Tester | None = None

    async def ask(self, url: str) -> CameraTestResult:
        """Have the ingest of this process try an address."""
        if self._test is None:
            raise no_ingest()
        try:
            async with asyncio.timeout(self._answer_s):
                return await self._test(url)
        except TimeoutError:
            raise no_answer() from None

    @asynccontextmanager
    async def answering(self, test: Tester) -> AsyncIterator[None]:
        """Answer until the context ends."""
        self._test = test
        try:
            yield
        finally:
            self._test = None


def no_ingest() -> NoIngestError:
    """Say that nobody is there to try an address, and what to do."""
    return NoIngestError("test-no-ingest")


def no_answer() -> BusUnavailableError:
    """Say that an ingest began and did not come to an end."""
    return BusUnavailableError("test-no-answer")
