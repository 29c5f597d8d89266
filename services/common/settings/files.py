"""Settings files: YAML with every key checked, environment on top, and errors that name the line."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.common.files import read_text
from services.core.errors import BadInputError

ENVIRONMENT_PREFIX = "SIGHTLINE_"

KeyPath = Sequence[str | int]
"""The way to a value within a file: keys and positions."""


class Settings(BaseModel):
    """The base of all settings: an unknown key is a mistake of the writer, and nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @property
    def given(self) -> dict[str, Any]:
        """What was set, without what has its default."""
        return {name: getattr(self, name) for name in self.model_fields_set}

    def changed(self, options: Mapping[str, object]) -> Self:
        """Give these settings with the options of a command line in place; BadInputError names the option."""
        try:
            return self.model_validate({**self.given, **options})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            option = f"--{first['loc'][0]}: ".replace("_", "-") if first["loc"] else ""
            raise BadInputError(option + first["msg"].removeprefix("Value error, ")) from None


class ConnectionSettings(Settings):
    """How many connections an HTTP port takes at once."""

    connection_limit: int = Field(500, ge=8, le=100_000)
    client_connection_limit: int = Field(100, ge=2, le=100_000)
    """From one address; behind a trusted proxy, requests at once for an address that it forwards."""


class RtspConnectionSettings(Settings):
    """How many connections an RTSP port takes at once."""

    rtsp_connection_limit: int = Field(64, ge=2, le=10_000)
    rtsp_client_connection_limit: int = Field(32, ge=1, le=10_000)
    """From one address."""


S = TypeVar("S", bound=Settings)


def load_settings(kind: type[S], path: Path | None = None, environment: Mapping[str, str] = os.environ) -> S:
    """Read a settings file and let `SIGHTLINE_<KEY>` override its top-level keys.

    Without a path the defaults hold. BadInputError names the file, the line and the key, and never a
    value, which might be a secret.
    """
    tree, values = _read(path) if path is not None else (None, {})
    overrides = _overrides(kind, environment)
    try:
        return kind.model_validate({**values, **overrides})
    except ValidationError as error:
        raise BadInputError(_explain(error, kind, path, tree, overrides)) from None


def _read(path: Path) -> tuple[yaml.Node | None, dict[str, Any]]:
    try:
        text = read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BadInputError(f"{path} cannot be read: {reason}") from error
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInputError(f"{path}, line {line}: not YAML: {error.problem}") from None
    except yaml.YAMLError:
        raise BadInputError(f"{path} is not YAML") from None
    if values is None:
        return None, {}
    if not isinstance(values, dict):
        raise BadInputError(f"{path}, line 1: settings are keys with values")
    return tree, values


def setting_variables(kind: type[Settings]) -> dict[str, str]:
    """Give the variable of each top-level key."""
    return {field: f"{ENVIRONMENT_PREFIX}{field.upper()}" for field in kind.model_fields}


def _overrides(kind: type[Settings], environment: Mapping[str, str]) -> dict[str, Any]:
    return {
        field: _value(name, environment[name], kind.model_fields[field].annotation)
        for field, name in setting_variables(kind).items()
        if name in environment
    }


def _value(name: str, text: str, annotation: Any) -> Any:
    """Read a variable as its key would be: `null` where that may be, and as YAML what has keys itself."""
    kinds = (annotation, *get_args(annotation))
    if type(None) in kinds and text.strip() in ("", "null"):
        return None
    if not any(isinstance(kind, type) and issubclass(kind, Settings) for kind in kinds):
        return text
    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError:
        raise BadInputError(f"{name}: not YAML (what stands under its key in a settings file)") from None
    return read if read is not None else {} if isinstance(annotation, type) else ()


def _explain(
    error: ValidationError,
    kind: type[Settings],
    path: Path | None,
    tree: yaml.Node | None,
    overrides: Mapping[str, object],
) -> str:
    details = error.errors(include_url=False, include_input=False, include_context=False)
    first, place = details[0], details[0]["loc"]
    if place and place[0] in overrides:
        where = f"{ENVIRONMENT_PREFIX}{str(place[0]).upper()}"
    elif path is None:
        where = "settings"
    else:
        where = f"{path}, line {_line_of(tree, place)}"
    name = ".".join(str(part) for part in place)
    if first["type"] == "extra_forbidden":
        message = f"unknown key {name!r}{_known_keys(kind, place)}"
    else:
        message = f"{name}: {first['msg'].removeprefix('Value error, ')}" if name else first["msg"]
    more = len(details) - 1
    return f"{where}: {message}" + (f" (and {more} more)" if more else "")


def _known_keys(kind: type[Settings], place: KeyPath) -> str:
    return f" (known: {', '.join(sorted(kind.model_fields))})" if len(place) == 1 else ""


def _line_of(node: yaml.Node | None, place: KeyPath) -> int:
    """Give the line of the deepest part of the way that the file has."""
    line = 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                return line
            key, node = found[-1]
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line
