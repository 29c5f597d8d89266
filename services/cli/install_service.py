"""`sightline install-service`: a systemd unit that starts `sightline up`, shown before it is written."""

import os
import pwd
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from services.core.errors import BadInputError, SightlineError

UNIT_NAME = "sightline.service"
SYSTEM_FOLDER = Path("/etc/systemd/system")

UNIT = """\
[Unit]
Description=Sightline: counts from IP cameras
Documentation=file://{documentation}
After=network-online.target time-sync.target
Wants=network-online.target

[Service]
ExecStart={command}
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

    def systemctl(self, *arguments: str) -> list[str]:
        """Give the command line for the manager that owns the unit."""
        return ["systemctl", *(["--user"] if self.of_user else []), *arguments]


def install_service_command(
    options: Annotated[
        list[str] | None,
        typer.Argument(help="Options of `sightline up`, after --: -- --port 8081", show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write without asking.")] = False,
    print_only: Annotated[bool, typer.Option("--print", help="Show the unit and do nothing.")] = False,
) -> None:
    """Start `up` at boot: shows a systemd unit, writes it when confirmed, and starts it."""
    unit = make_unit(options or [], of_user=os.geteuid() != 0)
    typer.echo(f"# {unit.path}\n{unit.text}")
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
    text = UNIT.format(
        documentation=Path(__file__).resolve().parents[2] / "README.md",
        command=" ".join(_escape(word) for word in [*words, *options]),
        sandbox="" if of_user else SYSTEM_SANDBOX.format(user=_service_user(program)),
        target="default.target" if of_user else "multi-user.target",
    )
    folder = _user_folder() if of_user else SYSTEM_FOLDER
    return ServiceUnit(folder / UNIT_NAME, text, of_user)


def _service_user(program: Path) -> str:
    """Run as the owner of the installation, who can read it; one of root's runs as a user of its own."""
    owner = next((path.stat().st_uid for path in (program, *program.parents) if path.exists()), 0)
    if owner == 0:
        return "DynamicUser=true"
    return f"User={pwd.getpwuid(owner).pw_name}"


def _escape(option: str) -> str:
    """Quote for ExecStart: systemd reads quotes like a shell, and % and $ in its own way."""
    return shlex.quote(option).replace("%", "%%").replace("$", "$$")


def _user_folder() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def install(unit: ServiceUnit) -> None:
    """Write the unit and start it, again where it runs; SightlineError says which step failed."""
    try:
        unit.path.parent.mkdir(parents=True, exist_ok=True)
        unit.path.write_text(unit.text, encoding="utf-8")
        # Addresses among the options may hold passwords.
        unit.path.chmod(0o600)
    except OSError as error:
        raise BadInputError(f"{unit.path} cannot be written: {error.strerror}") from error
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
