"""Who may watch by RTSP: accounts and tokens, refused before anything else is told."""

import base64
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import av
import pytest

from services.common.access.check import Access, AccessCheck, token_hash
from services.common.access.passwords import hash_password
from services.ingest.relay import RelayServer
from tests.makers import GATE
from tests.processes import wait_until
from tests.rtsp_clients import take, watching

pytestmark = pytest.mark.rtsp

PASSWORD, TOKEN = "a long pass:word!", "t" * 40
LOGINS = "ann:a%20long%20pass%3Aword!", f"anybody:{TOKEN}"
TRANSPORTS = "tcp", "udp"


@pytest.fixture(scope="module")
def access() -> Access:
    return Access({"ann": hash_password(PASSWORD)}, frozenset({token_hash(TOKEN)}))


@pytest.fixture
def guarded(hub, access: Access) -> Iterator[RelayServer]:
    relay = RelayServer(hub, "127.0.0.1", 0, AccessCheck(lambda: access))
    relay.start()
    relay.set_cameras([GATE], GATE)
    yield relay
    relay.stop()


def ask(relay: RelayServer, text: str) -> str:
    """The answer to one request, as it is on the wire."""
    with socket.create_connection(("127.0.0.1", relay.port), timeout=5) as client:
        client.sendall(text.replace("PORT", str(relay.port)).replace("\n", "\r\n").encode())
        return client.recv(4000).decode()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("login", LOGINS)
def test_who_is_known_watches(guarded, gate, login: str, transport: str):
    wait_until(lambda: gate.sent, 5, "the camera sends")
    with watching(f"rtsp://{login}@127.0.0.1:{guarded.port}/gate", transport) as frames:
        assert len(take(frames, 5)) == 5


@pytest.mark.parametrize("left", [Access(), Access({"ann": "a new password's"}, frozenset({"another"}))])
def test_who_watches_is_ended_when_token_or_account_is_taken_away(hub, access: Access, gate, left: Access):
    wait_until(lambda: gate.sent, 5, "the camera sends")
    now = [access]
    relay = RelayServer(hub, "127.0.0.1", 0, AccessCheck(lambda: now[0]))
    relay.start()
    try:
        relay.set_cameras([GATE], GATE)
        with ExitStack() as stack:
            streams = [
                stack.enter_context(watching(f"rtsp://{login}@127.0.0.1:{relay.port}/gate", transport))
                for login in LOGINS
                for transport in TRANSPORTS
            ]
            for frames in streams:
                take(frames, 10)
            assert relay.watchers == len(streams)
            now[0] = left
            wait_until(lambda: relay.watchers == relay.feeds == 0, 5, "nobody watches")
            for frames in streams:
                with pytest.raises((av.error.FFmpegError, StopIteration)):
                    take(frames, 500)
    finally:
        relay.stop()


@pytest.mark.parametrize("login", ["", "ann:wrong@", "bob:a%20long%20pass%3Aword!@", f"ann:{'t' * 39}@"])
def test_who_is_not_known_is_refused(guarded, gate, login: str):
    with pytest.raises(av.error.HTTPUnauthorizedError):  # noqa: SIM117
        with watching(f"rtsp://{login}127.0.0.1:{guarded.port}/gate"):
            pass
    assert guarded.watchers == guarded.feeds == 0


@pytest.mark.parametrize("path", ["gate", "", "unknown"])
@pytest.mark.parametrize("header", ["", "Basic !!!", "Bearer " + TOKEN, basic("ann", "wrong"), basic("", "")])
def test_the_refusal_asks_for_a_login_and_tells_nothing(guarded, path: str, header: str):
    line = f"Authorization: {header}\n" if header else ""
    answer = ask(guarded, f"DESCRIBE rtsp://127.0.0.1:PORT/{path} RTSP/1.0\nCSeq: 1\n{line}\n")
    assert answer.startswith("RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n")
    assert 'WWW-Authenticate: Basic realm="Sightline"' in answer


@pytest.mark.parametrize(
    "method", ["SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "ANNOUNCE", "RECORD"]
)
def test_every_method_asks_for_a_login(guarded, method: str):
    answer = ask(guarded, f"{method} rtsp://127.0.0.1:PORT/gate RTSP/1.0\nCSeq: 1\n\n")
    assert answer.startswith("RTSP/1.0 401 ")


def test_nobody_chooses_another_address_for_the_pictures(relay, gate):
    wait_until(lambda: gate.sent, 5, "the camera sends")
    own, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    with own, other, socket.create_connection(("127.0.0.1", relay.port), timeout=5) as client:
        own.bind(("127.0.0.1", 0))
        port = own.getsockname()[1]
        other.bind(("127.0.0.9", port))
        own.settimeout(3)
        other.settimeout(0.3)

        def request(text: str) -> str:
            client.sendall(text.replace("\n", "\r\n").encode())
            answer = client.recv(4000).decode()
            assert " 200 OK" in answer
            return answer

        base = f"rtsp://127.0.0.1:{relay.port}/gate"
        request(f"DESCRIBE {base} RTSP/1.0\nCSeq: 1\n\n")
        transport = f"RTP/AVP;unicast;client_port={port}-{port + 1};destination=127.0.0.9"
        answer = request(f"SETUP {base}/stream=0 RTSP/1.0\nCSeq: 2\nTransport: {transport}\n\n")
        session = answer.partition("Session: ")[2].partition("\r")[0].partition(";")[0]
        request(f"PLAY {base} RTSP/1.0\nCSeq: 3\nSession: {session}\n\n")
        assert own.recv(2000)
        with pytest.raises(TimeoutError):
            other.recv(2000)
