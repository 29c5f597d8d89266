"""Sessions, accounts, tokens and the audit log over the real application and database."""

import asyncio
import logging
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from services.common.access.accounts import SESSION_IDLE_S, SESSION_LONGEST_S, UserRole
from services.common.access.check import token_hash
from services.web.settings import WebSettings
from tests.makers import camera
from tests.tables import Tables
from tests.web_app import Web, app_over, served, web_over
from tests.web_login import OPEN_TO_ALL, PASSWORD, SESSION, add_user, browser, program

USERS, TOKENS, AUDIT = "/api/v1/users", "/api/v1/tokens", "/api/v1/audit"
WRONG = "not the right password"


@pytest.fixture
async def guarded(tables: Tables) -> AsyncIterator[Web]:
    await add_user(tables, "root", UserRole.ADMIN)
    await add_user(tables, "anna", UserRole.VIEWER)
    async with web_over(tables, OPEN_TO_ALL) as web:
        yield web


async def _log_in(client: httpx.AsyncClient, user: str, password: str) -> httpx.Response:
    return await client.post(SESSION, json={"user": user, "password": password})


async def _is_in(client: httpx.AsyncClient) -> bool:
    answer = await client.get("/api/v1/cameras")
    assert answer.status_code in (200, 401)
    return answer.status_code == 200


async def test_log_in_look_and_log_out(guarded: Web) -> None:
    async with browser(guarded.app) as client:
        assert (await client.get(SESSION)).json() == {"login_wanted": True, "user": None, "role": None}
        answer = await _log_in(client, "anna", PASSWORD)
        assert answer.json() == {"login_wanted": True, "user": "anna", "role": "viewer"}
        cookie = answer.headers["set-cookie"].lower()
        for attribute in ("httponly", "samesite=strict", "path=/", "max-age=604800"):
            assert attribute in cookie
        assert "secure" not in cookie
        assert await _is_in(client)
        kept = dict(client.cookies)
        assert (await client.delete(SESSION)).status_code == 204
        assert not await _is_in(client)
        client.cookies.update(kept)
        assert not await _is_in(client), "the cookie opens nothing after the end of its session"


async def test_a_cookie_over_https_is_secure(tables: Tables) -> None:
    await add_user(tables, "root", UserRole.ADMIN)
    settings = WebSettings(host="0.0.0.0", trusted_proxy="198.51.100.0/24")
    async with web_over(tables, settings) as web, browser(web.app) as client:
        headers = {"X-Forwarded-Proto": "https"}
        answer = await client.post(SESSION, json={"user": "root", "password": PASSWORD}, headers=headers)
        assert "; secure" in answer.headers["set-cookie"].lower()


async def test_each_login_has_a_cookie_of_its_own_and_ends_the_one_before(guarded: Web) -> None:
    async with browser(guarded.app, "anna") as client:
        first = dict(client.cookies)
        await _log_in(client, "anna", PASSWORD)
        assert dict(client.cookies) != first
        async with browser(guarded.app) as other:
            other.cookies.update(first)
            assert not await _is_in(other)


async def test_a_restart_and_another_replica_keep_sessions(guarded: Web, tables: Tables) -> None:
    async with browser(guarded.app, "anna") as client:
        again = app_over(tables, guarded.bus, guarded.video, OPEN_TO_ALL)
        async with browser(again) as later:
            later.cookies = client.cookies
            assert await _is_in(later)


@pytest.mark.parametrize("pause_s", [SESSION_IDLE_S - 60, SESSION_IDLE_S + 60])
async def test_sessions_end_when_nobody_uses_them_and_after_a_week(database_uri: str, pause_s: float) -> None:
    now_s = [time.time()]
    tables = Tables(database_uri, f"test_idle_{int(pause_s)}", now_s=lambda: now_s[0])
    try:
        await add_user(tables, "anna", UserRole.VIEWER)
        async with web_over(tables, OPEN_TO_ALL) as web, browser(web.app, "anna") as client:
            began_s = now_s[0]
            now_s[0] += pause_s
            assert await _is_in(client) is (pause_s < SESSION_IDLE_S)
            while pause_s < SESSION_IDLE_S and now_s[0] - began_s < SESSION_LONGEST_S - pause_s:
                now_s[0] += pause_s
                assert await _is_in(client)
            now_s[0] += pause_s
            assert not await _is_in(client)
    finally:
        await tables.drop()
        await tables.close()


