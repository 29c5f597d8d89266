"""Answers that go on end when their reader may not read them any more."""

import asyncio
import json

import pytest
from starlette.types import Message, Receive, Scope, Send

from services.common.http.allowed import while_allowed


async def _receive() -> Message:
    return {"type": "http.disconnect"}


async def _ended(begins: bool, is_endless: bool) -> list[Message]:
    """What leaves of an answer whose reader is removed while it says nothing."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"part", "more_body": True})
        await asyncio.Event().wait()

    async def send(message: Message) -> None:
        sent.append(message)

    async def is_allowed() -> bool:
        return False

    async with asyncio.timeout(5):
        await while_allowed(app, {"type": "http"}, _receive, send, is_allowed, 0.05, is_endless)
    return sent


async def test_an_endless_answer_is_ended_in_order() -> None:
    sent = await _ended(begins=True, is_endless=True)
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_half_an_export_does_not_look_whole() -> None:
    sent = await _ended(begins=True, is_endless=False)
    assert sent[-1]["more_body"]


@pytest.mark.parametrize("is_endless", [True, False])
async def test_an_answer_that_has_not_begun_is_a_refusal(is_endless: bool) -> None:
    sent = await _ended(begins=False, is_endless=is_endless)
    assert sent[0]["status"] == 401
    assert json.loads(sent[1]["body"])["status"] == 401


async def test_the_error_of_an_application_is_its_own() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("ours")

    async def is_allowed() -> bool:
        return True

    async def send(message: Message) -> None:
        raise AssertionError(message)

    with pytest.raises(ValueError, match="ours"):
        await while_allowed(app, {"type": "http"}, _receive, send, is_allowed)
