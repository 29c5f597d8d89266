"""Where the secrets of an address stand, giving masked addresses back, and what no address may hold."""

import pytest

from services.core.camera_address import mask_address, restore_secrets, secrets_of
from services.core.errors import BadInputError

CASES = [
    ("rtsp://user:pa55@host/stream", "rtsp://user:***@host/stream"),
    ("rtsp://user:p@ss:w/o?r#d@host:554/s", "rtsp://user:***@host:554/s"),
    ("rtsp://:pa55@host", "rtsp://:***@host"),
    ("rtsps://u:%40%2F@[::1]:322/a", "rtsps://u:***@[::1]:322/a"),
    ("rtsp://host/s?token=abc123&x=1", "rtsp://host/s?token=***&x=1"),
    ("rtsp://host/s?user=a&PASSWORD=abc", "rtsp://host/s?user=a&PASSWORD=***"),
    ("rtsp://host/s?api_key=a;auth=b", "rtsp://host/s?api_key=***;auth=***"),
    ("rtsp://host/s?pwd=a&pw=b&X-Amz-Signature=c", "rtsp://host/s?pwd=***&pw=***&X-Amz-Signature=***"),
    ("rtsp://host/user=admin&password=abc&channel=1", "rtsp://host/user=admin&password=***&channel=1"),
    (
        "rtsp://h/user=admin_password=t1Jw_channel=1_s=0.sdp",
        "rtsp://h/user=admin_password=***_channel=1_s=0.sdp",
    ),
    ("rtsp://u:one@host/s?secret=two", "rtsp://u:***@host/s?secret=***"),
]
PLAIN = [
    "rtsp://host/stream",
    "rtsp://user@host/s",
    "demo://traffic?seed=4",
    "clip.mp4",
    "rtsp://h/s?channel=1",
]


@pytest.mark.parametrize(("url", "masked"), CASES)
def test_secrets_are_masked(url: str, masked: str) -> None:
    assert mask_address(url) == masked
    assert mask_address(masked) == masked


@pytest.mark.parametrize("url", PLAIN)
def test_what_holds_no_secret_stays(url: str) -> None:
    assert mask_address(url) == url
    assert secrets_of(url) == ()
    assert restore_secrets(url, "rtsp://u:p@h/s") == url


@pytest.mark.parametrize(("url", "masked"), CASES)
def test_what_was_shown_can_be_given_back(url: str, masked: str) -> None:
    assert restore_secrets(masked, url) == url
    assert restore_secrets(url, "rtsp://a:b@c/d") == url
    with pytest.raises(BadInputError):
        restore_secrets(masked)


def test_a_changed_address_keeps_its_secret() -> None:
    assert restore_secrets("rtsp://u:***@new:8554/b", "rtsp://u:p%40x@old/a") == "rtsp://u:p%40x@new:8554/b"
    assert restore_secrets("rtsp://u:new@host", "rtsp://u:old@host") == "rtsp://u:new@host"
    with pytest.raises(BadInputError):
        restore_secrets("rtsp://u:***@host/?token=***", "rtsp://u:old@host")
