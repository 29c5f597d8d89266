"""What the RTSP server does without GStreamer: time stamps, credentials, and what it says without it."""

import base64
import sys

import pytest

from services.common.rtsp import gstreamer
from services.common.rtsp.access import Door
from services.common.rtsp.output import FIRST_PTS_S, STEP_S, StreamClock
from services.core.errors import SightlineError


def header(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_time_stamps_follow_capture_times_within_a_connection():
    clock = StreamClock()
    given = [clock.pts_s(7, 1000.0 + step) for step in (0.0, 0.12, 0.04, 0.08)]
    assert given == pytest.approx([FIRST_PTS_S + step for step in (0.0, 0.12, 0.04, 0.08)])


@pytest.mark.parametrize(
    ("second_s", "expected_s"),
    [(1060.0, FIRST_PTS_S + 60), (1001.0, FIRST_PTS_S + 1 + STEP_S), (500.0, FIRST_PTS_S + 1 + STEP_S)],
)
def test_time_stamps_never_go_back_between_connections(second_s: float, expected_s: float):
    clock = StreamClock()
    clock.pts_s(1, 1000.0)
    clock.pts_s(1, 1001.0)
    assert clock.pts_s(2, second_s) == pytest.approx(expected_s)
    assert clock.pts_s(2, second_s + 0.5) == pytest.approx(expected_s + 0.5)


class Check:
    """Knows one account and one token, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.token, self.stamps = "the-token", {"ann": "hash"}

    def check_token(self, token: str) -> bool:
        return token == self.token

    def check_password(self, user: str, password: str, address: str = "") -> bool:
        self.asked.append((user, password, address))
        return (user, password) == ("ann", "secret")

    def stamp(self, user: str) -> str:
        return self.stamps.get(user, "")


def test_the_door_opens_for_accounts_and_tokens():
    check = Check()
    door = Door(check)
    assert door.is_open(header("ann:secret"), "10.0.0.5")
    assert check.asked == [("ann", "secret", "10.0.0.5")]
    assert door.is_open(header("whoever:the-token"), "10.0.0.5")
    assert door.is_open(header(":the-token"), "10.0.0.5")
    assert len(check.asked) == 1, "a token needs no slow check"
    for refused in (header("ann:wrong"), header(":secret"), header("the-token:"), "", None):
        assert not door.is_open(refused, "10.0.0.5")
    assert Door(None).is_open(None, "10.0.0.5")


def test_what_opened_the_door_holds_until_it_is_taken_away():
    check = Check()
    door = Door(check)
    by_token, by_password = door.admit(header(":the-token"), ""), door.admit(header("ann:secret"), "")
    assert by_token is not None and by_password is not None
    assert "the-token" not in repr(by_token) and "hash" not in repr(by_password)
    assert door.still_holds(by_token) and door.still_holds(by_password)
    assert len(check.asked) == 1, "no password is checked once more"
    check.token, check.stamps = "another", {"ann": "a new password's"}
    assert not door.still_holds(by_token) and not door.still_holds(by_password)
    check.stamps = {}
    assert not door.still_holds(by_password)


def test_missing_libraries_are_said_in_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gstreamer, "DEBIAN_FOLDER", "/nowhere")
    for name in [name for name in sys.modules if name == "gi" or name.startswith("gi.")]:
        monkeypatch.delitem(sys.modules, name)
    path = list(sys.path)
    monkeypatch.setattr(sys, "path", [entry for entry in path if "dist-packages" not in entry])
    with pytest.raises(SightlineError) as caught:
        gstreamer._loaded.__wrapped__()
    text = str(caught.value)
    assert "\n" not in text
    assert "apt-get install python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base" in text
    assert "/nowhere" not in sys.path


def test_a_token_alone_that_opens_nothing_is_noted():
    class Watching(Check):
        def refuse_token(self, address: str) -> None:
            noted.append(address)

    noted: list[str] = []
    door = Door(Watching())
    assert not door.is_open(header(":wrong"), "10.0.0.5")
    assert not door.is_open(header(":"), "10.0.0.5")
    assert not door.is_open(header("ann:wrong"), "10.0.0.5")
    assert door.is_open(header(":the-token"), "10.0.0.5")
    assert noted == ["10.0.0.5"]
