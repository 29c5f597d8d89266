"""`sightline up`: the whole platform in one process."""

import asyncio
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from services.cli.camera_option import (
    HELP,
    environment_cameras,
    read_camera_option,
    variables_of,
    warn_of_open_secrets,
)
from services.cli.console import notes
from services.cli.data_folder import default_data_folder, engine_folder
from services.cli.embedded_database import RunningDatabase, start_database
from services.cli.platform import Platform, PlatformSettings
from services.cli.setup_seed import SetupSeed, WantedCamera
from services.cli.up_settings import UpConfig
from services.common.connections.addresses import address_to_open
from services.common.connections.listening import listen
from services.common.database.accounts import Accounts
from services.common.database.link import DatabaseLink
from services.common.database.schema import Schema, check_whole
from services.common.logs import configure_logging
from services.common.settings.cameras import check_url, validate_camera
from services.common.settings.files import load_settings, setting_variables
from services.common.settings.service import given_mongodb_uri
from services.core.errors import BadInputError, DatabaseUnavailableError, HalfRestoredError
from services.core.identifiers import id_from_name
from services.core.model_classes import check_classes, check_verified, model_for
from services.core.types import Camera, CameraId
from services.detector.infer.models import named_classes, stage_paths
from services.detector.infer.select import EngineSettings, use_engines
from services.web.auth.first_admin import ADMIN, PASSWORD_FILE, ensure_first_admin
from services.web.settings import WebSettings

CONTAINER_VARIABLE = "container"
"""What the image sets, and other engines too: whoever wants the password has to look into a container."""


def up(
    camera: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=URL",
            help=f"A camera: {HELP}",
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model of cameras that name none.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder for everything that lasts.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of page and API.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings file (configmaps/up.yaml explains it).")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate file for HTTPS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Key file for HTTPS.")] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let anybody who reaches the address use it without login.")
    ] = False,
) -> None:
    """Run the whole platform; with no camera it shows its demo. Prints the page's address."""
    configure_logging()
    options = {
        "model": model,
        "data": data,
        "host": host,
        "port": port,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
    }
    given = {key: value for key, value in options.items() if value is not None}
    settings = load_settings(UpConfig, config).changed(given)
    _check_files(settings)
    web = WebSettings(
        host=settings.host,
        port=settings.port,
        login="off" if insecure else settings.login,
        trusted_proxy=settings.trusted_proxy,
        proxy_path=settings.proxy_path,
        connection_limit=settings.connection_limit,
        client_connection_limit=settings.client_connection_limit,
        tls_cert=settings.tls_cert,
        tls_key=settings.tls_key,
        file_camera_folders=settings.file_camera_folders,
    )
    seed = SetupSeed(_wanted(settings, camera or ()), settings.model)
    with listen(settings.host, settings.port) as listening:
        _run(settings, web, seed, listening)


def _check_files(settings: UpConfig) -> None:
    for path in (settings.tls_cert, settings.tls_key):
        if path is not None and not path.is_file():
            raise BadInputError(f"there is no file {path}")


def _wanted(settings: UpConfig, cameras: Sequence[str]) -> list[WantedCamera]:
    stage_paths(settings.model)
    wanted = [WantedCamera(item.camera(), item.lines) for item in settings.cameras]
    named = variables_of(cameras) | {item.url_env for item in settings.cameras if item.url_env}
    named |= set(setting_variables(UpConfig).values())
    given = [*environment_cameras(named), *(read_camera_option(text) for text in cameras)]
    for name, address in given:
        taken = {str(item.camera.id) for item in wanted}
        key = CameraId(id_from_name(name, taken))
        found = Camera(key, name, address.url, model_for(address.url, settings.model))
        wanted.append(WantedCamera(found, is_id_made=True))
    wanted = [_checked(item) for item in wanted]
    for name, address in given:
        warn_of_open_secrets(f"camera {name!r}", address)
    return wanted


def _checked(wanted: WantedCamera) -> WantedCamera:
    camera = wanted.camera
    try:
        check_url(camera.url, sees_files=True)
        known = named_classes(camera.model)
        check_classes(wanted.lines, camera.model, known)
        kept = validate_camera(camera, stage_paths)
        check_verified(kept, known)
    except BadInputError as error:
        raise BadInputError(f"camera {camera.name!r}: {error}") from None
    return replace(wanted, camera=kept)


def _run(settings: UpConfig, web: WebSettings, seed: SetupSeed, listening: socket.socket) -> None:
    uri = given_mongodb_uri()
    engines = engine_folder(settings.data)
    if settings.data is not None or not uri or engines.is_dir():
        use_engines(EngineSettings(engines, settings.engine))
    else:  # a machine whose data lies elsewhere gets no folder that nobody asked for
        use_engines(EngineSettings(None, settings.engine))
    if uri:
        asyncio.run(_serve(settings, web, seed, listening, uri, "MongoDB", None))
        return
    with notes.status("starting the database"):
        database = start_database(settings.data or default_data_folder())
    try:
        kind = f"embedded ({database.kind})"
        asyncio.run(_serve(settings, web, seed, listening, database.uri, kind, database))
    finally:
        database.close()


async def _serve(
    settings: UpConfig,
    web: WebSettings,
    seed: SetupSeed,
    listening: socket.socket,
    uri: str,
    kind: str,
    database: RunningDatabase | None,
) -> None:
    await _refuse_half_restored(uri)
    if web.wants_login:
        await _make_first_account(uri, settings.data or default_data_folder())
    platform = Platform(PlatformSettings(settings, web, uri, kind, database), seed)
    if web.wants_login:
        _log_first_password(settings.data or default_data_folder())
    scheme = "https" if settings.tls_cert else "http"
    address = address_to_open(settings.host, settings.port)
    notes.print(f"Sightline is at {scheme}://{address}", highlight=False, soft_wrap=True)
    await platform.run(listening)


async def _refuse_half_restored(uri: str) -> None:
    """BadInputError where a restore has not ended; one that is away is waited for later."""
    link = DatabaseLink(uri)
    try:
        await check_whole(link)
    except HalfRestoredError as error:
        raise BadInputError(str(error)) from None
    except DatabaseUnavailableError:
        pass
    finally:
        await link.close()


async def _make_first_account(uri: str, folder: Path) -> None:
    """Make sure that somebody can log in before anything is served."""
    link = DatabaseLink(uri)
    try:
        await ensure_first_admin(Accounts(link, Schema(link), time.time), folder.expanduser())
    finally:
        await link.close()


def _log_first_password(folder: Path) -> None:
    """Say at each start how to log in, for as long as the file with the first password is there."""
    path = folder.expanduser() / PASSWORD_FILE
    if not path.exists():
        return
    is_container = bool(os.environ.get(CONTAINER_VARIABLE))
    way = f"docker exec CONTAINER cat {path}" if is_container else f"in {path}"
    notes.print(
        f"Log in as {ADMIN}; its first password, unless it was changed: {way}",
        highlight=False,
        soft_wrap=True,
    )
