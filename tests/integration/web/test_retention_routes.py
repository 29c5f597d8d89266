"""A shorter retention and a clock in doubt, as the API tells of them and takes a word."""

import asyncio
import time

import pytest
import typer
from typer.testing import CliRunner

from services.cli.retention_command import retention_command
from services.common.access.accounts import UserRole
from services.common.access.passwords import hash_password
from services.common.database.schema import Retention
from services.core.errors import BadInputError
from services.store.clock import StoreClock
from services.store.keeper import RetentionKeeper
from services.store.placement import Placement
from services.web.settings import WebSettings
from tests.clocks import SettableClock
from tests.database_server import DatabaseServer
from tests.makers import crossing, trajectory
from tests.tables import Tables
from tests.web_app import Web, web_over

NOW_S = time.time() // 60 * 60.0
DAY_S = 86_400.0


async def _no_pause(wait_s: float) -> None:
    """Go on at once."""


async def _keeper(tables: Tables, host: SettableClock, days: float) -> RetentionKeeper:
    clock = StoreClock(host)
    placement = Placement(tables.store, clock)
    await placement.prepare()
    keeper = RetentionKeeper(
        tables.store, Retention(trajectories_days=days), clock, placement, sleep=_no_pause
    )
    await keeper.look()
    return keeper


async def _waiting(tables: Tables, host: SettableClock) -> RetentionKeeper:
    """Leave a shorter retention waiting."""
    await _keeper(tables, host, 400)
    await tables.events.insert_events([trajectory(1, NOW_S - 100 * DAY_S), trajectory(2, NOW_S - 60)])
    return await _keeper(tables, host, 10)


async def _trajectories(tables: Tables) -> int:
    return len([item async for item in tables.export.iterate_all("trajectories")])


async def test_what_waits_is_told_and_applied_when_it_is_confirmed(web: Web) -> None:
    before = (await web.client.get("/api/v1/system")).json()
    assert before["retention"] == {"days": {}, "pending": None}
    assert before["clock"] == {"believed": None, "doubt": None}
    host = SettableClock(NOW_S)
    keeper = await _waiting(web.tables, host)
    told = (await web.client.get("/api/v1/system")).json()
    pending = told["retention"]["pending"]
    assert (pending["records"], pending["days"]) == ({"trajectories": 1}, {"trajectories": 10})
    assert pending["hours_left"] == 24
    assert told["retention"]["days"]["trajectories"] == 400
    assert told["clock"] == {"believed": True, "doubt": None}
    stale = await web.client.patch("/api/v1/system/retention", json={"confirm": "1"})
    assert stale.status_code == 409
    assert (await web.client.patch("/api/v1/system/retention", json={"confirm": 1})).status_code == 422
    assert await _trajectories(web.tables) == 2
    answer = await web.client.patch("/api/v1/system/retention", json={"confirm": pending["id"]})
    assert answer.status_code == 204
    host.run(30)
    await keeper.look()
    assert await _trajectories(web.tables) == 1
    assert (await web.client.get("/api/v1/system")).json()["retention"]["pending"] is None
    entries = await web.tables.audit.audit(10)
    assert [(entry.action, entry.target) for entry in entries] == [("system.change", "retention")]


async def test_a_doubted_clock_is_told_with_what_was_set_aside_and_may_be_confirmed(web: Web) -> None:
    host = SettableClock(NOW_S)
    keeper = await _keeper(web.tables, host, 400)
    host.step(30 * DAY_S)
    await web.tables.aside.set_aside([crossing(1, host.wall_s)])
    await keeper.look()
    told = (await web.client.get("/api/v1/system")).json()
    assert told["clock"]["believed"] is False
    assert told["clock"]["doubt"]["hours_left"] == 24
    assert told["set_aside"] == 1
    wrong = await web.client.patch("/api/v1/system/clock", json={"confirm": "1"})
    assert wrong.status_code == 409
    id = told["clock"]["doubt"]["id"]
    assert (await web.client.patch("/api/v1/system/clock", json={"confirm": id})).status_code == 204
    host.run(30)
    await keeper.look()
    after = (await web.client.get("/api/v1/system")).json()
    assert (after["clock"]["believed"], after["set_aside"]) == (True, 0)


async def test_only_admins_confirm(tables: Tables) -> None:
    await tables.accounts.add_user("anna", UserRole.VIEWER, hash_password("a good password"))
    async with web_over(tables, WebSettings(login="required")) as web:
        own = {"Origin": str(web.client.base_url)}
        login = {"user": "anna", "password": "a good password"}
        assert (await web.client.post("/api/v1/session", json=login, headers=own)).status_code == 200
        for path in ("retention", "clock"):
            answer = await web.client.patch(f"/api/v1/system/{path}", json={"confirm": "1"}, headers=own)
            assert answer.status_code == 403


def _command(uri: str, *options: str) -> str:
    app = typer.Typer()
    app.command()(retention_command)
    result = CliRunner().invoke(app, [*options, "--mongodb", uri])
    if isinstance(result.exception, BadInputError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


async def test_the_command_line_confirms_too(own_server: DatabaseServer) -> None:
    tables, host = Tables(own_server.uri), SettableClock(NOW_S)
    keeper = await _waiting(tables, host)
    shown = await asyncio.to_thread(_command, own_server.uri)
    assert '"trajectories": 1' in shown
    await asyncio.to_thread(_command, own_server.uri, "--confirm")
    with pytest.raises(BadInputError, match="the clock is not in doubt"):
        await asyncio.to_thread(_command, own_server.uri, "--confirm-clock")
    host.run(30)
    await keeper.look()
    assert await _trajectories(tables) == 1
    with pytest.raises(BadInputError, match="no shorter retention waits"):
        await asyncio.to_thread(_command, own_server.uri, "--confirm")
    host.step(30 * DAY_S)
    await keeper.look()
    await asyncio.to_thread(_command, own_server.uri, "--confirm-clock")
    host.run(30)
    await keeper.look()
    mark = await tables.notices.clock_mark()
    assert mark is not None
    assert mark.doubt is None
    assert [entry.by for entry in await tables.audit.audit(10)] == ["command line"] * 2
    await tables.close()
