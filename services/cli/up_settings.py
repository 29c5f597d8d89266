"""What `sightline up --config FILE` may hold: how to listen, and cameras with their lines."""

import os
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from services.common.files import read_text
from services.common.settings.cameras import Patience, check_name
from services.common.settings.files import ConnectionSettings, RtspConnectionSettings, Settings
from services.common.settings.retention import RetentionSettings
from services.common.settings.service import PageSettings
from services.common.settings.space import SpaceLimits
from services.core.costs import EngineName
from services.core.errors import BadInputError
from services.core.evidence.rate import check_fps
from services.core.identifiers import ID_PATTERN, id_from_name
from services.core.limits import CAMERA_PATIENCE_S
from services.core.lines import line_from_object
from services.core.model_classes import model_for
from services.core.tiles import WHOLE, Tiles
from services.core.types import Camera, CameraId, Line


def _line(value: object) -> Line:
    if isinstance(value, Line):
        return value
    if isinstance(value, dict) and "id" not in value and "name" in value:
        value = {"id": id_from_name(str(value["name"])), **value}
    try:
        return line_from_object(value)
    except BadInputError as error:
        raise ValueError(str(error)) from None


def _fps(value: float) -> float:
    try:
        check_fps(value)
    except BadInputError as error:
        raise ValueError(str(error)) from None
    return value


def _tiles(value: str) -> str:
    try:
        Tiles.parse(value)
    except BadInputError as error:
        raise ValueError(str(error)) from None
    return value


def _name(value: str) -> str:
    try:
        return check_name(value)
    except BadInputError as error:
        raise ValueError(str(error)) from None


class CameraSettings(Settings):
    """One camera with its lines. Exactly one of `url`, `url_env` and `url_file` gives its address."""

    id: Annotated[str, Field(pattern=f"^{ID_PATTERN.pattern}$")]
    name: Annotated[str, AfterValidator(_name)]
    url: str | None = None
    url_env: str | None = None
    """Name of an environment variable with the address: for a password that no file should hold."""
    url_file: Path | None = None
    """File with the address, such as a mounted secret."""
    model: str | None = None
    """None: mask for demo://masks, else traffic."""
    enabled: bool = True
    fps: Annotated[float, AfterValidator(_fps)] = 10.0
    lines: tuple[Annotated[Line, BeforeValidator(_line)], ...] = ()
    verify: bool = False
    """A second opinion on the mask states of tracked faces."""
    tiles: Annotated[str, AfterValidator(_tiles)] = WHOLE

    @model_validator(mode="before")
    @classmethod
    def _fill_id_and_name(cls, value: Any) -> Any:
        if isinstance(value, dict):
            if "id" not in value and "name" in value:
                return {"id": id_from_name(str(value["name"])), **value}
            if "name" not in value and "id" in value:
                return {"name": value["id"], **value}
        return value

    @model_validator(mode="after")
    def _one_address_and_distinct_lines(self) -> Self:
        given = [address for address in (self.url, self.url_env, self.url_file) if address]
        if len(given) != 1:
            raise ValueError("give exactly one of url, url_env and url_file")
        _refuse_doubles([str(line.id) for line in self.lines], "lines")
        return self

    def camera(self) -> Camera:
        """Give the camera, with its address read from where it is kept."""
        url = self._address()
        model = self.model or model_for(url, None)
        return Camera(
            CameraId(self.id), self.name, url, model, self.enabled, self.fps, self.verify, self.tiles
        )

    def _address(self) -> str:
        if self.url_env:
            address = os.environ.get(self.url_env, "")
            if not address:
                raise BadInputError(f"camera {self.id!r}: the environment variable {self.url_env} is not set")
            return address
        if self.url_file:
            try:
                return read_text(self.url_file).strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                raise BadInputError(f"camera {self.id!r}: {self.url_file} cannot be read: {reason}") from None
        return self.url or ""


OptionalPort = Annotated[int | None, Field(ge=0, le=65_535)]


class UpConfig(PageSettings, ConnectionSettings, RtspConnectionSettings, SpaceLimits):
    """The settings of `sightline up`; an option of the command line wins over its key here."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    data: Path | None = None
    model: str = "traffic"
    """For cameras of the command line and of the page."""
    engine: EngineName = "auto"
    """What computes the models; `auto`: the fastest that computes right, as measured on this machine."""
    json_port: OptionalPort = 8070
    """Detections as a JSON stream; None: not served. The same holds for the other three."""
    mjpeg_port: OptionalPort = 8090
    """Pictures as MJPEG."""
    relay_port: OptionalPort = 8554
    """The cameras' own streams by RTSP; needs GStreamer."""
    annotated_port: OptionalPort = 8555
    """Pictures with boxes and lines by RTSP; needs GStreamer."""
    camera_patience_s: Patience = CAMERA_PATIENCE_S
    """How long a camera may take for each answer, and for its first picture, in seconds."""
    retention: RetentionSettings = RetentionSettings()
    """How long records are kept."""
    cameras: tuple[CameraSettings, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _refuse_doubles([camera.id for camera in self.cameras], "cameras")
        return self


def _refuse_doubles(ids: list[str], what: str) -> None:
    doubled = [id for id in ids if ids.count(id) > 1]
    if doubled:
        raise ValueError(f"two {what} have the id {doubled[0]!r}: give each an `id` of its own")