async def test_wrong_passwords_are_slowed_down(guarded: Web) -> None:
    async with browser(guarded.app) as client:
        for _ in range(5):
            answer = await _log_in(client, "anna", WRONG)
            assert (answer.status_code, answer.json()["detail"]) == (401, "user or password is wrong")
        answer = await _log_in(client, "anna", PASSWORD)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["content-type"] == "application/problem+json"
        assert (await _log_in(client, "root", PASSWORD)).status_code == 200, "another name from there"


async def test_names_that_nobody_has_take_as_long_and_get_the_same_answer(guarded: Web) -> None:
    times: dict[str, list[float]] = {"anna": [], "nobody": []}
    answers = set()
    for n in range(8):
        async with browser(guarded.app) as client:
            for user, taken in times.items():
                begin_s = time.perf_counter()
                answer = await _log_in(client, user if n < 4 else f"{user}{n}", WRONG)
                if n < 4:
                    taken.append(time.perf_counter() - begin_s)
                answers.add((answer.status_code, answer.text))
    assert len(answers) == 1
    ratio = statistics.median(times["anna"]) / statistics.median(times["nobody"])
    assert 0.4 < ratio < 2.5


async def test_a_changed_password_or_role_ends_the_sessions(guarded: Web) -> None:
    async with browser(guarded.app, "root") as root, browser(guarded.app, "anna") as anna:
        assert (await root.patch(f"{USERS}/anna", json={"role": "viewer"})).status_code == 200
        assert await _is_in(anna), "nothing has changed"
        assert (await root.patch(f"{USERS}/anna", json={"role": "admin"})).json()["role"] == "admin"
        assert not await _is_in(anna)
        await _log_in(anna, "anna", PASSWORD)
        assert (await root.patch(f"{USERS}/anna", json={"password": "another long one"})).status_code == 200
        assert not await _is_in(anna)
        assert (await _log_in(anna, "anna", PASSWORD)).status_code == 401
        assert (await _log_in(anna, "anna", "another long one")).status_code == 200


async def test_ones_own_password_needs_the_old_one(guarded: Web) -> None:
    async with browser(guarded.app, "anna") as client, browser(guarded.app, "anna") as elsewhere:
        path, new = f"{USERS}/anna", "another long one"
        assert (await client.patch(path, json={"password": new})).status_code == 422
        wrong = {"password": new, "old_password": WRONG}
        assert (await client.patch(path, json=wrong)).status_code == 403
        assert (await client.patch(path, json={"role": "admin"})).status_code == 403
        right = {"password": new, "old_password": PASSWORD}
        assert (await client.patch(path, json=right)).status_code == 200
        assert await _is_in(client), "who changes it goes on"
        assert not await _is_in(elsewhere)


async def test_the_last_admin_stays(guarded: Web) -> None:
    async with browser(guarded.app, "root") as client:
        for change in (
            client.delete(f"{USERS}/root"),
            client.patch(f"{USERS}/root", json={"role": "viewer"}),
        ):
            answer = await change
            assert (answer.status_code, "last admin" in answer.text) == (409, True)
        assert await _is_in(client)
        assert [user["role"] for user in (await client.get(USERS)).json()["items"]] == ["admin", "viewer"]


