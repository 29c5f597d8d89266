"""Video files: pictures as a person sees them, with their time from the file's start."""

import re
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import dropwhile
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from services.common.files import file_url
from services.common.video.packets import packets_of
from services.common.video.shown import ShownPictures, orientation_of
from services.core.clip_gaps import ClipGaps, PictureState
from services.core.errors import BadInputError
from services.core.limits import PICTURE_LIMIT_PIXELS, size_fault
from services.core.upright import UPRIGHT, shown_size
from services.detector.decode.clip_clock import ClipClock

FALLBACK_FPS = 25.0
HIGHEST_FPS = 1000.0
"""A rate above this is a fault of the file's writer."""

OPTIONS = {"max_pixels": str(PICTURE_LIMIT_PIXELS), "protocol_whitelist": "file"}
"""FFmpeg reserves nothing for a picture that is larger, and a file leads to no other place."""

DECODER_OPTIONS = {"max_pixels": str(PICTURE_LIMIT_PIXELS), "flags": "+output_corrupt"}
"""A picture of H.265 that stands on a missing one is given, too, and called damaged."""

OF_PARTS, WITHOUT_STAMPS = 0x200, 0x80
"""Flags of a container: what can be joined, and what has no stamps (`AVFMT_TS_DISCONT`, `NOTIMESTAMPS`)."""

STILLS = frozenset({"image2", "image2pipe", "ico", "tiff_pipe"})

ORDERED = frozenset({"avi"})
"""Containers whose stamps are those of decoding; what FFmpeg makes of them where pictures are out of order is
not when they show."""

LONGEST_S = 7 * 86_400.0
"""An AVI of more pictures than this takes did not know their number when its header was written."""

SILENT = frozenset({"hevc"})
"""Codecs whose decoder says nothing of what it makes up, and little where it is asked to: there what follows
packets that are lost is damaged, unless it is a key frame. So it is where files were joined."""

STAMPS_LIMIT = 64
"""Packets that a decoder may keep back, and more."""

FAULTS_LIMIT = 16
"""Faults of the container one after the other, with nothing between them, behind which nothing comes."""

MP4_BEGINS = (b"ftyp", b"mdat", b"moov", b"wide", b"free", b"skip")
"""Boxes with which an .mp4 or .mov begins."""

_LENGTH = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


