"""What the check-up says of a camera's stream, on made-up streams; and that it shows no credential."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from services.cli import doctor
from services.cli.doctor import report
from services.cli.doctor_host import Finding
from services.common.video.source import SourceUnit
from services.core.errors import StreamError
from services.core.sentences.sentence import plain, sentence

URL = "rtsp://user:s3cret@192.0.2.1/live"


@dataclass
class FakeStream:
    """A source and its connection in one."""

    stream: list[SourceUnit]
    refusal: str = ""
    resolution: tuple[int, int] = (640, 360)
    closed: bool = False

    def connect(self) -> "FakeStream":
        if self.refusal:
            raise StreamError(self.refusal)
        return self

    def units(self) -> Iterator[SourceUnit]:
        yield from self.stream

    def close(self) -> None:
        self.closed = True


def _units(times_s: list[float], keyframe_every: int) -> list[SourceUnit]:
    return [SourceUnit(b"x", i % keyframe_every == 0, time_s) for i, time_s in enumerate(times_s)]


def _check(monkeypatch: pytest.MonkeyPatch, stream: FakeStream) -> dict[str, Finding]:
    monkeypatch.setattr(doctor, "source_of", lambda url, demo: stream)
    return {check.name: check for check in doctor.check_camera(URL)}


def test_a_good_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = FakeStream(_units([i / 25 for i in range(100)], 25))
    checks = _check(monkeypatch, stream)
    assert {check.state for check in checks.values()} == {"good"}
    assert checks["stream"].what.text.startswith("H.264, 640x360")
    assert checks["rate"].what.text == "25.0 frames a second"
    assert checks["key frames"].what.text == "every 1.0 s"
    assert stream.closed


def test_b_frames_and_rare_key_frames_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    times_s = [0.0, 0.12, 0.04, 0.08, 0.24, 0.16, 0.2]
    checks = _check(monkeypatch, FakeStream(_units(times_s, 100)))
    assert checks["B-frames"].state == "note"
    assert checks["key frames"].state == "note"
    assert checks["rate"].what.text == "25.0 frames a second"


def test_a_stream_without_times(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = _check(monkeypatch, FakeStream([SourceUnit(b"x", True, None)] * 3))
    assert checks["rate"].state == "unknown"


def test_a_stream_without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _check(monkeypatch, FakeStream([]))["stream"].state == "wrong"


def test_a_refusal_is_given_in_the_words_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    check = _check(monkeypatch, FakeStream([], refusal="camera-login"))["stream"]
    assert check == Finding("wrong", "stream", sentence("camera-login"))


def test_the_report_shows_no_credential() -> None:
    text = report([Finding("wrong", "stream", plain(f"cannot open {URL}: s3cret is wrong"))], URL)
    assert "s3cret" not in text
    assert "rtsp://user:***@192.0.2.1/live" in text


def test_what_was_seen_is_not_kept_in_memory() -> None:
    units = doctor._watch(FakeStream([SourceUnit(bytes(1000), True, 0.0)] * 3))
    assert [(unit.data, unit.is_keyframe) for unit in units] == [(b"", True)] * 3
