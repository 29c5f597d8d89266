"""Errors as RFC 9457 problem details: one clear line, no traceback, no secret."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from services.common.secrets import redact
from services.core.errors import (
    BadInputError,
    ConflictError,
    DatabaseUnavailableError,
    NotFoundError,
    SightlineError,
    StreamError,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS_OF: dict[type[SightlineError], HTTPStatus] = {
    BadInputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    DatabaseUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    StreamError: HTTPStatus.SERVICE_UNAVAILABLE,
}
RETRY_AFTER_S = 2


class ProblemResponse(JSONResponse):
    """A problem as JSON."""

    media_type = MEDIA_TYPE


def problem(
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> ProblemResponse:
    """Make the answer that tells of a problem."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": redact(detail),
    }
    if errors:
        body["errors"] = errors
    return ProblemResponse(body, status, dict(headers or {}))


def install_problems(app: FastAPI) -> None:
    """Answer each kind of error."""
    app.add_exception_handler(SightlineError, _on_known)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unknown)


async def _on_known(request: Request, error: Exception) -> ProblemResponse:
    status = next(
        (status for kind, status in STATUS_OF.items() if isinstance(error, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    is_away = status is HTTPStatus.SERVICE_UNAVAILABLE
    return problem(status, str(error), {"Retry-After": str(RETRY_AFTER_S)} if is_away else None)


async def _on_validation(request: Request, error: Exception) -> ProblemResponse:
    """Name each field; the values are left out, because they might be secrets."""
    assert isinstance(error, RequestValidationError)
    errors = [{"field": _field(item["loc"]), "message": _message(item)} for item in error.errors()]
    first = errors[0] if errors else {"field": "", "message": "the request cannot be used"}
    detail = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)


def _field(place: tuple[int | str, ...]) -> str:
    inner = place[1:] if place and place[0] in ("body", "query", "path", "header") else place
    return ".".join(str(part) for part in inner)


def _message(item: Mapping[str, Any]) -> str:
    if item["type"] == "extra_forbidden":
        return "this key is not known"
    if item["type"] == "json_invalid":
        return "the body is not JSON"
    return str(item["msg"]).removeprefix("Value error, ")


async def _on_http(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), error.headers)


async def _on_unknown(request: Request, error: Exception) -> ProblemResponse:
    """An error of ours: the log has it whole, the answer says only that it happened."""
    log.error("%s %s failed: %s", request.method, request.url.path, type(error).__name__)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong; the log of the service says what")
