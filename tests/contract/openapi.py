"""The description of the API as clients are made from it, and what follows from it.

`scripts/renew-api.sh` writes them anew (`python -m tests.contract.openapi`).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.common.bus.local import LocalBus
from services.common.video.hub import VideoHub
from services.web.settings import WebSettings
from tests.page_tools import TYPES, write_types
from tests.tables import Tables
from tests.web_app import app_over

SNAPSHOT = Path(__file__).with_name("openapi.json")

BINARY = ("text/", "image/", "multipart/", "application/x-ndjson")
"""Answers of which a schema can say no more than that they are text, or bytes."""


def described() -> dict[str, Any]:
    """Give the description of the API; nothing is asked of a database."""
    tables = Tables("mongodb://127.0.0.1:9/")
    return app_over(tables, LocalBus(), VideoHub(), WebSettings()).openapi()


def as_text(description: dict[str, Any]) -> str:
    """Write a description as the snapshot has it."""
    return json.dumps(description, indent=1, ensure_ascii=False) + "\n"


def without_schema(description: dict[str, Any]) -> list[str]:
    """Name the answers, problems and bodies of which a description does not say the fields."""
    return sorted(set(_open_places(description)))


def _open_places(description: dict[str, Any]) -> Iterator[str]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                place = f"{method.upper()} {path} {status}"
                contents = _found(description, answer).get("content", {})
                if not contents and status != "204":
                    yield place
                for media_type, content in contents.items():
                    if not _says_fields(description, media_type, content.get("schema", {})):
                        yield f"{place} {media_type}"
                    if int(status) >= 400 and media_type != "application/problem+json":
                        yield f"{place} is no problem"
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                if not _says_fields(description, media_type, content.get("schema", {})):
                    yield f"{method.upper()} {path} body"


def _says_fields(description: dict[str, Any], media_type: str, schema: dict[str, Any]) -> bool:
    schema = _found(description, schema)
    if media_type.startswith(BINARY):
        return bool(schema)
    return "properties" in schema


def _found(description: dict[str, Any], place: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in place:
        return place
    found = description
    for part in place["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


if __name__ == "__main__":
    SNAPSHOT.write_text(as_text(described()), encoding="utf-8")
    write_types(SNAPSHOT, TYPES)
