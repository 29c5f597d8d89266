"""Problem details of the web service: those of every service, and requests that FastAPI cannot use."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError

from services.common.http import problems
from services.common.http.problems import LONGEST_FIELD, MOST_FIELDS, ProblemResponse, problem, problem_of
from services.common.secrets import cut

__all__ = ["ProblemResponse", "install_problems", "problem", "problem_of"]


def install_problems(app: FastAPI) -> None:
    """Answer each kind of error."""
    problems.install_problems(app)
    app.add_exception_handler(RequestValidationError, _on_validation)


async def _on_validation(request: Request, error: Exception) -> ProblemResponse:
    """Name each field; the values are left out, because they might be secrets."""
    assert isinstance(error, RequestValidationError)
    errors = [
        {"field": _field(item["loc"]), "message": _message(item)} for item in error.errors()[:MOST_FIELDS]
    ]
    first = errors[0] if errors else {"field": "", "message": "the request cannot be used"}
    detail = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)


def _field(place: tuple[int | str, ...]) -> str:
    inner = place[1:] if place and place[0] in ("body", "query", "path", "header") else place
    return ".".join(cut(str(part), LONGEST_FIELD) for part in inner)


def _message(item: Mapping[str, Any]) -> str:
    if item["type"] == "extra_forbidden":
        return "this key is not known"
    if item["type"] == "json_invalid":
        return "the body is not JSON"
    return str(item["msg"]).removeprefix("Value error, ")
