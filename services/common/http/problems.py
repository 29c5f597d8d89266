"""Errors over HTTP as RFC 9457 problem details: one clear line, no traceback, no secret."""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from services.common.secrets import cut, redact
from services.core.errors import (
    AccessDeniedError,
    BadInputError,
    BusUnavailableError,
    ConflictError,
    DatabaseUnavailableError,
    LoginNeededError,
    NotFoundError,
    SightlineError,
    StreamError,
    ThrottledError,
)
from services.core.sentences.sentence import Sentence, said, sentence

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS_OF: dict[type[SightlineError], HTTPStatus] = {
    BadInputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    DatabaseUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    BusUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    StreamError: HTTPStatus.SERVICE_UNAVAILABLE,
    LoginNeededError: HTTPStatus.UNAUTHORIZED,
    AccessDeniedError: HTTPStatus.FORBIDDEN,
    ThrottledError: HTTPStatus.TOO_MANY_REQUESTS,
}
"""The first class that fits decides: a special one stands before its base."""

RETRY_AFTER_S = 2

LONGEST_DETAIL = 1000
"""Characters of an answer's text, which may be the caller's own."""

LONGEST_FIELD = 100
MOST_FIELDS = 20
"""How many fields of a request that cannot be used are named."""


_OF_STATUS = {
    404: sentence("route-missing"),
    405: sentence("method-not-allowed"),
    415: sentence("media-unsupported"),
}
"""What is said of a request that no route takes."""


class RefusedRequestError(HTTPException):
    """A request is refused on its way, before a route sees all of it."""

    def __init__(self, status: int, what: Sentence, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, what.text, headers)
        self.sentence = what


class ProblemResponse(JSONResponse):
    """A problem as JSON."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """Write it; half a character, which JSON can carry and UTF-8 cannot, becomes a question mark."""
        return json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def problem(
    status: int,
    what: str | Sentence,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[tuple[str, Sentence]] = (),
) -> ProblemResponse:
    """Make the answer that describes a problem; `errors` name a field and what is wrong with it."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        **_said_object(said(what), "detail"),
    }
    if errors:
        body["errors"] = [
            {"field": _shown(field, LONGEST_FIELD), **_said_object(wrong, "message")}
            for field, wrong in errors[:MOST_FIELDS]
        ]
    return ProblemResponse(body, status, dict(headers or {}))


def _said_object(what: Sentence, name: str) -> dict[str, Any]:
    """Give a sentence as keys of an answer, its text as `name`."""
    shown = what.masked(lambda text: _shown(text, LONGEST_DETAIL))
    return {name: shown.text, "code": shown.code, "params": shown.params}


def _shown(text: str, limit: int) -> str:
    """Cut what a stranger may have written before anything looks at it; half a character is none."""
    return redact(cut(text, limit).encode("utf-8", "replace").decode("utf-8"))


def problem_of(error: SightlineError) -> ProblemResponse:
    """Make the answer that describes an error, with the time after which another try makes sense."""
    status = next(
        (status for kind, status in STATUS_OF.items() if isinstance(error, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    headers = {}
    if isinstance(error, ThrottledError):
        headers["Retry-After"] = str(max(1, math.ceil(error.wait_s)))
    elif status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    elif status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(status, error.sentence, headers)


def install_problems(app: Starlette) -> None:
    """Answer each kind of error that every service knows."""
    app.add_exception_handler(SightlineError, _on_known)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unknown)


async def _on_known(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, SightlineError)
    return problem_of(error)


async def _on_http(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    return problem_of_http(error)


def problem_of_http(error: HTTPException) -> ProblemResponse:
    """Make the answer that describes an error of HTTP, such as a route that there is not."""
    if isinstance(error, RefusedRequestError):
        return problem(error.status_code, error.sentence, error.headers)
    return problem(error.status_code, _OF_STATUS.get(error.status_code, error.detail), error.headers)


async def _on_unknown(request: Request, error: Exception) -> ProblemResponse:
    """An error of ours: the log has it whole, the answer says only that it happened."""
    log.error("%s %s failed: %s", request.method, request.url.path[:LONGEST_DETAIL], type(error).__name__)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, sentence("server-fault"))
