"""Bounds how much a body holds: each of its values costs much more than the bytes that it takes."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_VALUES = 2000
"""Values of one body, told by its commas; a line of a hundred points has three hundred."""


class BodyValues:
    """Refuses bodies of very many values while they are read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a body that is counted as it comes."""
        number = 0

        async def counted() -> Message:
            nonlocal number
            message = await receive()
            if message["type"] == "http.request":
                number += message.get("body", b"").count(b",")
                if number >= MOST_VALUES:
                    raise HTTPException(
                        HTTPStatus.UNPROCESSABLE_ENTITY, f"the body holds more than {MOST_VALUES} values"
                    )
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)
