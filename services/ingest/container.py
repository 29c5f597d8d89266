"""Reads H.264 access units out of anything that FFmpeg opens: an RTSP session or a file."""

from collections.abc import Iterator
from dataclasses import dataclass

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from services.common.secrets import redact
from services.core.errors import StreamError
from services.ingest.parameter_sets import ParameterSets
from services.ingest.source import SourceUnit

RTSP_OPTIONS = {
    "rtsp_transport": "tcp",
    "timeout": "3000000",
    "analyzeduration": "500000",
    "probesize": "500000",
}
OPEN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 4.0

CAUSES: tuple[tuple[type[Exception], str], ...] = (
    (av.error.HTTPUnauthorizedError, "the camera refuses user or password"),
    (av.error.HTTPForbiddenError, "the camera refuses access to this stream"),
    (av.error.HTTPNotFoundError, "the camera knows no stream at this path"),
    (av.error.ConnectionRefusedError, "connection refused: nothing listens at this address and port"),
    (av.error.TimeoutError, "the camera does not answer in time"),
    (av.error.ExitError, "the camera does not answer in time"),
    (av.error.ProtocolNotFoundError, "this kind of address is not supported"),
    (av.error.FileNotFoundError, "there is no such file"),
    (av.error.InvalidDataError, "what answers there is no video stream (not RTSP, or not a video)"),
)


def cause_of(error: Exception) -> str:
    """Say in plain words why a stream failed; never with the address's secrets."""
    for kind, text in CAUSES:
        if isinstance(error, kind):
            return text
    return redact(str(getattr(error, "strerror", None) or error))


@dataclass(slots=True)
class ContainerConnection:
    """An open container whose first video stream is H.264."""

    container: InputContainer

    @classmethod
    def open(cls, url: str, options: dict[str, str] | None = None) -> "ContainerConnection":
        """Open it; StreamError when it cannot be opened or carries no H.264 video."""
        try:
            container = av.open(url, "r", options=options or {}, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S))
        except (av.error.FFmpegError, OSError) as error:
            raise StreamError(cause_of(error)) from None
        try:
            cls._check(container)
        except StreamError:
            container.close()
            raise
        return cls(container)

    @staticmethod
    def _check(container: InputContainer) -> None:
        if not container.streams.video:
            raise StreamError("the stream has no video")
        codec = container.streams.video[0].codec_context.name
        if codec != "h264":
            raise StreamError(f"the stream is {codec}: set the camera to H.264")

    @property
    def resolution(self) -> tuple[int, int]:
        """Width and height in pixels."""
        context = self.container.streams.video[0].codec_context
        return context.width, context.height

    def units(self) -> Iterator[SourceUnit]:
        """Give access units until the stream ends; StreamError when it breaks."""
        stream = self.container.streams.video[0]
        to_annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
        parameter_sets = ParameterSets(stream.codec_context.extradata or b"")
        try:
            for packet in self.container.demux(stream):
                for unit in to_annex_b.filter(packet) if packet.size else ():
                    yield self._unit(unit, parameter_sets)
        except (av.error.FFmpegError, OSError) as error:
            raise StreamError(f"the stream broke off: {cause_of(error)}") from None

    @staticmethod
    def _unit(packet: "Packet[VideoStream]", parameter_sets: ParameterSets) -> SourceUnit:
        pts, time_base = packet.pts, packet.time_base
        stream_s = None if pts is None or time_base is None else float(pts * time_base)
        data = bytes(packet)
        if packet.is_keyframe:
            data = parameter_sets.complete(data)
        return SourceUnit(data, bool(packet.is_keyframe), stream_s)

    def close(self) -> None:
        """Let go of the stream."""
        self.container.close()
