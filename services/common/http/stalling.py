"""Who takes nothing of what is written for it is cut off."""

import asyncio

STALL_CHECK_S = 0.25
"""Most time between two looks at a connection that does not take its data."""


class StallWatch(asyncio.Protocol):
    """Stands before a protocol, and aborts a connection whose peer takes nothing of what is written for it.

    Closing would wait for the peer to take the rest: only aborting frees the memory. Where stalling is
    watched, the next part is taken only when the system has the whole of the one before.
    """

    stall_timeout_s: float | None = None
    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    _stall_timer: asyncio.TimerHandle | None = None

    def on_stalled(self) -> None:
        """Count a peer that took nothing."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let each part wait until the one before has left this process."""
        super().connection_made(transport)
        if self.stall_timeout_s is not None and isinstance(transport, asyncio.Transport):
            transport.set_write_buffer_limits(high=1, low=0)  # 0 would pause TLS while nothing waits

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch no more."""
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to watch whether the peer takes anything."""
        super().pause_writing()
        if self.stall_timeout_s is not None and self._stall_timer is None:
            self._watch(self.transport.get_write_buffer_size(), self.loop.time())

    def resume_writing(self) -> None:
        """The peer has taken all there was."""
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
        super().resume_writing()

    def _watch(self, waiting_bytes: int, since_s: float) -> None:
        """Look again soon: while writing is paused, what waits only becomes less."""
        assert self.stall_timeout_s is not None
        period_s = min(STALL_CHECK_S, self.stall_timeout_s / 4)
        self._stall_timer = self.loop.call_later(period_s, self._check_stall, waiting_bytes, since_s)

    def _check_stall(self, waiting_bytes: int, since_s: float) -> None:
        assert self.stall_timeout_s is not None
        left_bytes, now_s = self.transport.get_write_buffer_size(), self.loop.time()
        if left_bytes != waiting_bytes:
            self._watch(left_bytes, now_s)
        elif now_s - since_s < self.stall_timeout_s:
            self._watch(waiting_bytes, since_s)
        else:
            self.on_stalled()
            self.transport.abort()
