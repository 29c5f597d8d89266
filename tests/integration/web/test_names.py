"""Names that people give, on their way through the API, files for spreadsheets, logs and logins."""

import csv
import io
import json
import logging
from urllib.parse import quote

import pytest

from services.common.access.accounts import UserRole
from services.common.logs import JsonFormatter
from tests.makers import crossing
from tests.tables import Tables
from tests.web_app import Web, web_over
from tests.web_login import OPEN_TO_ALL, PASSWORD, SESSION, add_user, browser

CAMERAS = "/api/v1/cameras"
POINTS = [[0.1, 0.7], [0.9, 0.7]]
NAMES = (
    "東京\u3000駅前",
    "Quai\u00a04",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 Tor",
    "שער \u200fמערב",
    "\U0001fae9 new",
    "क्षि",
)


@pytest.mark.parametrize("name", NAMES)
async def test_cameras_lines_directions_and_tokens_have_any_name(web: Web, name: str) -> None:
    camera = (await web.client.post(CAMERAS, json={"name": name, "url": "demo://traffic"})).json()
    assert camera["name"] == name
    assert (await web.client.get(f"{CAMERAS}/{camera['id']}")).json()["name"] == name
    wanted = {"name": name, "points": POINTS, "forward_name": name, "backward_name": name}
    line = (await web.client.post(f"{CAMERAS}/{camera['id']}/lines", json=wanted)).json()
    assert (line["name"], line["forward_name"], line["backward_name"]) == (name, name, name)
    token = await web.client.post("/api/v1/tokens", json={"name": name})
    assert (token.status_code, token.json()["name"]) == (201, name)


@pytest.mark.parametrize("bad", ["a\nb", "a\u0085b", "a\u2028b", "a\u202eb", "a\u2066b", "\u3000"])
async def test_what_breaks_lines_or_turns_them_is_refused(web: Web, bad: str) -> None:
    await web.client.post(CAMERAS, json={"id": "gate", "url": "demo://traffic"})
    wanted = {"points": POINTS, "name": "a", "forward_name": bad}
    answers = [
        await web.client.post(CAMERAS, json={"name": bad, "url": "demo://traffic"}),
        await web.client.patch(f"{CAMERAS}/gate", json={"name": bad}),
        await web.client.post("/api/v1/tokens", json={"name": bad}),
        await web.client.post(f"{CAMERAS}/gate/lines", json=wanted),
    ]
    assert [answer.status_code for answer in answers] == [422] * len(answers)
    codes = [answer.json()["code"] for answer in answers]
    assert codes == ["camera-name-invalid"] * 2 + ["token-name-invalid", "line-direction-name"]


async def test_half_a_character_is_refused(web: Web) -> None:
    text = json.dumps({"name": "a\ud800", "url": "demo://traffic"})
    answer = await web.client.post(CAMERAS, content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


async def test_a_name_is_one_cell_of_a_file(web: Web) -> None:
    name = NAMES[0]
    await web.client.post(CAMERAS, json={"id": "gate", "url": "demo://traffic"})
    wanted = {"id": "main", "points": POINTS, "forward_name": name}
    await web.client.post(f"{CAMERAS}/gate/lines", json=wanted)
    await web.tables.events.insert_events([crossing(0, 1_700_000_000.0)])
    answer = await web.client.get(
        "/api/v1/crossings",
        params={"camera": "gate", "from": "2020-01-01", "to": "2030-01-01", "format": "csv"},
    )
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [name in row.values() for row in rows] == [True]
    assert answer.headers["content-disposition"].isascii()


def test_a_name_is_in_one_line_of_the_log() -> None:
    record = logging.LogRecord("services", logging.INFO, "", 0, "%s", (NAMES[1],), None)
    line = JsonFormatter().format(record)
    assert json.loads(line)["message"] == NAMES[1]
    assert len(line.splitlines()) == 1


async def test_a_person_logs_in_with_a_name_of_any_script(tables: Tables) -> None:
    async with web_over(tables, OPEN_TO_ALL) as web:
        await add_user(tables, "root", UserRole.ADMIN)
        async with browser(web.app, "root") as admin:
            wanted = {"name": "Ju\u0308rgen 田中", "password": PASSWORD, "role": "viewer"}
            made = await admin.post("/api/v1/users", json=wanted)
            assert (made.status_code, made.json()["name"]) == (201, "jürgen 田中")
            assert made.headers["location"] == f"/api/v1/users/{quote('jürgen 田中')}"
            again = await admin.post("/api/v1/users", json={**wanted, "name": "JÜRGEN\u3000田中"})
            assert (again.status_code, again.json()["code"]) == (409, "user-exists")
            audit = (await admin.get("/api/v1/audit")).json()["items"]
            assert "jürgen 田中" in [entry["target"] for entry in audit]
        login = await web.client.post(SESSION, json={"user": "JÜRGEN 田中", "password": PASSWORD})
        assert (login.status_code, login.json()["user"]) == (200, "jürgen 田中")


async def test_another_spelling_of_ones_own_name_asks_for_the_old_password(tables: Tables) -> None:
    async with web_over(tables, OPEN_TO_ALL) as web:
        await add_user(tables, "root", UserRole.ADMIN)
        async with browser(web.app, "root") as admin:
            answer = await admin.patch("/api/v1/users/ROOT", json={"password": f"{PASSWORD} new"})
        assert (answer.status_code, answer.json()["code"]) == (422, "old-password-missing")
