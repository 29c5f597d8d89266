"""The door of the media ports."""

import asyncio
import base64
import threading

from starlette.types import Message, Receive, Scope, Send

from services.common.http.access import AccessGuard


class _Door:
    def __init__(self) -> None:
        self.tokens = {"one", "tw o&"}

    def check_token(self, token: str) -> bool:
        return token in self.tokens

    def check_password(self, user: str, password: str, address: str = "") -> bool:
        return False

    def stamp(self, user: str) -> str:
        return ""


def _scope(query: bytes) -> Scope:
    return {"type": "http", "query_string": query, "headers": [], "client": ("127.0.0.1", 1), "path": "/"}


async def _receive() -> Message:
    return {"type": "http.disconnect"}


async def test_the_token_is_taken_off_the_address_and_the_rest_stays() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    await AccessGuard(app, _Door())(_scope(b"overlay=1&token=tw+o%26&lines=0"), _receive, send)
    assert seen[0]["query_string"] == b"overlay=1&lines=0"


async def test_an_endless_answer_ends_when_its_reader_was_removed() -> None:
    door = _Door()
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(2):
            await send({"type": "http.response.body", "body": b"%d" % number, "more_body": True})
        door.tokens.clear()
        await asyncio.Event().wait()

    async def send(message: Message) -> None:
        sent.append(message)

    await AccessGuard(app, door, recheck_s=0)(_scope(b"token=one"), _receive, send)
    assert [message.get("body") for message in sent] == [None, b"0", b"1", b""]
    assert [message.get("more_body") for message in sent] == [None, True, True, False]


async def test_a_token_that_opens_nothing_is_noted_once_with_its_address() -> None:
    class Watching(_Door):
        def __init__(self) -> None:
            super().__init__()
            self.noted: list[str] = []

        def refuse_token(self, address: str) -> None:
            self.noted.append(address)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """Answer nothing."""

    async def send(message: Message) -> None:
        """Take the answer."""

    door = Watching()
    guard = AccessGuard(app, door)
    bearer = {**_scope(b""), "headers": [(b"authorization", b"Bearer wrong")]}
    for scope in (_scope(b"token=wrong"), bearer, _scope(b"token=wrong&token=wronger")):
        await guard(scope, _receive, send)
    assert door.noted == ["127.0.0.1"] * 3
    for scope in (_scope(b""), _scope(b"token="), _scope(b"token=one"), _scope(b"token=wrong&token=one")):
        await guard(scope, _receive, send)
    assert len(door.noted) == 3


class _SlowDoor(_Door):
    """Checks passwords for as long as the test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on, self.asked = threading.Event(), 0

    def check_password(self, user: str, password: str, address: str = "") -> bool:
        self.asked += 1
        return self.go_on.wait(20)


async def test_passwords_of_strangers_do_not_take_the_threads_of_the_process() -> None:
    """Two hundred at once: all other work in threads goes on, and those beyond a bound are refused."""
    door, statuses = _SlowDoor(), []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Message) -> None:
        statuses.append(message.get("status"))

    header = b"Basic " + base64.b64encode(b"anna:guess")
    scope = {**_scope(b""), "headers": [(b"authorization", header)]}
    guard = AccessGuard(app, door)
    asking = [asyncio.create_task(guard(scope, _receive, send)) for _ in range(200)]
    try:
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            assert await asyncio.to_thread(lambda: 1) == 1
        assert statuses.count(401) == 200 - 32
    finally:
        door.go_on.set()
        await asyncio.gather(*asking)
    assert (statuses.count(200), door.asked) == (32, 32)


async def test_no_websocket_passes_a_door_that_knows_requests_alone() -> None:
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("it came through")

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "query_string": b"", "headers": []}
    await AccessGuard(app, _Door())(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]
