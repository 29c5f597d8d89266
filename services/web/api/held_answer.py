"""An answer that goes on, and what it holds for as long as it does."""

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class Closable(Protocol):
    """What an answer holds."""

    def close(self) -> None:
        """Give it back; a second time changes nothing."""


class HeldAnswer(StreamingResponse):
    """A streamed answer that gives back what it holds when it ends, however it ends."""

    def __init__(
        self,
        body: AsyncIterator[bytes] | AsyncIterator[str],
        media_type: str,
        headers: Mapping[str, str],
        *held: Closable,
    ) -> None:
        super().__init__(body, media_type=media_type, headers=headers)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer to its end."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            for held in self._held:
                held.close()
