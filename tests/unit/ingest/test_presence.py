import socket

import pytest

from services.ingest.sources import Presence


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("rtsp://user:p@ss@10.0.0.5/a", ("10.0.0.5", 554)),
        ("rtsps://cam.local:322/a", ("cam.local", 322)),
        ("rtsp://[::1]:8554/a", ("::1", 8554)),
        ("rtsp://u:pa%5Bss@[2001:db8::1]/a", ("2001:db8::1", 554)),
        ("rtsp://[fe80::1%25eth0]:554/", ("fe80::1%eth0", 554)),
        ("rtsp://[fe80::1%eth0]/", ("fe80::1%eth0", 554)),
        ("rtsp://u:a%25b@[fe80::1%25lo]/", ("fe80::1%lo", 554)),
        ("demo://traffic", None),
        ("/clips/a.mp4", None),
        ("rtsp://host:notaport/", None),
    ],
)
def test_the_address_behind_a_url(url, place):
    presence = Presence.of(url)
    assert (presence and (presence.host, presence.port)) == place


def test_answers_only_while_somebody_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        presence = Presence("127.0.0.1", server.getsockname()[1])
        assert presence.answers()
    assert not presence.answers()
