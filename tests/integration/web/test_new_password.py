"""A new password ends what the old one opened, tokens too, unless somebody asks for them to stay."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from services.common.access.accounts import UserRole
from services.common.access.check import token_hash
from tests.tables import Tables
from tests.web_app import Web, web_over
from tests.web_login import OPEN_TO_ALL, PASSWORD, add_user, browser, program

USERS, TOKENS, CAMERAS = "/api/v1/users", "/api/v1/tokens", "/api/v1/cameras"
NEW = "another long password"


@pytest.fixture
async def guarded(tables: Tables) -> AsyncIterator[Web]:
    await add_user(tables, "root", UserRole.ADMIN)
    await add_user(tables, "chief", UserRole.ADMIN)
    async with web_over(tables, OPEN_TO_ALL) as web:
        yield web


async def _token(web: Web, user: str) -> str:
    async with browser(web.app, user) as client:
        answer = await client.post(TOKENS, json={"name": f"of {user}", "role": "admin"})
        return str(answer.json()["token"])


async def _opens(web: Web, token: str) -> bool:
    async with program(web.app, token) as client:
        answer = await client.get(CAMERAS)
    assert answer.status_code in (200, 401)
    await web.app.state.context.mirror.refresh()
    is_open = token_hash(token) in web.bus.access.newest().tokens
    assert is_open is (answer.status_code == 200), "media ports hear of it"
    return is_open


@pytest.mark.parametrize("keep", [None, False, True])
@pytest.mark.parametrize("who", ["root", "chief"])
async def test_tokens_end_with_the_old_password_of_who_made_them(
    guarded: Web, who: str, keep: bool | None
) -> None:
    own, other = await _token(guarded, "root"), await _token(guarded, "chief")
    change = {"password": NEW, **({"old_password": PASSWORD} if who == "root" else {})}
    if keep is not None:
        change["keep_tokens"] = keep  # type: ignore[assignment]
    async with browser(guarded.app, who) as client:
        assert (await client.patch(f"{USERS}/root", json=change)).status_code == 200
        names = [item["name"] for item in (await client.get(TOKENS)).json()["items"]]
        assert (await client.get(CAMERAS)).status_code == 200, "who changed it goes on"
    assert names == (["of root", "of chief"] if keep else ["of chief"])
    assert await _opens(guarded, own) is (keep is True)
    assert await _opens(guarded, other), "tokens of others go on"


async def test_a_new_role_leaves_the_tokens(guarded: Web) -> None:
    token = await _token(guarded, "root")
    async with browser(guarded.app, "chief") as client:
        assert (await client.patch(f"{USERS}/root", json={"role": "viewer"})).status_code == 200
        assert (await client.patch(f"{USERS}/root", json={"keep_tokens": True})).status_code == 200
    assert await _opens(guarded, token)


async def test_a_process_that_ends_before_the_tokens_are_gone_has_ended_them(
    guarded: Web, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await _token(guarded, "root")

    async def killed(owner_id: str) -> None:
        raise RuntimeError("killed here")

    monkeypatch.setattr(tables.accounts, "_delete_tokens", killed)
    user = await tables.accounts.user("root")
    assert user is not None
    with pytest.raises(RuntimeError):
        await tables.accounts.change_user(user, password_hash="another hash")
    assert not await _opens(guarded, token)


@pytest.mark.parametrize(
    ("expires", "days"), [({}, 90), ({"expires": None}, 90), ({"expires": "never"}, None)]
)
async def test_a_token_expires_unless_it_is_asked_for_one_that_never_does(
    guarded: Web, expires: dict[str, str | None], days: int | None
) -> None:
    async with browser(guarded.app, "root") as client:
        made = (await client.post(TOKENS, json={"name": "robot", **expires})).json()
        listed = (await client.get(TOKENS)).json()["items"][0]
        assert listed["expires"] == made["expires"]
        if days is None:
            assert made["expires"] is None
        else:
            lasts = datetime.fromisoformat(made["expires"]) - datetime.fromisoformat(made["created"])
            assert lasts == timedelta(days=days)