async def test_two_admins_who_remove_each_other_at_once_leave_one(tables: Tables) -> None:
    for _ in range(5):
        one = await tables.accounts.add_user("one", UserRole.ADMIN, "hash")
        other = await tables.accounts.add_user("other", UserRole.ADMIN, "hash")
        await asyncio.gather(
            tables.accounts.delete_user(one), tables.accounts.delete_user(other), return_exceptions=True
        )
        left = await tables.accounts.users()
        assert any(user.role is UserRole.ADMIN for user in left)
        for user in left:
            await tables.link.collection("users").delete_one({"_id": user.name})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "bert", "password": "short"}, 422),
        ({"name": "bert\u202e", "password": PASSWORD}, 422),
        ({"name": "bert/x", "password": PASSWORD}, 422),
        ({"name": "b" * 64, "password": PASSWORD}, 422),
        ({"name": "bert", "password": PASSWORD, "role": "king"}, 422),
        ({"name": "bert", "password": PASSWORD, "admin": True}, 422),
        ({"name": "anna", "password": PASSWORD}, 409),
        ({"name": "b.e_r-t0", "password": PASSWORD, "role": "viewer"}, 201),
    ],
)
async def test_new_users(guarded: Web, body: dict[str, Any], status: int) -> None:
    async with browser(guarded.app, "root") as client:
        answer = await client.post(USERS, json=body)
        assert answer.status_code == status
        assert body["password"] not in answer.text and "argon2" not in answer.text
        if status == 201:
            assert answer.headers["location"] == f"{USERS}/b.e_r-t0"


