"""Addresses of cameras on the command line: given there, in a file, or in a variable."""

from pathlib import Path

import pytest

from services.cli.camera_option import (
    environment_cameras,
    read_address,
    read_camera_option,
    variables_of,
    warn_of_open_secrets,
)
from services.cli.database_choice import chosen_database
from services.core.errors import BadInputError

URL = "rtsp://user:s3cret@192.0.2.1/live"


def _file(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "gate.url"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def test_an_address_from_a_file_or_a_variable(tmp_path: Path) -> None:
    path = _file(tmp_path, f"{URL}\n")
    name, address = read_camera_option(f"North gate=@{path}", {})
    assert (name, address.url, address.is_open) == ("North gate", URL, False)
    for text in ("$GATE", "${GATE}"):
        assert read_camera_option(f"gate={text}", {"GATE": f" {URL} "})[1].url == URL
    plain = read_address("rtsp://192.0.2.1/a=b")
    assert (plain.url, plain.is_open) == ("rtsp://192.0.2.1/a=b", False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gate", "NAME=URL, NAME=@FILE or NAME=$VARIABLE"),
        ("gate=", "NAME=URL"),
        (f"{URL}?a=b", "NAME=URL"),
        ("gate=@", "cannot be read"),
        ("gate=@{folder}/absent", "absent cannot be read: No such file"),
        ("gate=@{folder}", "cannot be read: Is a directory"),
        ("gate=@{folder}/empty", "is empty"),
        ("gate=@{folder}/two", "more than one line"),
        ("gate=@{folder}/bytes", "not UTF-8"),
        ("gate=$", "name of an environment variable"),
        ("gate=$ABSENT", "ABSENT is not set"),
        ("gate=$EMPTY", "EMPTY is not set, or empty"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "two").write_text(f"{URL}\n{URL}\n")
    (tmp_path / "bytes").write_bytes(b"rtsp://u:s3cret\xff@h")
    with pytest.raises(BadInputError) as error:
        read_camera_option(text.format(folder=tmp_path), {"EMPTY": ""})
    assert words in str(error.value)
    assert "s3cret" not in str(error.value)


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    with pytest.raises(BadInputError):
        read_camera_option("gate=@/dev/null", {})
    assert len(read_address("@/dev/zero").url) < 5000


def test_whoever_lets_others_read_a_password_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private = read_address(f"@{_file(tmp_path, URL)}")
    for address in (private, read_address("$GATE", {"GATE": URL}), read_address("rtsp://192.0.2.1/s")):
        warn_of_open_secrets("camera 'gate'", address)
    assert capsys.readouterr().err == ""
    warn_of_open_secrets("camera 'gate'", read_address(URL))
    shown = capsys.readouterr().err
    assert shown.startswith(
        "warning: others on this machine can read the password of camera 'gate': give @FILE"
    )
    assert "s3cret" not in shown
    path = _file(tmp_path, URL, 0o644)
    warn_of_open_secrets("camera 'gate'", read_address(f"@{path}"))
    assert f"chmod 600 {path}" in capsys.readouterr().err


def test_the_database_of_a_command_is_named_in_the_same_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = "mongodb://u:s3cret@192.0.2.1/sightline"
    monkeypatch.setenv("THE_DATABASE", uri)
    for text in (f"@{_file(tmp_path, uri)}", "$THE_DATABASE", uri):
        with chosen_database(None, text, may_be_running=True) as chosen:
            assert chosen == uri
    shown = capsys.readouterr().err
    assert shown.count("password of the database") == 1
    assert "s3cret" not in shown


def _cameras(taken: frozenset[str] = frozenset(), **environment: str) -> dict[str, str]:
    return {name: address.url for name, address in environment_cameras(taken, environment)}


def test_cameras_of_the_environment(tmp_path: Path) -> None:
    path = _file(tmp_path, f"{URL}\n", 0o444)
    assert _cameras(SIGHTLINE_CAMERA=URL) == {"Camera": URL}
    assert _cameras(SIGHTLINE_CAMERA=f"North gate={URL}?a=b") == {"North gate": f"{URL}?a=b"}
    assert _cameras(SIGHTLINE_CAMERA=f"{URL}?channel=1") == {"Camera": f"{URL}?channel=1"}
    assert _cameras(SIGHTLINE_CAMERA="/videos/a=b.mp4") == {"Camera": "/videos/a=b.mp4"}
    assert _cameras(SIGHTLINE_CAMERA_FRONT_DOOR=URL, SIGHTLINE_CAMERA="demo://traffic") == {
        "Camera": "demo://traffic",
        "Front door": URL,
    }
    assert _cameras(SIGHTLINE_CAMERA_GATE_FILE=str(path), SIGHTLINE_CAMERA_YARD=f"@{path}") == {
        "Gate": URL,
        "Yard": URL,
    }
    for given in (URL, f"Gate={URL}"):
        assert not environment_cameras((), {"SIGHTLINE_CAMERA": given})[0][1].is_open
    assert _cameras(SIGHTLINE_CAMERA="", SIGHTLINE_CAMERA_GATE=" ", SIGHTLINE_CAMERAS="x", OTHER=URL) == {}


def test_a_variable_that_an_option_takes_is_no_camera_itself() -> None:
    taken = variables_of(
        ["gate=$SIGHTLINE_CAMERA_1", "yard=${SIGHTLINE_CAMERA_2}", "x=rtsp://h/$a", "broken"]
    )
    assert taken == {"SIGHTLINE_CAMERA_1", "SIGHTLINE_CAMERA_2"}
    assert _cameras(taken, SIGHTLINE_CAMERA_1=URL, SIGHTLINE_CAMERA_2=URL, SIGHTLINE_CAMERA_3=URL) == {
        "3": URL
    }


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"SIGHTLINE_CAMERA_GATE_FILE": "/absent"}, "SIGHTLINE_CAMERA_GATE_FILE: the file /absent cannot be"),
        (
            {"SIGHTLINE_CAMERA": "$ELSEWHERE"},
            "SIGHTLINE_CAMERA: the environment variable ELSEWHERE is not set",
        ),
        (
            {"SIGHTLINE_CAMERA_GATE": URL, "SIGHTLINE_CAMERA_Gate": URL},
            "SIGHTLINE_CAMERA_GATE and SIGHTLINE_CAMERA_Gate both give camera 'Gate'",
        ),
    ],
)
def test_a_bad_camera_of_the_environment_is_named_by_its_variable(
    environment: dict[str, str], words: str
) -> None:
    with pytest.raises(BadInputError) as error:
        environment_cameras((), environment)
    assert words in str(error.value) and "s3cret" not in str(error.value)
