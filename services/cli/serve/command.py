"""`sightline serve`: one service alone, as the containers run it."""

import asyncio
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from services.cli.serve.settings import DetectorSettings, IngestSettings, RtspSettings, StoreSettings
from services.common.logs import configure_logging
from services.common.settings.files import Settings, load_settings
from services.web.settings import WebSettings

S = TypeVar("S", bound=Settings)

Config = Annotated[
    Path | None, typer.Option(help="Settings file (configmaps/<service>.yaml explains it).", metavar="FILE")
]
Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
HealthPort = Annotated[
    int | None, typer.Option(min=0, max=65_535, help="Port of /healthz, /readyz and /metrics.")
]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Let anybody who reaches the service use it without login.")
]


def _port(help: str) -> Any:
    return typer.Option(min=0, max=65_535, help=help)


app = typer.Typer(
    name="serve",
    help="Run one service alone. Finds the others by SIGHTLINE_NATS_URL and SIGHTLINE_MONGODB_URI.",
    no_args_is_help=True,
)


def settings_of(kind: type[S], config: Path | None, **options: object) -> S:
    """Read the settings; an option that was given wins. BadInputError in one line."""
    given = {key: value for key, value in options.items() if value is not None and value is not False}
    return load_settings(kind, config).changed(given)


@app.command()
def ingest(
    config: Config = None,
    host: Host = None,
    port: Annotated[int | None, _port("Port of the RTSP relay (8554).")] = None,
    video_port: Annotated[int | None, _port("Port of the pictures for other services (8553).")] = None,
    health_port: HealthPort = None,
    insecure: Insecure = False,
) -> None:
    """Connect cameras, and give their pictures to the other services."""
    from services.cli.serve.ingest import IngestProcess

    configure_logging()
    settings = settings_of(
        IngestSettings,
        config,
        host=host,
        port=port,
        video_port=video_port,
        health_port=health_port,
        insecure=insecure,
    )
    asyncio.run(IngestProcess(settings).run())


@app.command()
def detector(
    config: Config = None,
    host: Host = None,
    port: Annotated[int | None, _port("Port of the JSON stream of detections (8070).")] = None,
    mjpeg_port: Annotated[int | None, _port("Port of the MJPEG pictures (8090).")] = None,
    health_port: HealthPort = None,
    insecure: Insecure = False,
) -> None:
    """Turn pictures into tracks and crossings."""
    from services.cli.serve.detector import DetectorProcess

    configure_logging()
    settings = settings_of(
        DetectorSettings,
        config,
        host=host,
        port=port,
        mjpeg_port=mjpeg_port,
        health_port=health_port,
        insecure=insecure,
    )
    asyncio.run(DetectorProcess(settings).run())


@app.command()
def store(config: Config = None, host: Host = None, health_port: HealthPort = None) -> None:
    """Write events into the database."""
    from services.cli.serve.store import StoreProcess

    configure_logging()
    settings = settings_of(StoreSettings, config, host=host, health_port=health_port)
    asyncio.run(StoreProcess(settings).run())


@app.command()
def web(
    config: Config = None,
    host: Host = None,
    port: Annotated[int | None, _port("Port of page and API (8080).")] = None,
    health_port: HealthPort = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder for the first account's password, if it is generated.")
    ] = None,
    insecure: Insecure = False,
) -> None:
    """Serve page, API and live pictures."""
    from services.cli.serve.web import WebProcess

    configure_logging()
    settings = settings_of(
        WebSettings,
        config,
        host=host,
        port=port,
        health_port=health_port,
        login="off" if insecure else None,
    )
    asyncio.run(WebProcess(settings, data).run())


@app.command()
def rtsp(
    config: Config = None,
    host: Host = None,
    port: Annotated[int | None, _port("Port of the annotated RTSP streams (8555).")] = None,
    health_port: HealthPort = None,
    insecure: Insecure = False,
) -> None:
    """Send pictures with boxes and lines by RTSP."""
    from services.cli.serve.rtsp import RtspProcess

    configure_logging()
    settings = settings_of(
        RtspSettings, config, host=host, port=port, health_port=health_port, insecure=insecure
    )
    asyncio.run(RtspProcess(settings).run())
