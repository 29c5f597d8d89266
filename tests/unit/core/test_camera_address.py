"""Where the secrets of an address stand, giving masked addresses back, and what no address may hold."""

import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.camera_address import (
    LONGEST_ADDRESS,
    LONGEST_LOGIN,
    AddressKind,
    DemoName,
    check_address,
    demo_of,
    dialled_address,
    is_same_server,
    kind_of,
    mask_address,
    place_of,
    restore_secrets,
    scheme_of,
    secrets_of,
    with_plain_zone,
)
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
    # Spaces of all kinds, as older versions have stored them.
    ("rtsp://user:pa ss@host/s", "rtsp://user:***@host/s"),
    ("rtsp://user:pa\u00a0ss@host/s", "rtsp://user:***@host/s"),
    ("rtsp://user:pa\tss\u2028x\u200by@host/s", "rtsp://user:***@host/s"),
    ("rtsp://us er:pa55@host/s", "rtsp://us er:***@host/s"),
    ("rtsp://host/s?token=ab cd&x=1", "rtsp://host/s?token=***&x=1"),
    ("rtsp://host/s?x=a b&token=ab\u00a0cd", "rtsp://host/s?x=a b&token=***"),
    # An @ behind the host.
    ("rtsp://u:pw@host/s?token=ab@cd", "rtsp://u:***@host/s?token=***"),
    ("rtsp://host:554/s?token=ab@cd&x=1", "rtsp://host:554/s?token=***&x=1"),
    ("rtsp://h:554/user=a_password=ab@cd_channel=1.sdp", "rtsp://h:554/user=a_password=***_channel=1.sdp"),
    ("rtsp://u:12/34@host/s", "rtsp://u:***@host/s"),
    ("rtsp://u:a://b@host/s", "rtsp://u:***@host/s"),
    # What looks like the end of a secret.
    ("rtsp://h/s?token=abc_def==&x=1", "rtsp://h/s?token=***&x=1"),
    ("rtsp://h/s?token=ab'c\"d;e#f/g?h", "rtsp://h/s?token=***"),
    ("rtsp://h/s?token=a&b&key=c", "rtsp://h/s?token=***&key=***"),
    ("rtsp://h/s?token=one&token=two", "rtsp://h/s?token=***&token=***"),
    ("rtsp://h/s?p%61ssword=abc&loginpas=def&my_pw=g", "rtsp://h/s?p%61ssword=***&loginpas=***&my_pw=***"),
    ("rtsp://h/s?from=http://u:pw@other/x&a=1", "rtsp://h/s?from=http://u:***@other/x&a=1"),
    ("RTSP://u:pw@h/s", "RTSP://u:***@h/s"),
    # Encoded, once or as an address within another one.
    ("rtsp://u%3Apw@h/s", "rtsp://u%3A***@h/s"),
    ("rtsp://a%3au:pw@h/s", "rtsp://a%3a***@h/s"),
    ("rtsp://h/s?p%2561ssword=abc", "rtsp://h/s?p%2561ssword=***"),
    ("rtsp://h/s?src=rtsp%3A%2F%2Fu%3Apw%40cam%2Fs&a=1", "rtsp://h/s?src=rtsp%3A%2F%2Fu%3A***%40cam%2Fs&a=1"),
    ("rtsp://h/rtsp%3a%2f%2fu%3ap%40w%40cam", "rtsp://h/rtsp%3a%2f%2fu%3a***%40cam"),
    (
        "rtsp://h/s?src=%2Fs%3Fa%3D1%26token%3Dabc%26b%3D2&c=3",
        "rtsp://h/s?src=%2Fs%3Fa%3D1%26token%3D***%26b%3D2&c=3",
    ),
    ("rtsp://h/s?sign=abc&hmac=def&x_bearer=g", "rtsp://h/s?sign=***&hmac=***&x_bearer=***"),
    ("nats://t0ken@nats:4222", "nats://***@nats:4222"),
    # A forgotten or mistyped beginning.
    ("u:pw@cam/s", "u:***@cam/s"),
    ("u:p@/w@cam:554/s?token=x", "u:***@cam:554/s?token=***"),
    ("rtsp:u:pw@cam/s", "rtsp:u:***@cam/s"),
    ("rtsp:/u:pw@cam/s", "rtsp:/u:***@cam/s"),
    ("//u:pw@cam/s", "//u:***@cam/s"),
    ("rtsp:\\\\u:pw@cam/s", "rtsp:\\\\u:***@cam/s"),
]
PLAIN = [
    "rtsp://host/stream",
    "rtsp://user@host/s",
    "demo://traffic?seed=4",
    "clip.mp4",
    "rtsp://h/s?channel=1",
    "rtsp://[::1]:554/live@main",
    "rtsp://host/live@main?mail=a@b.example",
    "rtsp://host/s?src=rtsp%3A%2F%2Fcam%3A554%2Fs&a%3D1",
    "/videos/9:30@gate.mp4",
    "cam:554/live",
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
    assert restore_secrets("rtsp://u:***@Host:554/b", "rtsp://u:p%40x@host/a") == "rtsp://u:p%40x@Host:554/b"
    assert restore_secrets("rtsp://v:***@host/a", "rtsp://u:old@host/a") == "rtsp://v:old@host/a"
    assert restore_secrets("rtsp://u:new@host", "rtsp://u:old@host") == "rtsp://u:new@host"
    with pytest.raises(BadInputError):
        restore_secrets("rtsp://u:***@host/?token=***", "rtsp://u:old@host")


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("rtsp://u:***@thief/a", "rtsp://u:old@host/a"),
        ("rtsp://thief/a?token=***", "rtsp://host/a?token=old"),
        ("rtsp://thief/user=a_password=***_channel=1.sdp", "rtsp://host/user=a_password=old_channel=1.sdp"),
        ("rtsp://u:***@host:5554/a", "rtsp://u:old@host/a"),
        ("rtsp://u:***@host:322/a", "rtsps://u:old@host/a"),
        ("rtsp://u:***@host@thief/a", "rtsp://u:old@host/a"),
        ("rtsp://u:***@thief?@host/a", "rtsp://u:old@host/a"),
        ("rtsp://host/s?from=http://u:***@thief/x", "rtsp://host/s?from=http://u:old@other/x"),
        ("rtsp://host/s?a=rtsp%3A%2F%2Fu%3A***%40thief", "rtsp://host/s?a=rtsp%3A%2F%2Fu%3Aold%40other"),
        ("/clips/password=***.mp4", "rtsp://host/password=old.mp4"),
        ("http://u:***@thief/a", "rtsp://u:old@host/a"),
    ],
)
def test_a_stored_secret_goes_to_nobody_else(given: str, stored: str) -> None:
    with pytest.raises(BadInputError, match="secret itself"):
        restore_secrets(given, stored)


