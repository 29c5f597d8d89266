"""Reads access units of H.264 and H.265 out of anything that FFmpeg opens: an RTSP session or a file."""

import errno
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from services.common.secrets import redact
from services.common.video.packets import packets_of
from services.common.video.shown import orientation_of
from services.common.video.source import SourceUnit
from services.core.camera_address import (
    AddressKind,
    is_same_server,
    kind_of,
    login_of,
    mask_address,
    place_of,
    scheme_of,
)
from services.core.codecs import START, Codec, ParameterSets, is_key_frame
from services.core.errors import StreamError
from services.core.limits import PICTURE_LIMIT_PIXELS, size_fault
from services.core.sentences.sentence import Sentence, plain, sentence
from services.core.upright import UPRIGHT, Orientation, shown_size, with_orientation
from services.ingest.bare_times import with_times
from services.ingest.bounds import StreamBounds
from services.ingest.dialling import Dialling, Refusal, Transport, cause_of_refusal, refusal_from
from services.ingest.loss import IN_ORDER, LossListener, SourceDamage
from services.ingest.opening_log import listening

STREAMS_LIMIT = 16
"""Streams of one session: video, sound and data of a camera, in several forms."""

PROBE_OPTIONS = {"threads": "1", "skip_frame": "nokey", "max_pixels": str(PICTURE_LIMIT_PIXELS)}
"""FFmpeg decodes pictures to find out what a stream is: no more of them than it takes."""

RTSP_OPTIONS = {
    "allowed_media_types": "video",
    "analyzeduration": "500000",
    "probesize": "500000",
    "max_streams": str(STREAMS_LIMIT),
    **PROBE_OPTIONS,
}
FILE_OPTIONS = {"protocol_whitelist": "file", **PROBE_OPTIONS}
"""A file that names other addresses, as playlists do, is read no further."""

TO_ANNEX_B = {Codec.H264: "h264_mp4toannexb", Codec.HEVC: "hevc_mp4toannexb"}

HEVC_IN_H264 = [START + bytes([head, 1]) for head in (0x40, 0x42, 0x44, 0x60, 0x62)]
"""Headers and packets of H.265, as a reader of H.264 hands them on: units that no camera's H.264 has."""

FILE_OPEN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 4.0
SHOWN_ADDRESS = 200
"""Characters that are shown of an address to which a camera sends on."""

NAMED_ERRORS = (
    *(MemoryError, av.error.TimeoutError, av.error.ExitError),
    *(av.error.HTTPClientError, av.error.HTTPServerError),
)
"""Errors of a camera that breaks off no session."""

NO_END = sentence("camera-no-end")
UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN)

