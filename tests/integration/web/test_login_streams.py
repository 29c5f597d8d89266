"""Answers of the web service that go on: checked again within 5 s, whatever the route."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from services.common.access.accounts import Token, UserRole
from services.common.access.check import token_hash
from services.web.auth.audit import AuditLog
from services.web.auth.guard import LoginGuard
from tests.tables import Tables
from tests.web_login import OPEN_TO_ALL, add_user

CAMERA = "/api/v1/cameras/gate"


@pytest.mark.parametrize(
    "path", [f"{CAMERA}/tracks", f"{CAMERA}/stream.mjpeg", "/api/v1/crossings", "/api/v1/audit"]
)
async def test_a_silent_answer_ends_within_5_s_when_the_token_is_removed(tables: Tables, path: str) -> None:
    await add_user(tables, "root", UserRole.ADMIN)
    user = await tables.accounts.user("root")
    assert user is not None
    token = Token("robot", UserRole.ADMIN, token_hash("the token"), 0.0, None, user.name, user.id)
    await tables.accounts.add_token(token)
    begun, is_ended = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            is_ended.set()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        assert message.get("status", 200) == 200

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"authorization", b"Bearer the token"), (b"host", b"here")],
        "client": ("192.0.2.1", 1),
        "scheme": "http",
    }
    serving = asyncio.create_task(
        LoginGuard(app, tables.accounts, OPEN_TO_ALL, AuditLog(tables.audit))(scope, receive, send)
    )
    async with asyncio.timeout(10):
        await begun.wait()
    await tables.accounts.delete_token(token.id)
    async with asyncio.timeout(5):
        await is_ended.wait()
    await serving
