"""Serving the page's files."""

import base64
import hashlib
import re
from pathlib import Path

import httpx
from fastapi import FastAPI

from services.web.page import CONTENT_POLICY, PAGE_FOLDER, VIEWS, WITH_SLASH, install_page


def _client(folder: Path) -> httpx.AsyncClient:
    app = FastAPI()
    install_page(app, folder)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


async def test_a_page_that_is_not_built_says_how(tmp_path: Path) -> None:
    assert "make setup" in (await _client(tmp_path).get("/")).text


async def test_the_page_is_asked_for_anew_and_its_assets_last(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<p>page</p>")
    (tmp_path / "assets" / "a-1234.js").write_text("1")
    client = _client(tmp_path)
    page, asset = await client.get("/"), await client.get("/assets/a-1234.js")
    assert (page.text, page.headers["cache-control"]) == ("<p>page</p>", "no-cache")
    assert "immutable" in asset.headers["cache-control"]
    assert (await client.get("/assets/none.js")).status_code == 404


async def test_every_view_is_the_page_with_addresses_relative_to_its_root(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<base href="/" />')
    client = _client(tmp_path)
    root = await client.get("/")
    assert root.text == f'<script>{WITH_SLASH}</script><base href="./" />'
    bases = {
        "/index.html": "./",
        "/counts": "./",
        "/watch/gate": "../",
        "/system/log": "../",
        "/watch/gate/": "../../",
    }
    for path, base in bases.items():
        answer = await client.get(path)
        assert (answer.status_code, answer.text) == (200, f'<base href="{base}" />'), path
    for none in ("/none", "/watch/gate/more/of", "/cameras/gate", "/counts.json"):
        assert (await client.get(none)).status_code == 404, none
    assert (await client.post("/counts")).status_code == 405
    shown = await client.get("/none", headers={"Accept": "text/html,*/*"})
    assert (shown.status_code, shown.text) == (404, '<base href="./" />'), "the page says it to people"


def test_the_views_are_those_of_the_router() -> None:
    source = (PAGE_FOLDER.parent / "src" / "app" / "router.ts").read_text()
    words = {path.split("/")[1] for path in re.findall(r'^  "(/[^"]*)":', source, re.M)}
    assert words - {""} == set(VIEWS)


def test_no_script_but_the_pages_own_is_run() -> None:
    (scripts,) = re.findall(r"script-src ([^;]*)", CONTENT_POLICY)
    digest = base64.b64encode(hashlib.sha256(WITH_SLASH.encode()).digest()).decode()
    assert scripts == f"'self' 'sha256-{digest}'"