async def test_a_removed_user_is_out_at_once_with_tokens_and_running_streams(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.web.auth.guard.RECHECK_S", 0.1)
    await add_user(tables, "root", UserRole.ADMIN)
    await add_user(tables, "anna", UserRole.ADMIN)
    await tables.setups.add_camera(camera())
    async with web_over(tables, OPEN_TO_ALL) as web, browser(web.app, "anna") as anna:
        token = (await anna.post(TOKENS, json={"name": "mine", "role": "admin"})).json()["token"]
        async with served(web.app) as address, httpx.AsyncClient(base_url=address, timeout=20) as reader:
            stream = reader.stream("GET", "/api/v1/cameras/gate/tracks", params={"token": token})
            async with stream as answer, asyncio.timeout(15):
                assert answer.status_code == 200
                async with aclosing(answer.aiter_bytes()) as parts:
                    assert await anext(parts)
                    async with browser(web.app, "root") as root:
                        assert (await root.delete(f"{USERS}/anna")).status_code == 204
                        assert (await root.get(TOKENS)).json()["items"] == []
                    assert [part async for part in parts] == []
        assert not await _is_in(anna)
        async with program(web.app, token) as client:
            assert not await _is_in(client)


async def test_a_new_account_of_the_same_name_inherits_nothing(guarded: Web, tables: Tables) -> None:
    async with browser(guarded.app, "anna") as client:
        user = await tables.accounts.user("anna")
        assert user is not None
        await tables.link.collection("users").delete_one({"_id": "anna"})
        await add_user(tables, "anna", UserRole.ADMIN)
        assert not await _is_in(client)


async def test_tokens(guarded: Web) -> None:
    async with browser(guarded.app, "root") as client:
        past = await client.post(TOKENS, json={"name": "late", "expires": "2020-01-01T00:00:00Z"})
        assert (past.status_code, past.json()["detail"]) == (422, "expires lies in the past")
        made = await client.post(
            TOKENS, json={"name": "robot", "role": "admin", "expires": "2100-01-01T00:00:00Z"}
        )
        token, id = made.json()["token"], made.json()["id"]
        assert token.startswith("sl_") and len(token) == 46
        listed = (await client.get(TOKENS)).json()["items"]
        assert [(item["id"], item["owner"], item["role"]) for item in listed] == [(id, "root", "admin")]
        assert token not in str(listed) and token_hash(token) not in str(listed)
        async with program(guarded.app, token) as robot:
            body = {"id": "gate", "url": "demo://traffic"}
            assert (await robot.post("/api/v1/cameras", json=body)).status_code == 201
            await add_user(guarded.tables, "second", UserRole.ADMIN)
            await client.patch(f"{USERS}/root", json={"role": "viewer"})
            assert (await robot.delete("/api/v1/cameras/gate")).status_code == 403, (
                "no stronger than its owner"
            )
            assert await _is_in(robot)
            async with browser(guarded.app, "second") as second:
                assert (await second.delete(f"{TOKENS}/{id}")).status_code == 204
                assert (await second.delete(f"{TOKENS}/{id}")).status_code == 404
            assert not await _is_in(robot)


async def test_the_audit_log_tells_who_did_what(guarded: Web) -> None:
    async with browser(guarded.app) as client:
        await _log_in(client, "typed-a-password-here", WRONG)
        await _log_in(client, "root", WRONG)
    async with browser(guarded.app, "root") as client:
        await client.post("/api/v1/cameras", json={"id": "gate", "url": "rtsp://user:s3cret@192.0.2.1/"})
        await client.post("/api/v1/cameras/gate/lines", json={"id": "main", "points": [[0, 0], [1, 1]]})
        await client.patch("/api/v1/cameras/gate", json={"name": ""})
        token = (await client.post(TOKENS, json={"name": "robot"})).json()
        await client.delete(f"{USERS}/anna")
        items: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = await client.get(AUDIT, params={"limit": 3, **({"cursor": cursor} if cursor else {})})
            items += page.json()["items"]
            cursor = page.json()["next"]
            if cursor is None:
                break
        assert [(item["user"], item["action"], item["target"]) for item in reversed(items)] == [
            ("(unknown)", "login.failed", ""),
            ("root", "login.failed", ""),
            ("root", "login", ""),
            ("root", "camera.add", "gate"),
            ("root", "line.add", "gate/lines/main"),
            ("root", "token.add", token["id"]),
            ("root", "user.remove", "anna"),
        ]
        assert {item["address"] for item in items} == {"198.51.100.9"}
        assert (await client.get(AUDIT, params={"cursor": "x"})).status_code == 422
        for secret in ("s3cret", token["token"], PASSWORD, WRONG, "typed-a-password"):
            assert secret not in str(items)


async def test_no_secret_reaches_a_log_or_an_error(guarded: Web, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "services")
    texts: list[str] = []
    async with browser(guarded.app) as client:
        texts.append((await client.post(SESSION, json={"user": 5, "password": PASSWORD})).text)
        texts.append((await client.post(SESSION, content=f'{{"password":"{PASSWORD}"')).text)
        texts.append((await _log_in(client, "anna", WRONG)).text)
        await _log_in(client, "root", PASSWORD)
        cookie = client.cookies["sightline_session"]
        token = (await client.post(TOKENS, json={"name": "player"})).json()["token"]
        texts.append((await client.post(USERS, json={"name": "X", "password": PASSWORD})).text)
        stored = await guarded.tables.link.collection("sessions").find_one({})
        assert stored is not None and cookie not in str(stored) and stored["_id"] == token_hash(cookie)
    async with program(guarded.app) as bare:
        for path in ("/api/v1/cameras/none/tracks", "/api/v1/cameras"):
            texts.append((await bare.get(path, params={"token": token})).text)
    told = "\n".join([*texts, *(record.getMessage() for record in caplog.records)])
    for secret in (PASSWORD, WRONG, cookie, token):
        assert secret not in told


async def test_a_database_that_is_away_is_no_wrong_password(guarded: Web, tables: Tables) -> None:
    async with browser(guarded.app, "anna") as client:
        lost = Tables("mongodb://127.0.0.1:9/?directConnection=true")
        app = app_over(lost, guarded.bus, guarded.video, OPEN_TO_ALL)
        async with browser(app) as other:
            other.cookies = client.cookies
            assert (await other.get("/api/v1/cameras")).status_code == 503
            assert (await other.get("/healthz")).status_code == 200
            assert (await other.get("/")).status_code == 200
        await lost.close()


async def test_who_logs_in_again_and_again_has_only_so_many_sessions(guarded: Web) -> None:
    """Each is a document that stays for days."""
    anna = await guarded.tables.accounts.user("anna")
    root = await guarded.tables.accounts.user("root")
    assert anna is not None and root is not None
    await guarded.tables.accounts.add_session("root's", root)
    for number in range(60):
        await guarded.tables.accounts.add_session(f"{number:064}", anna)
    alive = [number for number in range(60) if await guarded.tables.accounts.session(f"{number:064}")]
    assert len(alive) == 50 and 59 in alive
    assert await guarded.tables.accounts.session("root's") is not None
