"""The systemd unit: right options, hardened, and refused where it cannot work."""

import os
import subprocess
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from services.cli.install_service import install, install_service_command, make_unit
from services.core.errors import BadInputError, SightlineError

PROGRAM = Path("/opt/sightline/.venv/bin/sightline")


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command("install-service")(install_service_command)
    app.command("other")(lambda: None)
    return app


def test_system_unit_is_hardened() -> None:
    unit = make_unit([], of_user=False, program=PROGRAM)
    assert unit.path == Path("/etc/systemd/system/sightline.service")
    assert f"ExecStart={PROGRAM} up --data /var/lib/sightline\n" in unit.text
    for line in (
        "NoNewPrivileges=true",
        "ProtectSystem=strict",
        "StateDirectory=sightline",
        "Restart=always",
    ):
        assert f"\n{line}\n" in unit.text
    assert "DynamicUser=true" in unit.text
    assert unit.systemctl("start") == ["systemctl", "start"]


def test_user_unit_keeps_the_users_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    unit = make_unit(["--data", "/srv/sightline"], of_user=True, program=PROGRAM)
    assert unit.path == tmp_path / "systemd" / "user" / "sightline.service"
    assert f"ExecStart={PROGRAM} up --data /srv/sightline\n" in unit.text
    assert "WantedBy=default.target" in unit.text
    assert unit.systemctl("start") == ["systemctl", "--user", "start"]


def test_options_are_quoted_for_systemd() -> None:
    unit = make_unit(["--camera", "north gate=rtsp://u@host/50%$"], of_user=True, program=PROGRAM)
    assert "--camera 'north gate=rtsp://u@host/50%%$$'\n" in unit.text
    assert "EnvironmentFile" not in unit.text


PASSWORD = r"""s3c%$\"'`!{x}ret"""


@pytest.mark.parametrize("of_user", [True, False])
def test_no_secret_stands_in_the_unit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, of_user: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("SIDE_URL", "rtsp://u:s3c-side@host/")
    (tmp_path / "yard.url").write_text("rtsp://host/?token=s3c-yard\n")
    (tmp_path / "yard.url").chmod(0o600)
    options = [
        *("--camera", f"gate=rtsp://u:{PASSWORD}@host/"),
        "--camera=side=$SIDE_URL",
        *("--camera", f"yard=@{tmp_path}/yard.url", "--camera", "street=demo://traffic", "--port", "8081"),
    ]
    unit = make_unit(options, of_user=of_user, program=PROGRAM)
    assert "s3c" not in unit.text + repr(unit)
    for number, name in enumerate(("gate", "side", "yard"), 1):
        assert f" --camera '{name}=$$SIGHTLINE_CAMERA_{number}'" in unit.text
    assert " --camera street=demo://traffic --port 8081\n" in unit.text
    place = tmp_path / "sightline" / "cameras.env" if of_user else Path("/etc/sightline/cameras.env")
    assert f"\nEnvironmentFile={place}\n" in unit.text
    assert "password of camera 'gate'" in capsys.readouterr().err
    script = f'{unit.secrets_text()}\nprintf "%s\\n" "$SIGHTLINE_CAMERA_1" "$SIGHTLINE_CAMERA_2"'
    told = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert told == f"rtsp://u:{PASSWORD}@host/\nrtsp://u:s3c-side@host/\n"


@pytest.mark.parametrize(
    "camera", ["gate=@/none/at/all", "gate=$NOT_SET_ANYWHERE", "gate=rtsp://u:s3 cret@h/", "gate"]
)
def test_cameras_that_cannot_work_in_a_unit(camera: str) -> None:
    with pytest.raises(BadInputError) as error:
        make_unit(["--camera", camera], of_user=True, program=PROGRAM)
    assert "cret" not in str(error.value)


def test_what_is_shown_before_it_is_written_has_no_password() -> None:
    options = ["--print", "--", "--camera", "gate=rtsp://u:s3cret@host/"]
    result = CliRunner().invoke(_app(), ["install-service", *options])
    assert 'cameras.env, mode 0600\nSIGHTLINE_CAMERA_1="rtsp://u:***@host/"' in result.output
    assert "s3cret" not in result.output


@pytest.mark.parametrize("options", [["--data", "x"], ["--data=x"], ["--host", "a\nExecStartPre=b"]])
def test_options_that_cannot_work(options: list[str]) -> None:
    with pytest.raises(BadInputError):
        make_unit(options, of_user=False, program=PROGRAM)


def test_print_only_shows() -> None:
    result = CliRunner().invoke(_app(), ["install-service", "--print", "--", "--port", "8081"])
    assert result.exit_code == 0
    assert "--port 8081\n" in result.output


def test_without_systemd_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    result = CliRunner().invoke(_app(), ["install-service", "--yes"])
    assert isinstance(result.exception, SightlineError)
    assert "systemd does not run here" in str(result.exception)


def test_a_service_that_runs_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("systemctl", "loginctl"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/said\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    install(make_unit([], of_user=True, program=PROGRAM))
    assert (tmp_path / "said").read_text().splitlines() == [
        "systemctl --user daemon-reload",
        "loginctl enable-linger",
        "systemctl --user enable sightline.service",
        "systemctl --user restart sightline.service",
    ]
    assert (tmp_path / "config/systemd/user/sightline.service").stat().st_mode & 0o777 == 0o600
    kept = tmp_path / "config/sightline/cameras.env"
    install(make_unit(["--camera", "gate=rtsp://u:s3cret@host/"], of_user=True, program=PROGRAM))
    assert kept.read_text() == 'SIGHTLINE_CAMERA_1="rtsp://u:s3cret@host/"\n'
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    install(make_unit([], of_user=True, program=PROGRAM))
    assert not kept.exists(), "the password of a camera that the service has no more"
