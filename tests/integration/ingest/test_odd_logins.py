"""What a camera really gets as user and password, and what is said where its login cannot be answered."""

import argparse
import re
import subprocess
from collections.abc import Iterator

import pytest

from services.core.camera_address import check_address
from services.core.errors import BadInputError, StreamError
from services.ingest.sources import source_of
from tests.fixtures import odd_doors
from tests.fixtures.odd_camera import OddCamera
from tests.fixtures.odd_doors import odd_answer
from tests.odd_cameras import odd_camera


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OddCamera]:
    """One camera of small pictures, whose habits each test sets."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=s=160x120:r=25:d=1"]
    subprocess.run(["ffmpeg", "-v", "error", *source, "-pix_fmt", "yuv420p", str(path)], check=True)
    with odd_camera(path, "--auth", "md5") as camera:
        yield camera


def opened(camera: OddCamera, typed: str | None, scheme: str = "rtsp", **habits: str) -> str:
    """Dial the camera with a login as somebody typed it; gives `live` or the code of the failure."""
    usual = {"auth": "md5", "login": "admin:right", "late": None, "redirect": None}
    vars(camera.options).update({**usual, **habits})
    camera.requests.clear()
    place = camera.url.partition("://")[2]
    try:
        source_of(f"{scheme}://{place}" if typed is None else f"{scheme}://{typed}@{place}").connect().close()
    except StreamError as error:
        assert "s3cret" not in str(error.sentence)
        return error.sentence.code
    return "live"


@pytest.mark.parametrize(
    ("auth", "outcome"),
    [
        ("md5", "live"),
        ("basic", "live"),
        ("md5-sess", "live"),
        ("auth-int-first", "live"),
        ("sha256-then-md5", "live"),
        ("digest-then-basic", "live"),
        ("stale", "live"),
        ("sha256", "camera-login-kind"),
        ("sha512", "camera-login-kind"),
        ("md5-then-sha256", "camera-login-kind"),
        ("md5-lower", "camera-login-kind"),
        ("auth-int", "camera-login-kind"),
        ("other", "camera-login-kind"),
    ],
)
def test_a_right_password_is_never_called_wrong(camera: OddCamera, auth: str, outcome: str) -> None:
    assert opened(camera, "admin:right", auth=auth) == outcome
    assert sum(request.startswith("DESCRIBE") for request in camera.requests) <= 2, (
        "one try, and no second one"
    )


def test_a_login_that_cannot_be_answered_is_named(camera: OddCamera) -> None:
    camera.options.auth = "sha256"
    with pytest.raises(StreamError) as error:
        source_of(camera.url.replace("://", "://admin:other@")).connect()
    assert error.value.sentence.params == {"kind": "Digest SHA-256"}
    assert "Digest (MD5) or Basic" in str(error.value)


@pytest.mark.parametrize(
    ("login", "code"),
    [
        ("admin:wr0ng", "camera-login"),
        ("admin:%41BC", "camera-login-percent"),
        ("admin:%", "camera-login"),
        ("admin", "camera-login"),
    ],
)
def test_a_wrong_password_is_tried_once(camera: OddCamera, login: str, code: str) -> None:
    assert opened(camera, login) == code
    assert [request.partition("auth=")[2] for request in camera.requests] == ["no", "no", "yes"]


@pytest.mark.parametrize("method", ["SETUP", "PLAY"])
def test_a_login_that_is_refused_after_the_description_is_not_simply_wrong(
    camera: OddCamera, method: str
) -> None:
    assert opened(camera, "admin:right", late=method) == "camera-login-later"
    assert sum(request.startswith("DESCRIBE") for request in camera.requests) == 2, "one try by one transport"


@pytest.mark.parametrize("auth", ["basic", "md5"])
def test_no_password_goes_where_a_camera_sends_on(camera: OddCamera, auth: str) -> None:
    with odd_camera(camera.options.clip, "--auth", "basic", "--login", "admin:s3cret") as other:
        assert opened(camera, "admin:s3cret", auth=auth, login="admin:s3cret", redirect=other.url) == (
            "camera-redirects"
        )
        assert other.requests == []
        scheme = other.url.replace("rtsp://", "rtsps://")
        assert opened(camera, "admin:s3cret", login="admin:s3cret", redirect=scheme) == "camera-redirects"
    with pytest.raises(StreamError, match=re.escape(f"{other.url}?token=***")):
        camera.options.redirect = f"{other.url}?token=abcdef"
        source_of(camera.url.replace("://", "://admin:s3cret@")).connect()


def test_a_camera_that_sends_on_within_itself_is_followed(camera: OddCamera) -> None:
    def describing(method: str, transport: str, options: argparse.Namespace) -> tuple[str, list[str]] | None:
        found = odd_answer(method, transport, options)
        options.redirect = None
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(odd_doors, "odd_answer", describing)
        assert opened(camera, "admin:right", redirect=camera.url + "/main") == "live"
    assert camera.requests[-1].split(" ")[1].startswith(camera.url + "/main")


def test_a_camera_that_asks_for_a_login_without_one_being_given(camera: OddCamera) -> None:
    assert opened(camera, None) == "camera-login-missing"


@pytest.mark.parametrize(
    ("meant", "typed", "auth"),
    [
        ("[r]i]ght[", "[r]i]ght[", "md5"),
        ("[r]i]ght[", "[r]i]ght[", "basic"),
        ("A%41", "%41%2541", "md5"),
        ("50%zz%", "50%zz%", "basic"),
        ("p@:ss", "p@:ss", "md5"),
        ("a/b?c#d", "a%2Fb%3Fc%23d", "md5"),
        ("a b+c", "a%20b+c", "basic"),
        ("päß", "päß", "md5"),
        ("päß", "p%c3%a4%C3%9f", "basic"),
        ('q"\\', 'q"\\', "md5"),
        ("", "", "md5"),
    ],
)
def test_the_password_that_was_meant_arrives(camera: OddCamera, meant: str, typed: str, auth: str) -> None:
    assert opened(camera, f"admin:{typed}", auth=auth, login=f"admin:{meant}") == "live"
    assert opened(camera, f"admin:{typed}x", auth=auth, login=f"admin:{meant}").startswith("camera-login")


@pytest.mark.parametrize("scheme", ["RTSP", "rTsP"])
def test_a_scheme_in_capitals_is_dialled(camera: OddCamera, scheme: str) -> None:
    assert opened(camera, "admin:[s3cret]", scheme, login="admin:[s3cret]") == "live"
    assert opened(camera, "admin:[s3cret]x", scheme, login="admin:[s3cret]") == "camera-login"


def test_a_login_that_would_be_cut_is_refused_with_its_length(camera: OddCamera) -> None:
    longest = f"admin:{'x' * 121}"
    assert opened(camera, longest, login=longest) == "live"
    with pytest.raises(BadInputError, match="127 bytes"):
        check_address(f"rtsp://{longest}x@10.0.0.5/x")
    assert opened(camera, f"{longest}x") == "address-login-long"
    assert camera.requests == []
