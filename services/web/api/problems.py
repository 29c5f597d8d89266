"""Problem details of the web service: which a route may answer, and requests that FastAPI cannot use."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field

from services.common.http import problems
from services.common.http.problems import (
    LONGEST_FIELD,
    MOST_FIELDS,
    ProblemResponse,
    problem,
    problem_of,
)
from services.common.secrets import cut
from services.core.sentences.sentence import sentence
from services.web.api.fields import NOT_JSON, wrong_with

__all__ = ["ProblemResponse", "install_problems", "problem", "problem_of"]


Code = Annotated[
    str, Field(description="names the sentence, stable over releases", examples=["camera-exists"])
]
Params = Annotated[
    dict[str, str | int | float], Field(description="what the sentence is filled in with, by name")
]


class ProblemField(BaseModel):
    """What is wrong with one field of a request; its value is left out, because it might be a secret."""

    field: str
    message: str
    code: Code
    params: Params


class Problem(BaseModel):
    """Why a request was not answered (RFC 9457)."""

    type: Annotated[str, Field(examples=["about:blank"])]
    title: str
    status: int
    detail: Annotated[str, Field(description="one clear line that says what to do")]
    code: Code
    params: Params
    errors: Annotated[list[ProblemField], Field(description="only where a request cannot be used")] = []


Answers = dict[int | str, dict[str, Any]]
"""Answers of a route by their status, as FastAPI's `responses` takes them."""

REFUSED = {
    400: "the body of the request cannot be read",
    401: "nobody is known to be asking, or the login or token does not hold any more",
    403: "who asks may not do this, or a page of another site asks",
    404: "what is named is not there",
    408: "the body of the request did not come in time",
    409: "the name is taken, the most is reached, or it was changed meanwhile",
    413: "the body of the request is too long",
    422: "the request cannot be used; `detail` says what to do",
    429: "too many at once, or too soon again",
    500: "an error of this service; its log says more",
    503: "the database, the camera or this service cannot answer now",
}
"""What each status of a problem says."""


def refusals(*statuses: int) -> Answers:
    """Declare the problems that a route may answer beside those that all may (`api/description.py`)."""
    return {status: {"description": REFUSED[status]} for status in statuses}


def created(others: Answers) -> Answers:
    """Declare that a route answers with the place of what it has made, beside what else it may answer."""
    place = {"Location": {"description": "where it is", "schema": {"type": "string"}}}
    return {201: {"headers": place}, **others}


def install_problems(app: FastAPI) -> None:
    """Answer each kind of error."""
    problems.install_problems(app)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPStatus.BAD_REQUEST, _on_unreadable)


async def _on_unreadable(request: Request, error: Exception) -> ProblemResponse:
    """FastAPI says only that something was wrong where a body is no text, or holds a number without end."""
    return problem(HTTPStatus.BAD_REQUEST, sentence("body-unreadable"))


async def _on_validation(request: Request, error: Exception) -> ProblemResponse:
    """Name each field; the values are left out, because they might be secrets."""
    assert isinstance(error, RequestValidationError)
    errors = [(_field(item), wrong_with(item)) for item in error.errors()[:MOST_FIELDS]]
    field, wrong = errors[0] if errors else ("", sentence("request-unusable"))
    what = sentence("input-invalid", field=field, reason=wrong) if field else wrong
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, what, errors=errors)


def _field(item: Mapping[str, Any]) -> str:
    """Name a field; where the body is not JSON there is none."""
    place = item["loc"]
    if item["type"] == NOT_JSON:
        return ""
    inner = place[1:] if place and place[0] in ("body", "query", "path", "header") else place
    return ".".join(cut(str(part), LONGEST_FIELD) for part in inner)