CAUSES: tuple[tuple[type[Exception], Sentence], ...] = (
    (av.error.HTTPUnauthorizedError, sentence("camera-login")),
    (av.error.HTTPForbiddenError, sentence("camera-forbidden")),
    (av.error.HTTPNotFoundError, sentence("camera-no-such-path")),
    (av.error.ConnectionRefusedError, sentence("camera-refused")),
    (av.error.HTTPBadRequestError, sentence("camera-bad-request")),
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


def _shown_address(address: str) -> str:
    """Give an address that a camera chose, so far as it can be shown."""
    return mask_address("".join(one for one in address if one.isprintable()))[:SHOWN_ADDRESS]


def _options(dialling: Dialling) -> dict[str, str]:
    """Give FFmpeg's options for a camera."""
    timeout_us = str(round(dialling.patience_s * 1_000_000))
    options = {**RTSP_OPTIONS, "rtsp_transport": str(dialling.transport), "timeout": timeout_us}
    is_numbered = dialling.transport is Transport.TCP and dialling.minds_numbers
    return options | IN_ORDER if is_numbered else options


def _end_process(what: Sentence) -> None:
    """Nothing else keeps FFmpeg from going on."""
    os._exit(1)


@dataclass(slots=True)
class _Opening:
    """One attempt to open a camera's stream, and how long it takes."""

    url: str
    dialling: Dialling
    began_s: float

    def cause(self, error: Exception, refusal: Refusal) -> Sentence:
        """Say why it failed."""
        known = cause_of_refusal(refusal, self.dialling, login_of(self.url))
        if known is not None:
            return known
        took_s = time.monotonic() - self.began_s
        if took_s >= self.dialling.limit_s:
            return NO_END
        if took_s >= self.dialling.patience_s and not refusal.method:
            return sentence("camera-patience", seconds=self.dialling.patience_s)
        is_other = isinstance(error, NAMED_ERRORS)
        if refusal.is_described and not refusal.method and not is_other:
            return sentence("camera-no-session", transport=str(self.dialling.transport).upper())
        return _cause_of_opening(self.url, error)

    def first_of(self, packets: "Iterator[Packet[VideoStream]]") -> "Iterator[Packet[VideoStream]]":
        """Wait for the first packet; StreamError when none comes."""
        try:
            first = next(packets, None)
        except (av.error.TimeoutError, av.error.ExitError):
            transport, seconds = str(self.dialling.transport).upper(), round(time.monotonic() - self.began_s)
            raise StreamError("camera-silent", transport=transport, seconds=seconds) from None
        except (av.error.FFmpegError, OSError) as error:
            raise StreamError("stream-broken", reason=cause_of(error)) from None
        return chain(() if first is None else (first,), packets)


def _orientation_of(path: str, index: int) -> Orientation:
    """Give how the pictures of a stream of a file are to be turned, which its access units do not tell."""
    try:
        with av.open(path, "r", options=dict(FILE_OPTIONS)) as container:
            stream = next(one for one in container.streams.video if one.index == index)
            for picture in container.decode(stream):
                return orientation_of(picture) or UPRIGHT
    except (av.error.FFmpegError, OSError, IndexError, StopIteration):
        pass  # whoever reads it next says why it cannot be read
    return UPRIGHT


def _shape_filter(stream: VideoStream) -> str:
    """Give what writes the shape of pixels into the headers, where the container alone has it."""
    aspect, context = stream.sample_aspect_ratio, stream.codec_context
    if not aspect or aspect == (context.sample_aspect_ratio or 1):
        return ""
    return f",{context.name}_metadata=sample_aspect_ratio={aspect.numerator}/{aspect.denominator}"


@dataclass(slots=True)
class ContainerConnection:
    """An open container with a video that can be taken, kept within the bounds of one camera."""

    container: InputContainer
    stream: VideoStream
    codec: Codec
    bounds: StreamBounds
    packets: "Iterator[Packet[VideoStream]]"
    loss: LossListener
    """Counts what is lost on the way, where somebody listens for it."""
    orientation: Orientation = UPRIGHT
    """How its pictures are to be turned, by the container's own words; each unit carries it."""

    @classmethod
    def open(
        cls,
        url: str,
        dialling: Dialling | None = None,
        loss: LossListener | None = None,
        refuse: Callable[[Sentence], None] = _end_process,
    ) -> "ContainerConnection":
        """Open it; StreamError when it cannot be opened or carries no video that can be taken.

        A camera is dialled as `dialling` says, and has sent its first packet when it is open. `loss` listens
        to what FFmpeg says. `refuse` ends the process, and says why, when a camera sends it on elsewhere.
        """
        loss = loss or LossListener()
        if kind_of(url) is not AddressKind.NETWORK:
            return cls._of(cls._open_file(url), loss, path=url)
        opening = _Opening(url, dialling or Dialling(), time.monotonic())
        limits_s = opening.dialling.limit_s, READ_TIMEOUT_S

        def look(sent_to: str) -> None:
            if not is_same_server(sent_to, url):
                refuse(sentence("camera-redirects", address=_shown_address(sent_to)))

        with listening(look) as said:
            try:
                container = av.open(url, "r", options=_options(opening.dialling), timeout=limits_s)
            except (av.error.FFmpegError, OSError, MemoryError) as error:
                raise StreamError(opening.cause(error, refusal_from(said))) from None
        connection = cls._of(container, loss)
        try:
            connection.packets = opening.first_of(connection.packets)
        except StreamError:
            connection.close()
            raise
        return connection

    @staticmethod
    def _open_file(path: str) -> InputContainer:
        timeouts_s = FILE_OPEN_TIMEOUT_S, READ_TIMEOUT_S
        try:
            return av.open(path, "r", options=dict(FILE_OPTIONS), timeout=timeouts_s)
        except (av.error.FFmpegError, OSError, MemoryError) as error:
            raise StreamError(_cause_of_opening(path, error)) from None

    @classmethod
    def _of(
        cls, container: InputContainer, loss: LossListener, path: str | None = None
    ) -> "ContainerConnection":
        """`path` is that of a file; None: the stream is live."""
        is_live = path is None
        try:
            stream, codec = cls._check(container, is_live)
        except StreamError:
            container.close()
            raise
        packets = packets_of(container, stream)
        packets = packets if is_live else with_times(packets, stream)
        bounds = StreamBounds(is_live, time.monotonic)
        orientation = UPRIGHT if path is None else _orientation_of(path, stream.index)
        return cls(container, stream, codec, bounds, packets, loss, orientation)

    @staticmethod
    def _check(container: InputContainer, is_live: bool) -> tuple[VideoStream, Codec]:
        """Give the video that is shown of those whose codec is taken; StreamError when there is none."""
        if is_live and len(container.streams) >= STREAMS_LIMIT:
            raise StreamError("stream-many", most=STREAMS_LIMIT)
        names = [(stream, _codec_name(stream)) for stream in container.streams.video]
        if not names:
            raise StreamError("stream-no-video")
        taken = [(stream, Codec(name)) for stream, name in names if name in TO_ANNEX_B]
        if not taken:
            raise StreamError("stream-codec", codec=names[0][1])
        chosen = min(taken, key=lambda one: not one[0].disposition & Disposition.default)
        context = chosen[0].codec_context
        if fault := size_fault(context.width, context.height):
            raise StreamError("stream-too-large", reason=fault)
        return chosen

    @property
    def resolution(self) -> tuple[int, int]:
        """Width and height in pixels of the pictures as they are shown; 0 before the stream has said it."""
        context = self.stream.codec_context
        width, height = self.bounds.resolution or (context.width, context.height)
        return shown_size(width, height, self.stream.sample_aspect_ratio, self.orientation)

    def units(self) -> Iterator[SourceUnit]:
        """Give access units until the stream ends; StreamError when it breaks or goes beyond a bound."""
        filters = f"{TO_ANNEX_B[self.codec]}{_shape_filter(self.stream)}"
        to_annex_b = BitStreamFilterContext(filters, self.stream)
        parameter_sets = ParameterSets(self.stream.codec_context.extradata or b"", self.codec)
        damage = SourceDamage(self.loss, self.codec)
        try:
            for packet in self.packets:
                self.bounds.check_length(packet.size)
                for unit in to_annex_b.filter(packet) if packet.size else ():
                    yield self._unit(unit, parameter_sets, damage)
        except (av.error.FFmpegError, OSError) as error:
            raise StreamError("stream-broken", reason=cause_of(error)) from None

    def _unit(
        self, packet: "Packet[VideoStream]", parameter_sets: ParameterSets, damage: SourceDamage
    ) -> SourceUnit:
        pts, time_base = packet.pts, packet.time_base
        stream_s = None if pts is None or time_base is None else float(pts * time_base)
        data = bytes(packet)
        self.bounds.check_unit(data)
        if self.codec is Codec.HEVC:
            is_keyframe = is_key_frame(data, self.codec)
        else:
            is_keyframe = bool(packet.is_keyframe)
            if any(unit in data for unit in HEVC_IN_H264):
                raise StreamError("camera-codec-changes", codec=Codec.HEVC.label)
        if is_keyframe:
            data = parameter_sets.complete(data)
        self.bounds.check_headers(data, self.codec)
        is_damaged = damage.see(data, is_keyframe, stream_s, bool(packet.is_corrupt))
        data = with_orientation(data, self.orientation, self.codec is Codec.HEVC)
        return SourceUnit(data, is_keyframe, stream_s, is_damaged, self.codec)

    def close(self) -> None:
        """Let go of the stream."""
        self.container.close()


def _codec_name(stream: VideoStream) -> str:
    """Give FFmpeg's name of a codec, also where it has no decoder for it."""
    context: VideoCodecContext | None = stream.codec_context
    return "unknown" if context is None else context.codec.canonical_name
