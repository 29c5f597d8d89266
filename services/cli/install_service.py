"""`sightline install-service`: a systemd unit that starts `sightline up`, shown before it is written."""

import os
import pwd
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from services.cli.camera_option import read_camera_option, warn_of_open_secrets
from services.common.files import write_whole
from services.core.camera_address import check_address, mask_address, secrets_of
from services.core.errors import BadInputError, SightlineError

UNIT_NAME = "sightline.service"
SYSTEM_FOLDER = Path("/etc/systemd/system")
SYSTEM_SECRETS = Path("/etc/sightline/cameras.env")
"""Addresses of cameras for a service of the system; a user's lie in the user's own settings."""

UNIT = """\
[Unit]
Description=Sightline: counts from IP cameras
Documentation=file://{documentation}
After=network-online.target time-sync.target
Wants=network-online.target

[Service]
{environment}ExecStart={command}
Restart=always
RestartSec=2
TimeoutStopSec=30
KillMode=mixed
UMask=0077
NoNewPrivileges=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictRealtime=true
RestrictSUIDSGID=true
LockPersonality=true
{sandbox}
[Install]
WantedBy={target}
"""

# Everything but the state directory is read-only. MemoryDenyWriteExecute is left out: the inference
# engines compile code at run time. A user's manager may not be allowed to set these up.
SYSTEM_SANDBOX = """\
{user}
StateDirectory=sightline
StateDirectoryMode=0700
PrivateTmp=true
ProtectSystem=strict
ProtectHome=read-only
ProtectKernelTunables=true
ProtectKernelModules=true
ProtectControlGroups=true
"""


@dataclass(frozen=True, slots=True)
class ServiceUnit:
    """A unit of the system (for root) or of the user."""

    path: Path
    text: str
    of_user: bool
    secrets_path: Path
    """The file of mode 0600 that the service manager reads the cameras' addresses from."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables with addresses that hold a password: they stand neither in the unit nor in a process list."""

    def secrets_text(self) -> str:
        """Give the variables as systemd reads them from a file."""
        return "".join(f'{name}="{_escape_value(value)}"\n' for name, value in self.secrets.items())

    def systemctl(self, *arguments: str) -> list[str]:
        """Give the command line for the manager that owns the unit."""
        return ["systemctl", *(["--user"] if self.of_user else []), *arguments]