def test_parameters_of_one_name_keep_their_order() -> None:
    stored = "rtsp://h/s?token=one&token=two"
    assert restore_secrets("rtsp://h/s?token=***&token=***", stored) == stored
    assert restore_secrets("rtsp://h/s?token=new&token=***", stored) == "rtsp://h/s?token=new&token=two"


GOOD = [
    "rtsp://user:pa55@host/stream",
    "RTSPS://host:322/a?token=x@y",
    "rtsp://u:%20%C2%A0%2F@[::1]:554/a",
    "rtsp://über:straße@host/",
    "demo://traffic",
    "demo://masks?seed=7",
    "/videos/my clip.mp4",
    "clip.mp4",
]


@pytest.mark.parametrize("address", GOOD)
def test_what_an_address_may_hold(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "1 to 2000"),
        ("rtsp://u:s3cret@h/" + "a" * LONGEST_ADDRESS, "1 to 2000"),
        ("rtsp://u:s3 cret@h/s", "a space: write it as %20"),
        ("rtsp://u:s3\u00a0cret@h/s", "a no-break space: write it as %C2%A0"),
        ("rtsp://u:pw@h/s?token=s3 cret", "%20"),
        ("rtsp://u:pw@h/s?token=s3\u2003cret", "em space"),
        ("rtsp://u:s3\u200bcret@h/s", "zero width space"),
        ("rtsp://u:s3\tcret@h/s", "character u+0009: write it as %09"),
        ("rtsp://u:s3\r\ncret@h/s", "%0D"),
        ("rtsp://u:s3\x00cret@h/s", "%00"),
        ("rtsp://u:s3\x7fcret@h/s", "%7F"),
        ("rtsp://u:s3\u202ecret@h/s", "right-to-left override"),
        ("rtsp://u:s3\ud800cret@h/s", "character u+d800"),
        ("/videos/s3cret\u2028.mp4", "a path holds printable characters"),
        ("rtsp://u:s3/cret@h/s", "%2F"),
        ("rtsp://u:s3cret@/s", "no host"),
        ("rtsp://u:s3cret@h:0/s", "no host"),
        ("rtsp://u:s3cret@h:99999/s", "no host"),
        ("rtsp://u:s3cret@[::1/s", "no host"),
        ("http://u:s3cret@h/s", "http:// is not supported"),
        ("u:s3cret@h/?x=rtsp://h", "is not supported"),
        ("DEMO://traffic", "is not supported"),
        ("demo://s3cret", "no such demo"),
        ("demo://traffic?seed=²", "no such demo"),
        ("demo://traffic?seed=" + "9" * 400, "no such demo"),
        ("demo://traffic?", "no such demo"),
    ],
)
def test_what_no_address_may_hold_is_refused_and_not_shown(address: str, words: str) -> None:
    with pytest.raises(BadInputError) as error:
        check_address(address)
    assert words in str(error.value)
    assert "s3" not in str(error.value)
    assert "cret" not in str(error.value)
    assert str(error.value).isprintable()


