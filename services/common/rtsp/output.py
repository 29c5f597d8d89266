"""One pipeline of an RTSP server, into which pictures are pushed while somebody watches."""

import threading
from collections.abc import Callable
from typing import Any

from services.common.rtsp.gstreamer import GStreamer
from services.core.limits import QUEUE_LIMIT_BYTES

FIRST_PTS_S = 1.0
"""Room for pictures that are shown before the first one, which is possible in streams with B-frames."""

STEP_S = 0.04
"""Distance between the last picture of a connection and the first of the next, whatever its clock says."""


class StreamClock:
    """Turns capture times into the time of one pipeline, which never goes back between connections."""

    def __init__(self) -> None:
        self._connection: int | None = None
        self._origin_s = 0.0
        self._highest_s = FIRST_PTS_S - STEP_S

    def pts_s(self, connection: int, time_s: float) -> float:
        """Give the time of a picture in seconds since shortly before the pipeline's first."""
        if connection != self._connection:
            earliest_s = self._highest_s + STEP_S
            if self._connection is None or time_s - self._origin_s < earliest_s:
                self._origin_s = time_s - earliest_s
            self._connection = connection
        pts_s = max(0.0, time_s - self._origin_s)
        self._highest_s = max(self._highest_s, pts_s)
        return pts_s


class RtspOutput:
    """Where a feed puts its pictures. Callable from any thread."""

    def __init__(
        self, gstreamer: GStreamer, source: Any, waiting_limit: int, end_clients: Callable[[], None]
    ) -> None:
        self._gstreamer, self._source = gstreamer, source
        self._waiting_limit, self._end_clients = waiting_limit, end_clients
        self._wants_keyframe = threading.Event()
        self._clock = StreamClock()
        self._has_begun = False

    @property
    def is_full(self) -> bool:
        """Whether the pipeline takes no more pictures now."""
        source = self._source
        return bool(
            source.get_property("current-level-buffers") >= self._waiting_limit
            or source.get_property("current-level-bytes") >= QUEUE_LIMIT_BYTES
        )

    def describe(self, caps: str) -> None:
        """Say what the pictures are, before the first one."""
        self._source.set_property("caps", self._gstreamer.gst.Caps.from_string(caps))

    def push(self, data: bytes, connection: int, time_s: float) -> None:
        """Send one picture with its capture time."""
        buffer = self._gstreamer.gst.Buffer.new_wrapped(data)
        buffer.pts = round(self._clock.pts_s(connection, time_s) * self._gstreamer.gst.SECOND)
        self._has_begun = True
        self._source.emit("push-buffer", buffer)

    def ask_for_keyframe(self) -> None:
        """Note that somebody began to watch, who can decode nothing before a key frame."""
        self._wants_keyframe.set()

    def take_wish(self) -> bool:
        """Return whether a key frame is wanted, once."""
        is_wanted = self._wants_keyframe.is_set()
        self._wants_keyframe.clear()
        return is_wanted

    def force_keyframe(self) -> None:
        """Have the encoder make the next picture a key frame."""
        time_none = self._gstreamer.gst.CLOCK_TIME_NONE
        event = self._gstreamer.video.video_event_new_downstream_force_key_unit(
            time_none, time_none, time_none, True, 0
        )
        self._source.send_event(event)

    def fail(self) -> None:
        """Answer clients that wait for the first picture that there is none (503)."""
        if not self._has_begun:
            error = self._gstreamer.glib.Error("the camera gives no picture")
            message = self._gstreamer.gst.Message.new_error(self._source, error, "")
            self._source.post_message(message)

    def end(self) -> None:
        """End the clients: a stream that has to be described anew begins when they connect again."""
        self._end_clients()
