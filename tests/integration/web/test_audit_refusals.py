"""What was refused stands in the audit log, at once, by whom and from where, and cannot fill it."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from services.common.access.accounts import AuditEntry, UserRole
from services.common.access.notes import AccessNotes
from services.common.access.passwords import PasswordGate
from services.common.bus.local import LocalBus
from services.core.types import AccessAction
from services.web.auth.audit import AuditLog
from services.web.auth.password_work import PasswordWork
from tests.makers import camera, crossing, recent_minute_s
from tests.tables import Tables
from tests.web_app import Web, served, web_over
from tests.web_login import OPEN_TO_ALL, SESSION, add_user, browser, program

FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
CAMERAS = "/api/v1/cameras"


@pytest.fixture
async def guarded(tables: Tables) -> AsyncIterator[Web]:
    await add_user(tables, "root", UserRole.ADMIN)
    await add_user(tables, "anna", UserRole.VIEWER)
    await tables.setups.add_camera(camera())
    async with web_over(tables, OPEN_TO_ALL) as web:
        yield web


async def _told(tables: Tables, but: str = "login") -> list[tuple[str, str, str | None]]:
    entries = await tables.audit.audit(1000)
    return [(entry.action, entry.target, entry.user) for entry in reversed(entries) if entry.action != but]


async def test_changes_that_somebody_may_not_make(guarded: Web, tables: Tables) -> None:
    async with browser(guarded.app, "anna") as anna:
        assert (await anna.delete(f"{CAMERAS}/gate")).status_code == 403
        assert (await anna.get("/api/v1/users")).status_code == 403, "no change: it is only refused"
        own = {"password": "another long one", "old_password": "not the old one"}
        assert (await anna.patch("/api/v1/users/anna", json=own)).status_code == 403
        answer = await anna.post(CAMERAS, json={"url": "demo://traffic"}, headers=FOREIGN)
        assert answer.status_code == 403
    assert await _told(tables) == [
        ("refused", "camera.remove gate", "anna"),
        ("refused", "user.change anna", "anna"),
        ("refused", "camera.add", None),
    ]
    assert {entry.address for entry in await tables.audit.audit(10)} == {"198.51.100.9"}


async def test_foreign_pages_where_no_login_is_wanted(web: Web, tables: Tables) -> None:
    for method in ("POST", "GET"):
        assert (await web.client.request(method, CAMERAS, headers=FOREIGN)).status_code == 403
    assert await _told(tables) == [("refused", "camera.add", None)]


async def test_refused_and_throttled_logins(guarded: Web, tables: Tables) -> None:
    async with browser(guarded.app) as client:
        for user in ("anna", "a secret, mistyped"):
            for _ in range(7):
                await client.post(SESSION, json={"user": user, "password": "wrong"})
    told = await _told(tables)
    assert told == [
        ("login.failed", "", "anna"),
        ("login.throttled", "", "anna"),
        ("login.failed", "", "(unknown)"),
        ("login.throttled", "", "(unknown)"),
    ]


async def test_tokens_that_open_nothing(guarded: Web, tables: Tables) -> None:
    async with program(guarded.app, "sl_nothing") as client:
        for _ in range(5):
            assert (await client.get(CAMERAS)).status_code == 401
    async with program(guarded.app) as client:
        assert (await client.get(CAMERAS)).status_code == 401, "who says nothing is nobody"
        path = f"{CAMERAS}/gate/tracks"
        assert (await client.get(path, params={"token": "sl_nothing"})).status_code == 401
    assert await _told(tables) == [("token.refused", "", None)]


async def test_exports(guarded: Web, tables: Tables) -> None:
    await tables.events.insert_events([crossing(1, recent_minute_s())])
    async with browser(guarded.app, "anna") as anna:
        for form in ("csv", "ndjson", "csv"):
            assert (await anna.get("/api/v1/crossings", params={"format": form})).status_code == 200
        assert (await anna.get("/api/v1/crossings")).status_code == 200, "a page is no export"
    assert await _told(tables) == [
        ("crossings.export", "gate as csv", "anna"),
        ("crossings.export", "gate as ndjson", "anna"),
    ]


async def test_a_stranger_cannot_fill_the_log(guarded: Web, tables: Tables) -> None:
    clock = [1000.0]
    gate = PasswordGate(lambda: clock[0], lambda password, stored: False)
    object.__setattr__(guarded.app.state.context, "passwords", PasswordWork(gate))
    async with browser(guarded.app) as client:
        for number in range(1000):
            clock[0] += 1.0
            user = f"name {number}" if number % 2 else "root"
            await client.post(SESSION, json={"user": user, "password": "wrong"})
            await client.post(CAMERAS, json={}, headers={**FOREIGN, "Authorization": f"Bearer {number}"})
            await client.delete(f"{CAMERAS}/{number}", headers=FOREIGN)
    entries = await tables.audit.audit(1000)
    assert len(entries) <= 205
    context = guarded.app.state.context
    await context.audit.close()
    told = await tables.audit.audit(1000)
    assert sum(entry.count for entry in told) == 3000, "nothing is left out"
    assert len(told) <= 410


async def test_what_was_counted_is_written_later_and_at_the_end(tables: Tables) -> None:
    now_s, goes_on = [1000.0], asyncio.Event()

    async def sleep(time_s: float) -> None:
        await goes_on.wait()
        now_s[0] += time_s

    log = AuditLog(tables.audit, lambda: now_s[0], sleep)
    for _ in range(5):
        await log.count(AuditEntry("login.failed", "", "anna", "", "192.0.2.1"))
    assert log._writing is not None
    goes_on.set()
    await log._writing
    goes_on.clear()
    await log.count(AuditEntry("login.failed", "", "anna", "", "192.0.2.1"))
    await log.count(AuditEntry("login.failed", "", "anna", "", "192.0.2.1"))
    await log.close()
    assert sorted(entry.count for entry in await tables.audit.audit(10)) == [1, 1, 1, 4]


async def test_the_end_of_the_service_leaves_nothing_out(guarded: Web, tables: Tables) -> None:
    async with served(guarded.app) as address, httpx.AsyncClient(base_url=address) as client:
        for _ in range(4):
            await client.post(SESSION, json={"user": "anna", "password": "wrong"})
        assert [entry.count for entry in await tables.audit.audit(10)] == [1]
    assert sorted(entry.count for entry in await tables.audit.audit(10)) == [1, 3]


async def test_logins_of_the_media_ports_reach_the_log_by_the_store(guarded: Web, tables: Tables) -> None:
    bus = LocalBus()
    notes = AccessNotes(bus.events.publish, "relay")
    notes.report(AccessAction.FAILED, "anna", "192.0.2.7")
    batch = await bus.events.next_batch()
    for _ in range(2):
        await tables.events.insert_events(batch.events)
    async with browser(guarded.app, "root") as root:
        (entry,) = [
            item for item in (await root.get("/api/v1/audit")).json()["items"] if item["by"] == "relay"
        ]
    assert entry.pop("time")
    assert entry == {
        "user": "anna",
        "by": "relay",
        "action": "login.failed",
        "target": "",
        "address": "192.0.2.7",
        "count": 1,
    }


async def test_entries_of_before_are_read(tables: Tables) -> None:
    await tables.audit.add_audit(AuditEntry("camera.add", "gate", "root", "session", "192.0.2.1"))
    await tables.link.collection("audit").update_many({}, {"$unset": {"count": ""}})
    (entry,) = await tables.audit.audit(10)
    assert (entry.action, entry.count) == ("camera.add", 1)