def test_scheme_and_place() -> None:
    assert [scheme_of(url) for url in ("RTSP://h", "demo://traffic", "/a.mp4")] == ["rtsp", "demo", ""]
    assert place_of("rtsp://u:p@ss@H.example:88/a@b") == ("h.example", 88)
    assert place_of("rtsp://h") == ("h", None)
    assert [place_of(url) for url in ("rtsp://h:x", "rtsp:///p", "demo://traffic", "a")] == [None] * 4


SECRET = st.text(st.characters(codec="utf-8"), min_size=3, max_size=30).filter(lambda one: one != "***")
USER = st.text(st.characters(codec="utf-8", exclude_characters=":/?#@="), max_size=10)
PATH = st.sampled_from(["", "/", "/s", "/live/ch1@main", "/s?x=1", "/s?mail=a@b", "/a:b/c=d"])


def _shown_parts(form: str, secret: str) -> list[str]:
    """Parts of three characters that are seen of a secret, and that nothing else in its address holds."""
    rest, shown = form.format("\0"), mask_address(form.format(secret))
    parts = (secret[place : place + 3] for place in range(len(secret) - 2))
    return [part for part in parts if part not in rest and part in shown]


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


@given(user=USER, secret=SECRET, path=PATH)
def test_no_part_of_an_encoded_password_is_ever_shown(user: str, secret: str, path: str) -> None:
    form = f"rtsp://{_braced(user)}:{{}}@host.example:554{path}"
    assert _shown_parts(form, quote(secret, safe="")) == []
    login = f"{quote(user)}:{quote(secret, safe='')}"
    if len(login) <= LONGEST_LOGIN:
        check_address(f"rtsp://{login}@host.example:554{path}")


@given(
    user=USER,
    secret=SECRET.filter(lambda one: not one[0].isdigit() and "=" not in one),
    path=st.sampled_from(["", "/s", "/s?x=1"]),
)
def test_nor_of_one_that_should_have_been_encoded(user: str, secret: str, path: str) -> None:
    """Whatever stands in it: `/`, `?`, `#`, `@`, `://`, spaces, quotation marks."""
    assert _shown_parts(f"rtsp://{_braced(user)}:{{}}:x@host.example:554{path}", secret) == []


FORMS = [
    "rtsp://u:pw@host.example:554/s?x=1&token={}",
    "rtsp://host.example/s?Api_Key={}&x=1",
    "rtsp://host.example/s?pw={}",
    "rtsp://host.example:554/user=admin_password={}_channel=1.sdp",
]


@given(secret=SECRET.map(lambda one: one.replace("=", "")), form=st.sampled_from(FORMS))
def test_nor_of_a_parameter_in_query_or_path(secret: str, form: str) -> None:
    assert _shown_parts(form, secret) == []


@given(text=st.text("rtsp:/@=?&_;#u abpassword*token\u00a0", max_size=80))
def test_whatever_was_shown_can_be_given_back(text: str) -> None:
    shown = mask_address(text)
    if "***" not in text:
        assert restore_secrets(shown, text) == text


HARD = [
    "http://",
    "a=",
    "&key=",
    "_",
    "@",
    "=",
    "_key",
    "/_key",
    "?token=",
    "://",
    "http://[",
    "://@",
    "%",
    "pw=&",
    "%3a%2f%2f",
    "token%3D",
    "a%3d",
    "%3A%2F%2F%3A%40",
    "nats://a@",
]


