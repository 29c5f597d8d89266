"""What the settings of each service have in common, and the addresses that come by the environment alone."""

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from services.common.connections.addresses import address_for_others, is_every_address, is_loopback
from services.common.files import read_text
from services.common.http.below_path import prefix_from
from services.common.http.forwarded import trusted_proxies
from services.common.settings.cameras import Folders
from services.common.settings.files import Settings
from services.core.errors import BadInputError

log = logging.getLogger(__name__)

NATS_URL_VARIABLE = "SIGHTLINE_NATS_URL"
MONGODB_URI_VARIABLE = "SIGHTLINE_MONGODB_URI"

Port = int

LIVE_MEMORY_MB = 256.0
LiveMemory = Annotated[float, Field(ge=32, allow_inf_nan=False)]
"""Megabytes for the decoded pictures of all cameras that are watched; less than 32 shows hardly one."""


class ServiceSettings(Settings):
    """Where a service listens. Its options on the command line win over its file."""

    host: str = "127.0.0.1"
    health_port: Port = Field(9090, ge=0, le=65_535)
    insecure: bool = False
    """Let everybody who reaches the service use it without login."""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the service."""
        return is_loopback(self.host)

    @property
    def wants_login(self) -> bool:
        """Whether users have to say who they are."""
        return not self.is_loopback and not self.insecure


class PageSettings(Settings):
    """How the page and the API are served, alone or by `up`."""

    host: str = "127.0.0.1"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    login: Literal["auto", "required", "off"] = "auto"
    """`auto` asks for a login where other machines can reach this one; `off` lets everybody in."""
    trusted_proxy: str = ""
    """Addresses and networks of proxies whose X-Forwarded-For, -Proto and -Host are believed, with commas
    between; `direct` believes whoever connects, one hop far."""
    proxy_path: str = ""
    """The path of a proxy's host below which the page is, where the proxy passes it on: `/sightline`."""
    file_camera_folders: Folders = ()
    """Folders whose video files may become cameras on the page and through the API, as ingest sees them."""
    model_folders: Folders = ()
    """Folders whose .onnx files may become models of cameras on the page and through the API, as the
    detector sees them."""
    live_memory_mb: LiveMemory = LIVE_MEMORY_MB
    """Most memory for the decoded pictures of all cameras that are watched, in megabytes."""

    @field_validator("trusted_proxy")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        trusted_proxies(value)
        return value

    @field_validator("proxy_path")
    @classmethod
    def _is_path(cls, value: str) -> str:
        return prefix_from(value)

    @model_validator(mode="after")
    def _certificate_with_key(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together")
        return self


def secret_address(
    variable: str, example: str, what: str, environment: Mapping[str, str] = os.environ
) -> str:
    """Read an address with its password from a variable, or from the file that `<variable>_FILE` names.

    BadInputError, which never shows the address, when there is none.
    """
    if environment.get(variable):
        return environment[variable].strip()
    name = environment.get(f"{variable}_FILE")
    if not name:
        raise BadInputError(f"{what} is not known: set {variable} to an address like {example}")
    try:
        address = read_text(name).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BadInputError(f"{variable}_FILE: {name} cannot be read: {reason}") from None
    if not address:
        raise BadInputError(f"{variable}_FILE: {name} is empty")
    return address


def nats_url(environment: Mapping[str, str] = os.environ) -> str:
    """Give the address of the NATS server; BadInputError when none is set."""
    return secret_address(NATS_URL_VARIABLE, "nats://nats:4222", "the NATS server", environment)


def mongodb_uri(environment: Mapping[str, str] = os.environ) -> str:
    """Give the address of the database; BadInputError when none is set."""
    return secret_address(MONGODB_URI_VARIABLE, "mongodb://mongodb:27017", "the database", environment)


def given_mongodb_uri(environment: Mapping[str, str] = os.environ) -> str | None:
    """Give the address of the database as the services read it; None when the environment names none."""
    names = (MONGODB_URI_VARIABLE, f"{MONGODB_URI_VARIABLE}_FILE")
    return mongodb_uri(environment) if any(environment.get(name) for name in names) else None


def reachable_host(
    host: str,
    advertised: str | None,
    towards: str | None = None,
    own_address: Callable[[str, str | None], str | None] = address_for_others,
) -> str:
    """Give the name under which other services reach what listens on `host`; `towards` is where all meet.

    Where this machine has no address but its loopback one, that is logged: then only it reaches itself.
    """
    if advertised:
        return advertised
    if not is_every_address(host):
        return host
    address = own_address(host, towards)
    if address is not None:
        return address
    log.warning(
        "this machine has no address by which others reach it: give one as `advertise_host` in the settings"
    )
    return "::1" if ":" in host else "127.0.0.1"
