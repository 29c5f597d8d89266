"""What a camera's address opens: only the files that may be cameras, and the reason where it does not."""

from functools import partial
from pathlib import Path

import pytest

from services.common.bus.local import LocalBus
from services.common.settings.cameras import CameraFiles
from services.common.video.hub import VideoHub
from services.core.errors import StreamError
from services.core.types import Camera, CameraId, CameraStatus
from services.demo import demo_source
from services.demo.encode import DemoSource
from services.ingest import sources
from services.ingest.dialling import Dialling
from services.ingest.service import CameraIngest
from services.ingest.sources import RtspSource, source_of
from tests.processes import wait_until


def test_a_stored_file_outside_is_degraded_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "there.mp4").write_text("no video")
    files = CameraFiles.of([tmp_path / "clips"])
    causes = []
    for name in ("there.mp4", "absent.mp4"):
        bus = LocalBus()
        camera = Camera(CameraId("gate"), "Gate", str(tmp_path / name))
        ingest = CameraIngest(camera, bus.events, bus.states, VideoHub(), partial(source_of, files=files))
        ingest.start()
        try:
            state = wait_until(
                lambda bus=bus: (
                    (s := bus.states.state(CameraId("gate"))) and s.status is CameraStatus.DEGRADED and s
                ),
                10,
                "it is degraded",
            )
        finally:
            ingest.stop()
        causes.append(state.last_error)  # type: ignore[attr-defined]
    assert "file_camera_folders" in causes[0]
    assert causes[0] == causes[1], "one can tell whether the file is there"


def test_files_within_and_files_of_whoever_starts_it_are_opened(tmp_path: Path) -> None:
    (tmp_path / "there.mp4").write_text("no video")
    for files in (CameraFiles.of([tmp_path]), CameraFiles.of([], [str(tmp_path / "there.mp4")]), None):
        with pytest.raises(StreamError, match="no video stream"):
            source_of(str(tmp_path / "there.mp4"), files).connect()


def test_a_name_that_ffmpeg_would_take_for_a_protocol_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "concat:a.mp4").write_text("no video")
    with pytest.raises(StreamError, match="no video stream"):
        source_of("concat:a.mp4").connect()


def test_what_ffmpeg_says_of_an_address_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "RTSP://u:pa s3cret@192.0.2.1/s?token=a s3cond"
    opened = []

    def refuse(address: str, *, dialling: Dialling) -> None:
        opened.append(address)
        raise StreamError(f"cannot open {address}: pa s3cret")

    monkeypatch.setattr(sources.ApartConnection, "open", refuse)
    source = source_of(url)
    assert isinstance(source, RtspSource)
    with pytest.raises(StreamError) as error:
        source.connect()
    assert opened == [url.replace("RTSP", "rtsp").replace("pa s3cret", "pa%20s3cret")]
    assert "s3c" not in str(error.value)


def test_a_scene_is_a_camera_only_where_the_demo_is_given() -> None:
    with pytest.raises(StreamError, match="not supported"):
        source_of("demo://traffic")
    assert isinstance(source_of("demo://traffic", demo=demo_source), DemoSource)
    with pytest.raises(StreamError, match="no such demo"):
        source_of("demo://roundabout", demo=demo_source)
    with pytest.raises(StreamError, match="not supported"):
        source_of("http://192.0.2.1/video", demo=demo_source)