@pytest.mark.parametrize("piece", HARD)
def test_the_cost_grows_with_the_length_alone(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    began_s = time.thread_time()
    mask_address(text)
    with pytest.raises(BadInputError):
        check_address(text)
    assert time.thread_time() - began_s < 2


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("rtsp://host/s", AddressKind.NETWORK),
        ("RTSPS://host/s", AddressKind.NETWORK),
        ("demo://traffic", AddressKind.DEMO),
        ("/videos/street.mp4", AddressKind.FILE),
        ("rtsp:a.mp4", AddressKind.FILE),
        ("http://host/s", None),
        ("://host", None),
    ],
)
def test_what_an_address_names(address: str, kind: AddressKind | None) -> None:
    assert kind_of(address) is kind


def test_the_scene_of_an_address() -> None:
    assert demo_of("demo://masks") == DemoName("masks")
    assert demo_of("demo://traffic?seed=12") == DemoName("traffic", 12)
    assert demo_of("rtsp://demo/traffic") is None
    for wrong in ("demo://street", "demo://masks?seed=", "demo://masks?speed=2"):
        with pytest.raises(BadInputError, match="no such demo"):
            demo_of(wrong)


@pytest.mark.parametrize(
    ("given", "dialled"),
    [
        ("RTSPS://10.0.0.1:7441/KEY?enableSrtp", "rtsps://10.0.0.1:7441/KEY"),
        ("rtsp://u:[p]%41%@h:8554/x?a=1", "rtsp://u:%5Bp%5DA%25@h:8554/x?a=1"),
        ("rtsp://u@h/x", "rtsp://u:@h/x"),
        ("rtsp://h/x@y", "rtsp://h/x@y"),
        ("rtsp://u:p@[fe80::1%25eth0]:554/x", "rtsp://u:p@[fe80::1%eth0]:554/x"),
    ],
)
def test_an_address_is_dialled_as_it_was_meant(given: str, dialled: str) -> None:
    assert dialled_address(given) == dialled


@pytest.mark.parametrize("password", ["a/b", "a#b", "1?2", "12/34"])
def test_a_password_that_cuts_an_address_is_refused_with_what_to_write(password: str) -> None:
    with pytest.raises(BadInputError, match="%2F %3F %23 %40"):
        check_address(f"rtsp://admin:{password}@10.0.0.5/x")
    check_address("rtsp://10.0.0.5:554/live@main")


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("rtsp://[fe80::1%25eth0]:554/a%25b", "rtsp://[fe80::1%eth0]:554/a%25b"),
        ("rtsp://u:a%25b@[fe80::1%25en%2d1]/", "rtsp://u:a%25b@[fe80::1%25en%2d1]/"),
        ("rtsp://u:a%25b@[fe80::1%25en-1]/", "rtsp://u:a%25b@[fe80::1%en-1]/"),
        ("rtsp://[fe80::1%eth0]/", "rtsp://[fe80::1%eth0]/"),
        ("rtsp://h/[fe80::1%25eth0]", "rtsp://h/[fe80::1%25eth0]"),
        ("/videos/[a%25b].mp4", "/videos/[a%25b].mp4"),
    ],
)
def test_the_link_of_an_address_is_dialled_by_its_name(written: str, dialled: str) -> None:
    assert with_plain_zone(written) == dialled


@pytest.mark.parametrize(
    ("sent_to", "is_same"),
    [
        ("rtsp://10.0.0.5/other", True),
        ("RTSP://10.0.0.5:554/x?y=1", True),
        ("rtsp://other:login@10.0.0.5/x", True),
        ("rtsp://10.0.0.5:8554/x", False),
        ("rtsps://10.0.0.5/x", False),
        ("rtsp://10.0.0.6/x", False),
        ("rtsp://10.0.0.5@10.0.0.6/x", False),
        ("rtsp://10.0.0.6/@10.0.0.5/x", False),
        ("rtsp://10.0.0.6#@10.0.0.5/x", False),
        ("rtsp://10.0.0.5\\@10.0.0.6/x", False),
        ("rtsp://10.0.0.\t5/x", False),
        ("rtsp://10.0.0.5 /x", False),
        ("http://10.0.0.5/x", False),
        ("/x", False),
        ("", False),
    ],
)
def test_whether_a_camera_sends_on_to_itself(sent_to: str, is_same: bool) -> None:
    assert is_same_server(sent_to, "rtsp://user:secret@10.0.0.5:554/cam") is is_same
