"""The description of the API in OpenAPI: what FastAPI finds, and the problems that routes may answer."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from services.common.http.problems import MEDIA_TYPE
from services.web.api.problems import REFUSED, Problem
from services.web.auth import caller as rules
from services.web.auth.login import COOKIE

JsonObject = dict[str, Any]

EVERYWHERE = (403, 408, 413, 429, 500, 503)
"""What stands before the routes may answer these, and so may an error of ours."""

NOT_SENT = ("HTTPValidationError", "ValidationError")
"""FastAPI's own form of an error."""

DESCRIPTION = """Counts from IP cameras, with how complete they are.

Times are ISO 8601 in UTC with milliseconds; places are shares of the picture, 0 to 1. Errors are problem
details (RFC 9457). Programs send `Authorization: Bearer` and a token; the page has a session. Answers may get
more keys in later versions.

What is live comes by server-sent events and MJPEG, and to a page over the one WebSocket `/api/v1/live`. Each
message to it replaces what was asked for before: `{"cameras":[{"camera":"gate","width":320,"fps":2,
"pictures":true,"tracks":false,"overlay":false}]}`. It answers with pictures (4 bytes with the length of a
JSON head, big-endian, the head, the JPEG) and with texts of a `type`: `cameras`, `tracks`, `missing` and
`alive`."""

_SCHEMAS, _RESPONSES = "#/components/schemas/", "#/components/responses/"
_SECONDS = {"description": "seconds until another try makes sense", "schema": {"type": "integer"}}
_CHALLENGE = {"description": "how to say who asks", "schema": {"type": "string"}}
_HEADERS = {
    401: {"WWW-Authenticate": _CHALLENGE},
    429: {"Retry-After": _SECONDS},
    503: {"Retry-After": _SECONDS},
}


_LOGINS = {
    "token": {"type": "http", "scheme": "bearer", "description": "of a program"},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "of the page"},
    "address": {"type": "apiKey", "in": "query", "name": "token", "description": "a token, for players"},
}
"""How to say who asks, where a login is wanted."""


class DescribedApp(FastAPI):
    """An application whose description names every problem that its routes may answer."""

    def openapi(self) -> JsonObject:
        """Give the description; it is made once."""
        if not self.openapi_schema:
            self.openapi_schema = _completed(super().openapi())
        return self.openapi_schema


def operations(description: JsonObject) -> Iterator[tuple[str, str, JsonObject]]:
    """Give every operation of a description with its method and path."""
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _completed(description: JsonObject) -> JsonObject:
    for method, path, operation in operations(description):
        answers = operation["responses"]
        refused = {int(status) for status in answers if int(status) >= HTTPStatus.BAD_REQUEST}
        refused.update(_common(method, path, operation))
        answers.update({str(status): {"$ref": _RESPONSES + _name(status)} for status in refused})
        operation["responses"] = dict(sorted(answers.items()))
        operation["security"] = [{name: []} for name in _logins(method, path)]
    components = description["components"]
    own = {name: schema for name, schema in components["schemas"].items() if name not in NOT_SENT}
    _, problems = models_json_schema([(Problem, "serialization")], ref_template=_SCHEMAS + "{model}")
    components["schemas"] = dict(sorted({**own, **problems["$defs"]}.items()))
    components["securitySchemes"] = _LOGINS
    components["responses"] = {_name(status): _response(status) for status in REFUSED}
    return description


def _common(method: str, path: str, operation: JsonObject) -> Iterator[int]:
    """Give the statuses of problems that a route may answer whatever it does."""
    yield from EVERYWHERE
    if path == rules.SESSION_PATH or not rules.is_open(method, path):
        yield HTTPStatus.UNAUTHORIZED
    if "requestBody" in operation:
        yield from (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)


def _logins(method: str, path: str) -> Iterator[str]:
    """Name the ways of saying who asks that a route knows; none where everybody may."""
    if not rules.is_open(method, path):
        yield from ("token", "session")
    if rules.takes_token_in_query(method, path):
        yield "address"


def _name(status: int) -> str:
    return f"{Problem.__name__}{status}"


def _response(status: int) -> JsonObject:
    content = {MEDIA_TYPE: {"schema": {"$ref": _SCHEMAS + Problem.__name__}}}
    headers = {"headers": _HEADERS[status]} if status in _HEADERS else {}
    return {"description": REFUSED[status], "content": content, **headers}
