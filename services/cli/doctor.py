"""`sightline doctor`: what this host has and lacks, in a text that can be pasted into an issue."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from services.cli.camera_option import HELP, read_address, warn_of_open_secrets
from services.cli.console import notes
from services.cli.data_folder import default_data_folder
from services.cli.doctor_camera import LOOK_S, check_camera
from services.cli.doctor_checks import Check
from services.cli.doctor_host import host_checks
from services.common.secrets import redact
from services.core.camera_address import check_address


def doctor_command(
    camera: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help=f"A camera to look at for a few seconds: {HELP}", show_default=False
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Data folder to look at (default: that of `up`).", show_default=False)
    ] = None,
) -> None:
    """Check this host, and a camera: a report without secrets. Exit code 1 when something is wrong."""
    url = "" if camera is None else _address(camera)
    checks = host_checks(data or default_data_folder())
    if url:
        with notes.status(f"looking at the camera for {LOOK_S:g} s"):
            checks += check_camera(url)
    typer.echo(report(checks, url))
    if any(check.state == "wrong" for check in checks):
        raise typer.Exit(1)


def _address(camera: str) -> str:
    """Read the camera's address from where it is kept; BadInputError when no camera can have it."""
    address = read_address(camera)
    check_address(address.url)
    warn_of_open_secrets("the camera", address)
    return address.url


def report(checks: Sequence[Check], url: str = "") -> str:
    """Lay the checks out as plain text; the secrets of the address stand nowhere in it."""
    width = max(len(check.name) for check in checks)
    lines = [f"{check.state:8} {check.name:{width}}  {check.text}" for check in checks]
    return redact("\n".join(lines), url)
