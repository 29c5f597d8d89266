"""Bounds how much a body holds: each of its values costs much more than the bytes that it takes."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_VALUES = 2000
"""Values of one body, told by its commas; a line of a hundred points has three hundred."""

MOST_BRACKETS = 400
"""Beginnings of lists and objects; a line of a hundred points has a hundred and two. Within one another they
cost a level of the stack each."""


class BodyValues:
    """Refuses bodies of very many values while they are read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a body that is counted as it comes."""
        values = brackets = 0

        async def counted() -> Message:
            nonlocal values, brackets
            message = await receive()
            if message["type"] == "http.request":
                body = message.get("body", b"")
                values += body.count(b",")
                brackets += body.count(b"[") + body.count(b"{")
                if values >= MOST_VALUES:
                    raise _too_much(f"{MOST_VALUES} values")
                if brackets > MOST_BRACKETS:
                    raise _too_much(f"{MOST_BRACKETS} lists and objects")
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)


def _too_much(what: str) -> HTTPException:
    return HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"the body holds more than {what}")
