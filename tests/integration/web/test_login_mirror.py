"""What web tells the media ports of users and tokens, and when."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.common.access.accounts import Token, UserRole
from services.common.access.check import Access, AccessCheck, token_hash
from services.common.bus.local import LocalBus, LocalSharedValue
from services.web.mirror import SetupMirror
from tests.makers import camera, line
from tests.tables import Tables
from tests.web_app import web_over
from tests.web_login import OPEN_TO_ALL, PASSWORD, add_user, browser

CHECK_S = 0.1


class CountingBus(LocalBus):
    """Counts what was published."""

    def __init__(self) -> None:
        super().__init__()
        self.setups_published = self.access_published = 0
        self.setups = LocalSharedValue((), self._on_setups)
        self.access = LocalSharedValue(Access(), self._on_access)

    def _on_setups(self, _: object) -> None:
        self.setups_published += 1

    def _on_access(self, _: object) -> None:
        self.access_published += 1


@pytest.fixture
async def bus(tables: Tables) -> AsyncIterator[CountingBus]:
    """A bus that the mirror of another web service fills."""
    bus = CountingBus()
    task = asyncio.create_task(SetupMirror(tables.web, bus.setups, bus.access, check_s=CHECK_S).run())
    while not bus.access_published:
        await asyncio.sleep(0.01)
    yield bus
    task.cancel()


async def _until(bus: CountingBus, number: int) -> None:
    async with asyncio.timeout(10):
        while bus.setups_published + bus.access_published < number:
            await asyncio.sleep(0.01)


async def test_what_others_change_arrives_and_nothing_else_is_published(
    tables: Tables, bus: CountingBus
) -> None:
    assert (bus.setups_published, bus.access_published) == (1, 1)
    await tables.setups.add_camera(camera())
    await _until(bus, 3)
    await tables.setups.add_line("gate", line())
    await _until(bus, 4)
    await add_user(tables, "anna", UserRole.VIEWER)
    await _until(bus, 5)
    await asyncio.sleep(5 * CHECK_S)
    assert (bus.setups_published, bus.access_published) == (3, 2)


async def test_passwords_and_tokens_open_the_media_ports_until_they_end(tables: Tables) -> None:
    await add_user(tables, "root", UserRole.ADMIN)
    async with web_over(tables, OPEN_TO_ALL) as web, browser(web.app, "root") as client:
        check = AccessCheck(web.bus.access.newest)
        async with asyncio.timeout(10):
            while not check.check_password("root", PASSWORD):
                await asyncio.sleep(0.01)
        assert check.check_password("root", PASSWORD) and not check.check_password("root", "no")
        token = (await client.post("/api/v1/tokens", json={"name": "player"})).json()
        assert check.check_token(token["token"]) and not check.check_token(token["id"])
        await client.delete(f"/api/v1/tokens/{token['id']}")
        assert not check.check_token(token["token"])
        await client.post("/api/v1/users", json={"name": "anna", "password": PASSWORD})
        assert check.check_password("anna", PASSWORD)
        await client.delete("/api/v1/users/anna")
        assert not check.check_password("anna", PASSWORD)


async def test_expired_and_orphaned_tokens_are_left_out(database_uri: str) -> None:
    now_s = [1_795_000_000.0]
    tables, bus = Tables(database_uri, "test_expiry", now_s=lambda: now_s[0]), CountingBus()
    try:
        await add_user(tables, "root", UserRole.ADMIN)
        root = await tables.accounts.user("root")
        assert root is not None
        for name, expires_s, owner_id in (
            ("short", now_s[0] + 60, root.id),
            ("long", None, root.id),
            ("lost", None, "x"),
        ):
            owner = Token(name, UserRole.VIEWER, token_hash(name), now_s[0], expires_s, "root", owner_id)
            await tables.accounts.add_token(owner)
        mirror = SetupMirror(tables.web, bus.setups, bus.access)
        await mirror.refresh()
        check = AccessCheck(bus.access.newest)
        assert [check.check_token(name) for name in ("short", "long", "lost")] == [True, True, False]
        now_s[0] += 60
        await mirror.refresh()
        assert [check.check_token(name) for name in ("short", "long")] == [False, True]
    finally:
        await tables.drop()
        await tables.close()