class VideoFile:
    """A file with a video stream, opened to read it once; a context manager.

    BadInputError when the file is missing, is no video, has no video stream, no picture that can be decoded,
    or pictures that are too large.
    """

    def __init__(self, path: Path) -> None:
        _check_place(path)
        try:
            self._container: InputContainer = av.open(file_url(path), "r", options=dict(OPTIONS))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise BadInputError(_fault_of(path, error)) from error
        self.path = path
        try:
            self._stream = self._chosen_stream()
            self._stream.thread_count = 1
            self._is_silent = self._stream.codec.name in SILENT
            self._stream.codec_context.options = dict(DECODER_OPTIONS)
            self._check_size(self._stream.width, self._stream.height)
            self._shown, self._lost, self._is_doubtful = ShownPictures(), 0, False
            self._stamps = _Stamps(self._container.format.name in ORDERED)
            self._raw = dropwhile(self._is_without_key, self._decoded())
            self._first = self._first_picture()
        except BaseException:
            self._container.close()
            raise
        self.gaps = ClipGaps(1 / self.fps)
        """What could not be counted of what was read so far."""
        self.length_s = 0.0
        """How long the file is, known when all pictures were given."""

    def __enter__(self) -> "VideoFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def _chosen_stream(self) -> VideoStream:
        films = [
            one for one in self._container.streams.video if not one.disposition & Disposition.attached_pic
        ]
        if not films:
            raise BadInputError(f"{self.path} has no video stream")
        films = [film for film in films if _has_decoder(film)]
        if not films:
            raise BadInputError(f"{self.path} cannot be read: nothing here decodes its video")
        return min(films, key=lambda film: (not film.width, not film.disposition & Disposition.default))

    def _check_size(self, width: int, height: int) -> None:
        fault = str(size_fault(width, height) or "")
        if not min(width, height):
            fault = "its pictures cannot be decoded, or are larger than Sightline takes"
        if fault:
            raise BadInputError(f"{self.path} cannot be taken: {fault}")

    def _first_picture(self) -> VideoFrame:
        first = next(self._raw, None)
        if first is None:
            raise BadInputError(f"{self.path} holds no picture that can be decoded")
        if self._is_still():
            raise BadInputError(f"{self.path} is a picture: `sightline detect` takes it, named as one (.jpg)")
        return first

    def _is_without_key(self, raw: VideoFrame) -> bool:
        """Return whether a picture comes before the first one that a decoder can begin with."""
        return raw.is_corrupt and not raw.key_frame

    def _is_still(self) -> bool:
        name = self._container.format.name
        return (name in STILLS or name.endswith("_pipe")) and self._stream.frames <= 1

    @property
    def fps(self) -> float:
        """Pictures a second as the file states them."""
        stream, rates = self._stream, list[Fraction | None]()
        if self._container.format.flags & WITHOUT_STAMPS:
            rates.append(stream.codec_context.framerate)
        rates += [stream.average_rate, stream.guessed_rate]
        return next((float(rate) for rate in rates if rate and 0 < rate <= HIGHEST_FPS), FALLBACK_FPS)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of its first picture as it is shown."""
        first = self._first
        return shown_size(first.width, first.height, self._pixel_aspect, orientation_of(first) or UPRIGHT)

    @property
    def _pixel_aspect(self) -> Fraction | None:
        return self._stream.sample_aspect_ratio or self._stream.codec_context.sample_aspect_ratio

    @property
    def frames(self) -> int:
        """Pictures as the file states them, estimated from its length otherwise; 0 when unknown."""
        if self._stream.frames:
            return self._stream.frames
        length = self._container.duration
        return round(length / av.time_base * self.fps) if length else 0

    @property
    def declared_s(self) -> float | None:
        """How long its video is by its own words; None where it says nothing that can be relied on."""
        container, stream = self._container, self._stream
        if container.format.flags & (OF_PARTS | WITHOUT_STAMPS):
            return None
        counted_s = float(stream.frames * (stream.time_base or 0))
        if container.format.name in ORDERED and 0 < counted_s <= LONGEST_S:
            return counted_s  # FFmpeg shortens the duration of one that was cut off
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        tagged_s = _seconds(stream.metadata.get("DURATION", ""))
        if tagged_s is not None:
            return tagged_s - (stream.start_time or 0) * float(stream.time_base or 0)
        is_of_video = len(container.streams) == 1 and bool(container.duration)
        return (container.duration or 0) / av.time_base if is_of_video else None

    def pictures(self) -> Iterator[tuple[float, VideoFrame]]:
        """Give each picture, as it is to be seen, with its time in seconds from the file's first one.

        A damaged part is skipped, and is a gap.
        """
        clock = ClipClock(1 / self.fps, bool(self._container.format.flags & OF_PARTS))
        times_s: dict[int, float] = {}
        for number, raw in enumerate(self._all()):
            time_s = times_s[number] = clock.time_s(self._stamps.of(raw))
            self._see(time_s, raw)
            for shown, picture in self._shown.show(number, raw, self._pixel_aspect):
                yield times_s.pop(shown), picture
        for shown, picture in self._shown.rest():
            yield times_s.pop(shown), picture
        self.length_s = self.gaps.end(self.declared_s, self._take_lost())

    def _see(self, time_s: float, raw: VideoFrame) -> None:
        duration_s = float((raw.duration or 0) * (raw.time_base or 0))
        doubtful, self._is_doubtful = self._is_doubtful, False
        state = PictureState(raw.key_frame, raw.is_corrupt, bool(self._take_lost()), doubtful)
        self.gaps.see(time_s, duration_s, state)

    def _all(self) -> Iterator[VideoFrame]:
        yield self._first
        yield from self._raw

    def _take_lost(self) -> int:
        """Give how many pictures were lost since the newest one."""
        lost, self._lost = self._lost, 0
        return lost

    def _decoded(self) -> Iterator[VideoFrame]:
        """Give what can be decoded, as the decoder gives it."""
        for packet in self._packets():
            try:
                yield from packet.decode()
            except av.error.EOFError:
                continue
            except av.error.FFmpegError:
                self._lost += 1
        lost = self._take_lost()  # after those that the decoder has kept back
        with suppress(av.error.FFmpegError):
            yield from self._stream.codec_context.decode(None)
        self._lost += lost

    def _packets(self) -> Iterator["Packet[VideoStream]"]:
        """Give the packets of the video without the empty one at the end; reading goes on behind a fault."""
        faults, was_corrupt = 0, False
        while faults <= FAULTS_LIMIT:
            try:
                for packet in packets_of(self._container, self._stream):
                    if packet.size:
                        faults = 0
                        self._is_doubtful |= packet.is_corrupt
                        if was_corrupt and not packet.is_keyframe:
                            self._lost = max(1, self._lost)
                        was_corrupt = packet.is_corrupt and self._is_silent
                        self._stamps.take(packet)
                        yield packet
                return
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self._lost = max(1, self._lost)
                faults += 1


def _has_decoder(stream: VideoStream) -> bool:
    """Return whether there is a decoder; without one PyAV has no context, whatever its types say."""
    context: VideoCodecContext | None = stream.codec_context
    return context is not None


class _Stamps:
    """The stamps of pictures, also where their container has only those of packets in the order of decoding.

    Such a stamp says when a picture is decoded: the first picture that shows has the earliest of them.
    """

    def __init__(self, is_of_packets: bool) -> None:
        self._decoded_s: deque[float] = deque(maxlen=STAMPS_LIMIT)
        self._is_of_packets = is_of_packets

    def take(self, packet: "Packet[VideoStream]") -> None:
        """Take a packet before it is decoded."""
        if self._is_of_packets and packet.dts is not None and packet.time_base is not None:
            self._decoded_s.append(float(packet.dts * packet.time_base))

    def of(self, picture: VideoFrame) -> float | None:
        """Give the stamp of the next picture in seconds, None where it has none."""
        if self._is_of_packets:
            return self._decoded_s.popleft() if self._decoded_s else None
        return None if picture.time is None else float(picture.time)


def _seconds(text: str) -> float | None:
    """Read `00:01:02.500000000`, as Matroska writes lengths."""
    found = _LENGTH.fullmatch(text)
    return None if found is None else int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])


def _check_place(path: Path) -> None:
    """BadInputError unless there is a file with something in it."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        is_missing = isinstance(error, FileNotFoundError | NotADirectoryError | ValueError)
        cause = f"there is no file {path}" if is_missing else f"{path} cannot be read: {error}"
        raise BadInputError(cause) from None
    if stat.S_ISDIR(status.st_mode):
        raise BadInputError(f"{path} is a folder: give one video file")
    if not stat.S_ISREG(status.st_mode):
        raise BadInputError(f"{path} is no ordinary file: save the video into one first")
    if not status.st_size:
        raise BadInputError(f"{path} is empty")


def _fault_of(path: Path, error: Exception) -> str:
    """Say why a file cannot be opened as a video."""
    if isinstance(error, PermissionError):
        return f"{path} cannot be read: {error.strerror}"
    try:
        with path.open("rb") as file:
            begin = file.read(8)
    except OSError as fault:
        return f"{path} cannot be read: {fault.strerror}"
    if begin[4:] in MP4_BEGINS:
        return (
            f"{path} is cut off: the index (moov) at its end is missing, without which nothing of an "
            ".mp4 can be read. Copy it anew, or repair it with a program that rebuilds the index"
        )
    return f"{path} is no video that can be read"
