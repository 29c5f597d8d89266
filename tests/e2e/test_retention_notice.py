"""A shorter retention that waits, as an admin sees it on the page."""

import asyncio
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from services.cli.embedded_database import start_database
from tests.e2e.browser import browser
from tests.makers import trajectory
from tests.processes import platform
from tests.tables import Tables

pytestmark = pytest.mark.browser

OLD_S = 100 * 86_400.0


async def _fill(uri: str) -> None:
    tables = Tables(uri)
    await tables.events.insert_events([trajectory(1, time.time() - OLD_S), trajectory(2, time.time() - 3600)])
    await tables.close()


def test_what_would_be_deleted_is_told_and_deleted_when_somebody_says_so(
    chromium: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    database = start_database(data)
    asyncio.run(_fill(database.uri))
    database.close()
    with platform(data) as running, browser(chromium, running.url) as page:
        notice = page.find("retention-notice")
        expect(notice).to_contain_text("1 paths older than 30 days", timeout=60_000)
        expect(page.find("clock-notice")).to_be_hidden()
        page.page.screenshot(path=tmp_path / "notice.png")
        notice.get_by_role("button").click()
        page.find("confirm").click()
        expect(notice).to_be_hidden(timeout=60_000)
        told = httpx.get(f"{running.url}/api/v1/system").json()["retention"]
        assert told["pending"] is None
        assert told["days"]["trajectories"] == 30
        assert page.complaints == []