def install_service_command(
    options: Annotated[
        list[str] | None,
        typer.Argument(
            help="Options of `sightline up`, after --: -- --port 8081. Addresses of cameras with a password, "
            "and those that @FILE and $VARIABLE hold now, go into a file that only the service's manager "
            "reads: everybody on this machine can read a unit and a command line.",
            show_default=False,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write without asking.")] = False,
    print_only: Annotated[bool, typer.Option("--print", help="Show the unit and do nothing.")] = False,
) -> None:
    """Start `up` at boot: shows a systemd unit, writes it when confirmed, and starts it."""
    unit = make_unit(options or [], of_user=os.geteuid() != 0)
    typer.echo(f"# {unit.path}\n{unit.text}")
    if unit.secrets:
        shown = (f'{name}="{mask_address(value)}"\n' for name, value in unit.secrets.items())
        typer.echo(f"# {unit.secrets_path}, mode 0600\n{''.join(shown)}")
    if print_only:
        return
    if not Path("/run/systemd/system").is_dir() or shutil.which("systemctl") is None:
        raise SightlineError(
            "systemd does not run here: use --print, and give the unit to what starts services"
        )
    if not yes and not typer.confirm("Write this file and start Sightline?"):
        raise typer.Abort
    install(unit)
    typer.echo(f"Started. Its log: journalctl {'--user ' if unit.of_user else ''}-u {UNIT_NAME}")


def make_unit(options: list[str], of_user: bool, program: Path | None = None) -> ServiceUnit:
    """Make the unit for this installation; BadInputError for options that would not work in it."""
    if any("\n" in option for option in options):
        raise BadInputError("an option with a line break cannot stand in a unit")
    program = program or Path(sys.executable).with_name("sightline")
    words = [str(program), "up"]
    if not of_user:
        if any(option == "--data" or option.startswith("--data=") for option in options):
            raise BadInputError("the service keeps its data in /var/lib/sightline: leave --data out")
        words += ["--data", "/var/lib/sightline"]
    kept, secrets = _without_secrets(options)
    secrets_path = _user_settings() / "sightline" / SYSTEM_SECRETS.name if of_user else SYSTEM_SECRETS
    text = UNIT.format(
        documentation=Path(__file__).resolve().parents[2] / "README.md",
        environment=f"EnvironmentFile={_escape_path(secrets_path)}\n" if secrets else "",
        command=" ".join(_escape(word) for word in [*words, *kept]),
        sandbox="" if of_user else SYSTEM_SANDBOX.format(user=_service_user(program)),
        target="default.target" if of_user else "multi-user.target",
    )
    folder = _user_settings() / "systemd" / "user" if of_user else SYSTEM_FOLDER
    return ServiceUnit(folder / UNIT_NAME, text, of_user, secrets_path, secrets)


def _without_secrets(options: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Put a variable in place of each camera's address that holds a secret; give options and variables."""
    kept: list[str] = []
    secrets: dict[str, str] = {}
    is_camera = False
    for option in options:
        head, separator, value = option.partition("=")
        if is_camera:
            kept.append(_without_secret(option, secrets))
        elif head == "--camera" and separator:
            kept += ["--camera", _without_secret(value, secrets)]
        else:
            kept.append(option)
        is_camera = option == "--camera" and not is_camera
    return kept, secrets


def _without_secret(camera: str, secrets: dict[str, str]) -> str:
    name, address = read_camera_option(camera)
    check_address(address.url)
    warn_of_open_secrets(f"camera {name!r}", address)
    is_plain = camera.partition("=")[2].strip() == address.url
    if is_plain and not secrets_of(address.url):
        return camera
    variable = f"SIGHTLINE_CAMERA_{len(secrets) + 1}"
    secrets[variable] = address.url
    return f"{name}=${variable}"


def _service_user(program: Path) -> str:
    """Run as the owner of the installation, who can read it; one of root's runs as a user of its own."""
    owner = next((path.stat().st_uid for path in (program, *program.parents) if path.exists()), 0)
    if owner == 0:
        return "DynamicUser=true"
    return f"User={pwd.getpwuid(owner).pw_name}"


def _escape(option: str) -> str:
    """Quote for ExecStart: systemd reads quotes like a shell, and % and $ in its own way."""
    return shlex.quote(option).replace("%", "%%").replace("$", "$$")


def _escape_path(path: Path) -> str:
    """Write a path for a setting of a unit, where % begins a specifier."""
    return str(path).replace("%", "%%")


def _escape_value(value: str) -> str:
    """Write a value between double quotes as systemd reads it in a file of variables."""
    return "".join(f"\\{character}" if character in '"\\`$' else character for character in value)


def _user_settings() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def install(unit: ServiceUnit) -> None:
    """Write the unit and start it, again where it runs; SightlineError says which step failed."""
    try:
        unit.path.parent.mkdir(parents=True, exist_ok=True)
        if unit.secrets:
            unit.secrets_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(unit.secrets_path, unit.secrets_text())
        else:
            unit.secrets_path.unlink(missing_ok=True)
        write_whole(unit.path, unit.text)
    except OSError as error:
        place = error.filename or unit.path
        raise BadInputError(f"{place} cannot be written: {error.strerror}") from error
    commands = [
        unit.systemctl("daemon-reload"),
        # A user's services start at boot only for a user who lingers; else at the login.
        *([["loginctl", "enable-linger"]] if unit.of_user else []),
        unit.systemctl("enable", UNIT_NAME),
        # One that runs goes on with its former options until it is started again.
        unit.systemctl("restart", UNIT_NAME),
    ]
    for command in commands:
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            raise SightlineError(f"{' '.join(command)} failed: {result.stderr.strip()}")
