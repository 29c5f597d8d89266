"""Decoded pictures as a person sees them: whole, upright, of their true shape and colours (docs/adr/0047).

Most pictures are so already, and are passed on untouched.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import av
from av.filter import Graph
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import ColorTrc

from services.core.upright import UPRIGHT, Orientation, orientation_from, shown_size

PQ, HLG = int(ColorTrc.SMPTE2084), int(ColorTrc.ARIB_STD_B67)
"""How brightness is coded (`color_trc`) where there is more of it than a screen shows."""

_NUMBERS = Fraction(1)
_TURNS = ((), ("transpose",), ("hflip", "vflip"), ("transpose",))
_TURN_OPTIONS = {1: "dir=clock", 3: "dir=cclock"}

Numbered = tuple[int, VideoFrame]
"""A picture with the number that it was given in with."""


def orientation_of(picture: VideoFrame) -> Orientation | None:
    """Give how a decoded picture is to be turned; None where it says nothing of it."""
    matrix = picture.side_data.get(Type.DISPLAYMATRIX)  # type: ignore[call-overload]
    return None if matrix is None else orientation_from(bytes(matrix))


@dataclass(frozen=True, slots=True)
class _Form:
    """What pictures have in common that are treated alike."""

    width: int
    height: int
    format: str
    colours: int
    range: int
    curve: int
    """How brightness is coded (`color_trc`)."""
    size: tuple[int, int]
    """Width and height before it is turned, with square pixels."""
    orientation: Orientation
    is_interlaced: bool

    @property
    def is_shown_as_it_is(self) -> bool:
        """Whether nothing has to be done but its colours."""
        is_whole = not self.is_interlaced and self.orientation == UPRIGHT
        return is_whole and self.size == (self.width, self.height)

    def filters(self) -> Iterable[tuple[str, str]]:
        """Give name and options of what is done, in order."""
        if self.is_interlaced:
            yield "yadif", "deint=interlaced"
        if self.size != (self.width, self.height):
            yield "scale", f"w={self.size[0]}:h={self.size[1]}:flags=bicubic"
            yield "setsar", "1"
        if self.orientation.is_mirrored:
            yield "hflip", ""
        for name in _TURNS[self.orientation.quarters]:
            yield name, _TURN_OPTIONS.get(self.orientation.quarters, "")


class ShownPictures:
    """Makes the pictures of one stream what a person should see.

    A picture of two fields comes out with the one after it: it is put together of its neighbours as well.
    """

    def __init__(self) -> None:
        self._form: _Form | None = None
        self._graph: Graph | None = None
        self._orientation = UPRIGHT
        self._angle_degrees: int | None = None
        self._is_interlaced = False

    def show(self, number: int, picture: VideoFrame, pixel_aspect: Fraction | None = None) -> list[Numbered]:
        """Take the next picture; give those that are ready, most often this one alone.

        `pixel_aspect` is the width of a pixel by its height. Raises FFmpegError.
        """
        form = self._form_of(picture, pixel_aspect)
        ready = self.rest() if form != self._form else []
        if form != self._form:
            self._form, self._graph = form, None if form.is_shown_as_it_is else _graph(form)
        if self._graph is None:
            return [*ready, *self._coloured([(number, picture)])]
        picture.pts, picture.time_base = number, _NUMBERS
        self._graph.vpush(picture)
        return [*ready, *self._pulled(self._graph)]

    def rest(self) -> list[Numbered]:
        """Give what was kept back, at the end of the stream."""
        graph, self._graph = self._graph, None
        if graph is None:
            return []
        graph.vpush(None)
        ready, self._form = self._pulled(graph), None
        return ready

    def _form_of(self, picture: VideoFrame, pixel_aspect: Fraction | None) -> _Form:
        self._see_orientation(picture)
        self._is_interlaced |= picture.interlaced_frame
        return _Form(
            picture.width,
            picture.height,
            picture.format.name,
            int(picture.colorspace),
            int(picture.color_range),
            int(picture.color_trc),
            shown_size(picture.width, picture.height, pixel_aspect),
            self._orientation,
            self._is_interlaced,
        )

    def _see_orientation(self, picture: VideoFrame) -> None:
        """Look closer only where the angle changes: a picture that is looked at closely lives until garbage
        is collected."""
        angle_degrees = picture.rotation
        if angle_degrees != self._angle_degrees and (angle_degrees or picture.key_frame):
            self._angle_degrees = angle_degrees
            self._orientation = orientation_of(picture) or UPRIGHT

    def _pulled(self, graph: Graph) -> list[Numbered]:
        ready: list[Numbered] = []
        while True:
            try:
                picture = graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return self._coloured(ready)
            number = round((picture.pts or 0) * (picture.time_base or _NUMBERS))
            ready.append((number, picture))

    def _coloured(self, pictures: list[Numbered]) -> list[Numbered]:
        curve = self._form.curve if self._form is not None else 0
        if curve not in (PQ, HLG):
            return pictures
        # Loaded where it is needed: the process of a camera's source takes half the memory without.
        from services.common.video.tones import tone_mapped

        return [(number, tone_mapped(picture, curve)) for number, picture in pictures]


def _graph(form: _Form) -> Graph:
    """Make what treats pictures of a form, without threads of its own."""
    graph = Graph()
    graph.threads = 1
    source = graph.add(
        "buffer",
        f"video_size={form.width}x{form.height}:pix_fmt={form.format}:time_base=1/1:pixel_aspect=1/1"
        f":colorspace={form.colours}:range={form.range}",
    )
    nodes = [graph.add(name, options or None) for name, options in form.filters()]
    graph.link_nodes(source, *nodes, graph.add("buffersink"))
    graph.configure()
    return graph
