"""What a camera's refusal means, and how it is dialled the next time; without any camera."""

import pytest

from services.core.sentences.sentence import sentence
from services.core.types import CameraStatus
from services.ingest.dialling import (
    ACCESS_REFUSED,
    MOST_REMEMBERED,
    Dialler,
    Dialling,
    Transport,
    cause_of_refusal,
    failure_of,
    refusal_from,
    unanswered_kind,
)
from services.ingest.reconnect import LONGEST_WAIT_S, REFUSED_WAIT_S, ConnectionState
from services.ingest.sources import Presence

DIGEST = 'Digest realm="cam", nonce="1"'


@pytest.mark.parametrize(
    ("challenges", "kind"),
    [
        ([DIGEST], ""),
        (['Basic realm="x"'], ""),
        ([], ""),
        ([f"{DIGEST}, algorithm=MD5-sess"], ""),
        ([f'{DIGEST}, qop="auth-int,auth"'], ""),
        ([f'{DIGEST}, qop="auth-int"'], "Digest qop=auth-int"),
        ([f"{DIGEST}, algorithm=SHA-256"], "Digest SHA-256"),
        ([f'{DIGEST}, algorithm="SHA-512-256"'], "Digest SHA-512-256"),
        ([DIGEST, f"{DIGEST}, algorithm=SHA-256"], "Digest SHA-256"),
        ([f"{DIGEST}, algorithm=SHA-256", DIGEST], ""),
        (['Basic realm="x"', f"{DIGEST}, algorithm=SHA-256", 'Basic realm="y"'], "Digest SHA-256"),
        ([f"{DIGEST}, stale=true"], "Digest stale=true"),
        (['Digest realm="a\\"b", nonce="1"'], "Digest realm, nonce"),
        ([f'Digest realm="cam", nonce="{"n" * 350}"'], "Digest realm, nonce"),
        (["Bearer <script>"], "Bearer"),
        (["Digest algorithm=" + "<x>" * 200], "Digest " + "x" * 20),
    ],
)
def test_which_logins_can_be_answered(challenges: list[str], kind: str) -> None:
    assert unanswered_kind(challenges) == kind


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([], None),
        (["method SETUP failed: 461 Unsupported\n", "CSeq: 3\n"], "camera-transport"),
        (["Nonmatching transport in server reply\n"], "camera-transport"),
        (["method DESCRIBE failed: 404 Not Found\n", "CSeq: 2\n"], None),
        (["method DESCRIBE failed: 401\n", f"CSeq: 3\nwww-authenticate: {DIGEST}\n"], "camera-login"),
        (["method SETUP failed: 401\n", "CSeq: 3\n"], "camera-login"),
        (["SDP:\nv=0\n", "method SETUP failed: 401\n", "CSeq: 3\n"], "camera-login-later"),
        (["SDP:\nv=0\n", "method PLAY failed: 461 No\n", "CSeq: 4\n"], "camera-transport"),
    ],
)
def test_a_refusal_is_read_from_what_ffmpeg_says(messages: list[str], code: str | None) -> None:
    cause = cause_of_refusal(refusal_from(messages), Dialling(), "user:pw")
    assert (cause and cause.code) == code


def test_what_worked_is_remembered_for_each_address_within_bounds() -> None:
    dialler = Dialler(7.0)
    assert [way.transport for way in dialler.ways("a")] == [Transport.TCP, Transport.UDP]
    dialler.remember("a", Transport.UDP)
    assert [way.transport for way in dialler.ways("a")] == [Transport.UDP, Transport.TCP]
    assert [way.transport for way in dialler.ways("b")] == [Transport.TCP, Transport.UDP]
    assert {way.patience_s for way in dialler.ways("a")} == {7.0}
    for number in range(MOST_REMEMBERED):
        dialler.remember(str(number), Transport.UDP)
    assert dialler.ways("a")[0].transport is Transport.TCP


def test_the_failure_that_is_told_is_the_one_that_helps() -> None:
    refused = sentence("camera-transport", transport="TCP", answer=461)
    silent = sentence("camera-silent", transport="UDP", seconds=15)
    assert failure_of([refused, silent]) == silent
    assert failure_of([silent, refused]) == silent
    assert failure_of([sentence("camera-login")]).code == "camera-login"
    both = [sentence("camera-silent", transport=way, seconds=15) for way in ("TCP", "UDP")]
    assert failure_of(both) == sentence("camera-silent-both", seconds=15)


@pytest.mark.parametrize("code", ACCESS_REFUSED)
def test_who_was_refused_waits_for_five_minutes_and_any_other_failure_for_less(code: str) -> None:
    machine = ConnectionState.begin(0.0)
    params = {"camera-login-kind": {"kind": "Digest SHA-256"}, "camera-login-later": {"method": "SETUP"}}
    cause = sentence(code, **params.get(code, {}))
    assert [machine.on_failure(time_s, cause)[1] for time_s in (1.0, 301.0, 601.0)] == [REFUSED_WAIT_S] * 3
    assert machine.on_failure(901.0, sentence("stream-broken", reason=cause))[1] == REFUSED_WAIT_S
    assert machine.state.status is CameraStatus.DEGRADED
    waits_s = [machine.on_failure(1000.0 + number, sentence("camera-refused"))[1] for number in range(7)]
    assert waits_s == [1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_WAIT_S, LONGEST_WAIT_S]


def test_a_camera_with_tls_is_looked_for_at_its_own_port() -> None:
    assert Presence.of("RTSPS://u:[p]@cam.local/x") == Presence("cam.local", 322)
    assert Presence.of("Rtsp://cam.local/x") == Presence("cam.local", 554)
