"""The packets of one stream of a container."""

from collections.abc import Iterator

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream


def packets_of(container: InputContainer, stream: VideoStream) -> "Iterator[Packet[VideoStream]]":
    """Give the packets of a stream up to its end; raises FFmpegError.

    In containers whose streams may join later, such as MPEG-TS, PyAV may look at the end for a stream that it
    does not know, where nothing comes any more.
    """
    try:
        yield from container.demux(stream)
    except IndexError:
        return
