"""Pictures whose packets are lost, swapped or damaged on the way from a camera, over TCP and UDP."""

import logging
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av.logging
import pytest

from services.common.video.decoder import UnitDecoder
from services.common.video.source import SourceUnit
from services.core.errors import StreamError
from services.core.evidence.seconds import EvidenceJudge
from services.core.types import AccessUnit, CameraId
from services.ingest.apart.connection import ApartConnection
from services.ingest.container import ContainerConnection
from services.ingest.dialling import NUMBERS_RESTART, Dialler, Dialling, Transport
from services.ingest.loss import LOGGER, LossListener, listen_for_loss
from services.ingest.sources import RtspSource
from tests.fixtures.odd_camera import OddCamera
from tests.odd_cameras import odd_camera

FPS, GOP, PICTURES = 25, 25, 200
HABITS = ("--gop", str(GOP), "--hurry", "20", "--spare", "30")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that take some packets each."""
    path = tmp_path_factory.mktemp("loss") / "clip.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        graph = av.filter.Graph()
        source, sink = graph.add("testsrc2", "size=320x240:rate=25"), graph.add("buffersink")
        source.link_to(sink)
        graph.configure()
        for number in range(100):
            frame = graph.pull()
            frame.pts = number
            for packet in stream.encode(frame.reformat(format="yuv420p")):
                output.mux(packet)
        for packet in stream.encode(None):
            output.mux(packet)
    return path


@pytest.fixture
def lost() -> Iterator[LossListener]:
    """What is lost in this process, as that of a source listens for it."""
    logger = logging.getLogger(LOGGER)
    was = logger.propagate, list(logger.handlers)
    yield listen_for_loss()
    logger.propagate, logger.handlers = was
    av.logging.set_level(None)
    av.logging.set_skip_repeated(True)


def number_of(unit: SourceUnit) -> int:
    """Which picture of the camera it is, by its stamp; the first unit may have none."""
    return 0 if unit.stream_s is None else round(unit.stream_s * FPS)


def read(source: ContainerConnection | ApartConnection) -> dict[int, SourceUnit]:
    try:
        return {number_of(unit): unit for unit in islice(source.units(), PICTURES)}
    finally:
        source.close()


def hit(camera: OddCamera) -> set[int]:
    """The pictures of which something was lost or changed on the way."""
    (session,) = [one for one in camera.sessions if one.way.hit or one.playing]
    return session.way.hit


def standing_on(hits: set[int], last: int) -> set[int]:
    """The pictures that are hit or stand on one that is."""
    found, is_damaged = set(), False
    for number in range(last + 1):
        is_damaged = number in hits or (is_damaged and number % GOP != 0)
        found |= {number} if is_damaged else set()
    return found


@pytest.mark.parametrize(
    "habits", [("--loss", "0.03"), ("--loss", "0.03", "--lose-together", "4"), ("--lose-pictures", "0.03")]
)
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_what_is_lost_on_the_way_is_known_of_each_picture(
    clip: Path,
    transport: str,
    habits: tuple[str, ...],
    lost: LossListener,
) -> None:
    with odd_camera(clip, *HABITS, *habits) as camera:
        units = read(ContainerConnection.open(camera.url, Dialling(Transport(transport)), lost))
        hits = hit(camera)
    came = max(units)
    damaged = {number for number, unit in units.items() if unit.is_damaged}
    expected = standing_on({one for one in hits if one < came}, came) & units.keys()
    assert expected <= damaged
    before = {number - 1 for number in hits}
    """What was lost at the beginning of a picture may count as of the one before."""
    assert damaged <= standing_on(hits | before, came + 1)
    assert not damaged & set(range(29))


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_packets_that_change_places_damage_nothing(clip: Path, transport: str, lost: LossListener) -> None:
    with odd_camera(clip, *HABITS, "--swap", "0.05") as camera:
        units = read(ContainerConnection.open(camera.url, Dialling(Transport(transport)), lost))
    assert not any(unit.is_damaged for unit in units.values())
    decoder = UnitDecoder()
    assert not any(decoded_damage(decoder, units))


def decoded_damage(decoder: UnitDecoder, units: dict[int, SourceUnit]) -> list[bool]:
    found = []
    for number, unit in units.items():
        access = AccessUnit(CameraId("gate"), number, number / FPS, unit.is_keyframe, unit.data, 1)
        picture = decoder.decode(access)
        found.append(picture is not None and picture.is_damaged)
    return found


def test_wrong_bytes_within_a_packet_are_known_where_it_is_decoded(clip: Path) -> None:
    with odd_camera(clip, *HABITS, "--corrupt", "0.05") as camera:
        units = read(ApartConnection.open(camera.url))
        hits = hit(camera)
    damaged = [
        number
        for number, is_damaged in zip(units, decoded_damage(UnitDecoder(), units), strict=True)
        if is_damaged
    ]
    assert damaged
    assert set(damaged) <= standing_on(hits, max(units))
    first = damaged[0]
    assert set(range(first, first + GOP - first % GOP)) <= set(damaged), "all that stand on it, too"


def test_no_second_counts_in_which_most_pictures_stand_on_what_was_lost(clip: Path) -> None:
    with odd_camera(clip, *HABITS, "--loss", "0.02") as camera:
        units = read(ApartConnection.open(camera.url))
        hits = hit(camera)
    judge, decoder, counted = EvidenceJudge(CameraId("gate")), UnitDecoder(), []
    for number, unit in units.items():
        time_s = 1000.0 + number / FPS
        access = AccessUnit(
            CameraId("gate"), number, time_s, unit.is_keyframe, unit.data, 1, is_damaged=unit.is_damaged
        )
        picture = decoder.decode(access)
        if picture is None or picture.is_damaged:
            judge.skip(has_missed=picture is None)
        else:
            counted += [second.second for second in judge.add(time_s)]
    damaged = standing_on(hits, max(units))
    shares = {
        second: sum(number in damaged for number in range((second - 1000) * FPS, (second - 999) * FPS)) / FPS
        for second in range(1001, 1000 + math.floor(max(units) / FPS))
    }
    assert [shares[second] for second in counted if shares[second] > 0.56] == []
    assert len([share for share in shares.values() if share > 0.56]) >= 3


def test_a_camera_that_numbers_its_packets_anew_plays_from_the_second_session_on(clip: Path) -> None:
    dialler = Dialler()
    with odd_camera(clip, *HABITS, "--restart-numbers", "50") as camera:
        source = RtspSource(camera.url, dialler)
        with pytest.raises(StreamError) as refused:
            for _ in source.connect().units():
                pass
        assert refused.value.sentence.code == NUMBERS_RESTART
        connection = source.connect()
        units = list(islice(connection.units(), PICTURES))
        connection.close()
    assert len(units) == PICTURES and not any(unit.is_damaged for unit in units)
