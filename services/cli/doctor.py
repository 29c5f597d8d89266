"""`sightline doctor`: what this host and a camera have and lack, as text that can be pasted into an issue."""

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer

from services.cli.camera_option import HELP, read_address, warn_of_open_secrets
from services.cli.console import notes
from services.cli.data_folder import default_data_folder
from services.cli.doctor_host import Finding, State, host_checks
from services.common.secrets import redact
from services.common.video.source import Connection, SourceUnit
from services.core.camera_address import check_address, mask_address
from services.core.errors import StreamError
from services.core.sentences.sentence import plain
from services.demo import demo_source
from services.ingest.sources import source_of


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


def report(checks: Sequence[Finding], url: str = "") -> str:
    """Lay the checks out as plain text; the secrets of the address stand nowhere in it."""
    width = max(len(check.name) for check in checks)
    lines = [f"{check.state:8} {check.name:{width}}  {check.what}" for check in checks]
    return redact("\n".join(lines), url)


LOOK_S = 6.0
LONG_KEYFRAME_DISTANCE_S = 4.0
"""A viewer or a restarted detector waits this long for its first picture."""


def check_camera(url: str) -> list[Finding]:
    """Open the stream, watch it for a few seconds and judge what came."""
    checks = [Finding("good", "camera", plain(mask_address(url)))]
    started_s = time.monotonic()
    try:
        connection = source_of(url, demo=demo_source).connect()
    except StreamError as error:
        return [*checks, Finding("wrong", "stream", error.sentence)]
    opened_s = time.monotonic() - started_s
    try:
        units = _watch(connection)
        width, height = connection.resolution
    except StreamError as error:
        return [*checks, Finding("wrong", "stream", error.sentence)]
    finally:
        connection.close()
    if not units:
        return [*checks, Finding("wrong", "stream", plain("it opened, but no picture came"))]
    text = f"{units[0].codec.label}, {width}x{height}, opened in {opened_s:.1f} s, {len(units)} pictures seen"
    return [*checks, Finding("good", "stream", plain(text)), _rate(units), _order(units), _keyframes(units)]


def _watch(connection: Connection) -> list[SourceUnit]:
    deadline_s = time.monotonic() + LOOK_S
    units = []
    for unit in connection.units():
        units.append(replace(unit, data=b""))  # a rich stream would fill the memory meanwhile
        if time.monotonic() > deadline_s:
            break
    return units


def _times_s(units: list[SourceUnit]) -> list[float]:
    return [unit.stream_s for unit in units if unit.stream_s is not None]


def _rate(units: list[SourceUnit]) -> Finding:
    times_s = _times_s(units)
    if len(times_s) < 2 or max(times_s) <= min(times_s):
        return Finding("unknown", "rate", plain("the stream's pictures carry no times"))
    rate_fps = (len(times_s) - 1) / (max(times_s) - min(times_s))
    return Finding("good", "rate", plain(f"{rate_fps:.1f} frames a second"))


def _order(units: list[SourceUnit]) -> Finding:
    """B-frames arrive out of their order in time."""
    if any(later < earlier for earlier, later in pairwise(_times_s(units))):
        text = "yes: they add delay, and browsers cannot show them live; switch them off in the camera"
        return Finding("note", "B-frames", plain(text))
    return Finding("good", "B-frames", plain("none"))


def _keyframes(units: list[SourceUnit]) -> Finding:
    times_s = [unit.stream_s for unit in units if unit.is_keyframe and unit.stream_s is not None]
    if len(times_s) < 2:
        text = f"fewer than two in {LOOK_S:g} s: set the camera's key frame interval to 1 or 2 s"
        return Finding("note", "key frames", plain(text))
    distance_s = max(later - earlier for earlier, later in pairwise(times_s))
    state: State = "note" if distance_s > LONG_KEYFRAME_DISTANCE_S else "good"
    return Finding(state, "key frames", plain(f"every {distance_s:.1f} s"))
