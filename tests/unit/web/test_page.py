"""Serving the page's files."""

from pathlib import Path

import httpx
from fastapi import FastAPI

from services.web.page import install_page


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
