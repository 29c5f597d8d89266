"""Answers that go on: slots for them, a bound for all and one for each user, and what all viewers share."""

import json
import math
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from services.common.access.throttle import network_of
from services.common.queues import QueueState
from services.common.wire import tracks_object
from services.core.errors import StreamError, ThrottledError
from services.core.sentences.sentence import plain, sentence
from services.core.types import TrackedFrame
from services.web.auth.caller import Caller

WAIT_S = 5.0
"""When another try makes sense for who has too many."""

_WORDS = {
    "streams": sentence("streams"),
    "questions": sentence("questions"),
    "sockets": sentence("sockets"),
    "camera-tests": sentence("camera-tests"),
}
"""What kinds of answers are called."""


class AnswerSlot:
    """One answer's slot, until it is given back."""

    def __init__(self, on_close: Callable[[], None]) -> None:
        self._on_close: Callable[[], None] | None = on_close

    def close(self) -> None:
        """Give the slot back, once."""
        if self._on_close is not None:
            self._on_close()
        self._on_close = None


class AnswerSlots:
    """Counts the answers of one kind, such as `streams`; on one event loop."""

    def __init__(self, what: str, most: int, most_each: int) -> None:
        self._what, self._most, self._most_each = _WORDS.get(what, plain(what)), most, most_each
        self._taken: Counter[str] = Counter()
        self.refused = 0
        """Requests that found no slot."""

    @property
    def taken(self) -> int:
        """Places that are taken now."""
        return self._taken.total()

    def queue(self) -> QueueState:
        """Give how many of the places are taken."""
        return QueueState(self._what.text, self.taken, self._most, self.refused, "refuse")

    def take(self, caller: Caller) -> AnswerSlot:
        """Take a slot until it is closed.

        ThrottledError when this user has as many as one may have, StreamError when all are taken.
        """
        key = _key(caller)
        if self._taken[key] >= self._most_each:
            self.refused += 1
            raise ThrottledError("answers-own-limit", WAIT_S, most=self._most_each, what=self._what)
        if self.taken >= self._most:
            self.refused += 1
            raise StreamError("answers-limit", most=self._most, what=self._what)
        self._taken[key] += 1
        return AnswerSlot(lambda: self._leave(key))

    def _leave(self, key: str) -> None:
        self._taken[key] -= 1
        if self._taken[key] == 0:
            del self._taken[key]


def _key(caller: Caller) -> str:
    """Name who it is: the user, the token of nobody's, or the address that asks where no login is wanted."""
    if caller.name is not None:
        return f"user {caller.name}"
    return caller.by or network_of(caller.origin.address)


class Closable(Protocol):
    """A resource of an answer."""

    def close(self) -> None:
        """Release it; a second time changes nothing."""


class StreamedAnswer(StreamingResponse):
    """A streamed answer that releases its resources when it ends, however it ends."""

    def __init__(
        self,
        body: AsyncIterator[bytes] | AsyncIterator[str],
        media_type: str,
        headers: Mapping[str, str],
        *resources: Closable,
    ) -> None:
        super().__init__(body, media_type=media_type, headers=headers)
        self._resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer to its end."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            for resource in self._resources:
                resource.close()


KEPT = 64
"""Events that are remembered: the newest of several cameras."""


class FrameEvents:
    """Writes frames as events and as messages, and remembers the newest; on one event loop."""

    def __init__(self) -> None:
        self._written: OrderedDict[tuple[str, int, float], tuple[bytes, str]] = OrderedDict()

    def of(self, frame: TrackedFrame) -> bytes:
        """Give the server-sent event of a frame."""
        return self._both(frame)[0]

    def message_of(self, frame: TrackedFrame) -> str:
        """Give the message of a frame: the same object with its type."""
        return self._both(frame)[1]

    def _both(self, frame: TrackedFrame) -> tuple[bytes, str]:
        key = frame.camera, frame.frame, frame.time_s
        both = self._written.get(key)
        if both is None:
            text = json.dumps(tracks_object(frame))
            both = self._written[key] = f"data: {text}\n\n".encode(), f'{{"type": "tracks", {text[1:]}'
            if len(self._written) > KEPT:
                self._written.popitem(last=False)
        return both


class SharedText:
    """Remembers for a while what was written for one viewer, for the others."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._text = ""
        self._until_s = -math.inf

    def newest(self, write: Callable[[], str], kept_s: float) -> str:
        """Give what was written last; what is older than it was to be kept is written anew."""
        now_s = self._monotonic_s()
        if now_s >= self._until_s:
            self._text, self._until_s = write(), now_s + kept_s
        return self._text
