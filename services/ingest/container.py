"""Reads H.264 access units out of anything that FFmpeg opens: an RTSP session or a file."""

import errno
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from services.common.secrets import redact
from services.common.video.source import SourceUnit
from services.core.camera_address import AddressKind, kind_of, place_of, scheme_of, with_plain_zone
from services.core.errors import StreamError
from services.core.h264 import ParameterSets
from services.core.limits import PICTURE_LIMIT_PIXELS, size_fault
from services.core.sentences.sentence import Sentence, plain, sentence
from services.ingest.bounds import StreamBounds

STREAMS_LIMIT = 16
"""Streams of one session: video, sound and data of a camera, in several forms."""

PROBE_OPTIONS = {"threads": "1", "skip_frame": "nokey", "max_pixels": str(PICTURE_LIMIT_PIXELS)}
"""FFmpeg decodes pictures to find out what a stream is: no more of them than it takes."""

RTSP_OPTIONS = {
    "rtsp_transport": "tcp",
    "timeout": "3000000",
    "analyzeduration": "500000",
    "probesize": "500000",
    "max_streams": str(STREAMS_LIMIT),
    **PROBE_OPTIONS,
}
FILE_OPTIONS = {"protocol_whitelist": "file", **PROBE_OPTIONS}
"""A file that names other addresses, as playlists do, is read no further."""

OPEN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 4.0
NO_END = sentence("camera-no-end")
UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN)

CAUSES: tuple[tuple[type[Exception], Sentence], ...] = (
    (av.error.HTTPUnauthorizedError, sentence("camera-login")),
    (av.error.HTTPForbiddenError, sentence("camera-forbidden")),
    (av.error.HTTPNotFoundError, sentence("camera-no-such-path")),
    (av.error.ConnectionRefusedError, sentence("camera-refused")),
    (av.error.HTTPClientError, sentence("camera-cannot-serve")),
    (av.error.HTTPServerError, sentence("camera-cannot-serve")),
    (av.error.TimeoutError, sentence("camera-timeout")),
    (av.error.ExitError, sentence("camera-timeout")),
    (av.error.ProtocolNotFoundError, sentence("stream-unsupported")),
    (av.error.FileNotFoundError, sentence("stream-file-missing")),
    (av.error.PermissionError, sentence("stream-file-unreadable")),
    (ConnectionResetError, sentence("camera-reset")),
    (BrokenPipeError, sentence("camera-reset")),
    (MemoryError, sentence("stream-memory")),
    (av.error.InvalidDataError, sentence("stream-not-video")),
)


def cause_of(error: Exception) -> Sentence:
    """Say in plain words why a stream failed; never with the address's secrets."""
    for kind, what in CAUSES:
        if isinstance(error, kind):
            return what
    if getattr(error, "errno", None) in UNREACHABLE:
        return sentence("camera-unreachable")
    return plain(redact(str(getattr(error, "strerror", None) or error)))


def _cause_of_opening(url: str, error: Exception) -> Sentence:
    """Say why an address could not be opened: FFmpeg has one and the same error for several causes."""
    place = place_of(url)
    if place is None or getattr(error, "errno", None) != errno.EIO:
        return cause_of(error)
    try:
        socket.getaddrinfo(place[0], place[1])
    except OSError:
        return sentence("camera-host-unknown", host=place[0])
    return sentence("camera-no-tls") if scheme_of(url) == "rtsps" else sentence("camera-reset")


@dataclass(slots=True)
class ContainerConnection:
    """An open container whose first video stream is H.264, kept within the bounds of one camera."""

    container: InputContainer
    bounds: StreamBounds

    @classmethod
    def open(cls, url: str) -> "ContainerConnection":
        """Open it; StreamError when it cannot be opened or carries no H.264 video that can be taken."""
        is_live = kind_of(url) is AddressKind.NETWORK
        options = dict(RTSP_OPTIONS if is_live else FILE_OPTIONS)
        began_s = time.monotonic()
        try:
            container = av.open(
                with_plain_zone(url), "r", options=options, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S)
            )
        except (av.error.FFmpegError, OSError, MemoryError) as error:
            has_run_out = is_live and time.monotonic() - began_s >= OPEN_TIMEOUT_S
            raise StreamError(NO_END if has_run_out else _cause_of_opening(url, error)) from None
        try:
            cls._check(container, is_live)
        except StreamError:
            container.close()
            raise
        return cls(container, StreamBounds(is_live, time.monotonic))

    @staticmethod
    def _check(container: InputContainer, is_live: bool) -> None:
        if is_live and len(container.streams) >= STREAMS_LIMIT:
            raise StreamError("stream-many", most=STREAMS_LIMIT)
        if not container.streams.video:
            raise StreamError("stream-no-video")
        context = container.streams.video[0].codec_context
        if context.name != "h264":
            raise StreamError("stream-codec", codec=context.name)
        if fault := size_fault(context.width, context.height):
            raise StreamError("stream-too-large", reason=fault)

    @property
    def resolution(self) -> tuple[int, int]:
        """Width and height in pixels."""
        context = self.container.streams.video[0].codec_context
        return self.bounds.resolution or (context.width, context.height)

    def units(self) -> Iterator[SourceUnit]:
        """Give access units until the stream ends; StreamError when it breaks or goes beyond a bound."""
        stream = self.container.streams.video[0]
        to_annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
        parameter_sets = ParameterSets(stream.codec_context.extradata or b"")
        try:
            for packet in self.container.demux(stream):
                self.bounds.check_length(packet.size)
                for unit in to_annex_b.filter(packet) if packet.size else ():
                    yield self._unit(unit, parameter_sets)
        except (av.error.FFmpegError, OSError) as error:
            raise StreamError("stream-broken", reason=cause_of(error)) from None

    def _unit(self, packet: "Packet[VideoStream]", parameter_sets: ParameterSets) -> SourceUnit:
        pts, time_base = packet.pts, packet.time_base
        stream_s = None if pts is None or time_base is None else float(pts * time_base)
        data = bytes(packet)
        self.bounds.check_unit(data)
        if packet.is_keyframe:
            data = parameter_sets.complete(data)
        self.bounds.check_headers(data)
        return SourceUnit(data, bool(packet.is_keyframe), stream_s)

    def close(self) -> None:
        """Let go of the stream."""
        self.container.close()
