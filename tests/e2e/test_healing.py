"""What the page makes of a session that ends, a network that goes and a server that restarts."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.browser import Browser, browser
from tests.e2e.live_page import is_live, picture, wait_for_change, wait_for_live
from tests.processes import Platform, free_port, platform, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MARK = "window.never_reloaded"
ASKED_FOR_ANEW = re.compile(
    r"status of 401|ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED|WebSocket|ERR_EMPTY"
)
"""What a browser itself says of requests that found nobody."""


def test_what_is_lost_is_told_and_mended_without_a_reload(chromium: str, tmp_path: Path):
    data, port = tmp_path / "data", free_port()
    with login_wanted(data, port) as up, browser(chromium, f"{up.url}/watch/demo") as page:
        password = first_password(up)
        log_in(page, password)
        wait_for_live(page.page, "demo")
        page.page.evaluate(f"{MARK} = true")

        end_session(page, up)
        expect(page.find("login")).to_be_visible(timeout=20_000)
        expect(page.find("login").get_by_role("status")).to_contain_text("Your session has ended")
        log_in(page, password)
        wait_for_live(page.page, "demo")
        assert page.page.url == f"{up.url}/watch/demo", "one goes on where one was"

        with lost_network(page):
            expect(page.find("away")).to_contain_text("no network", timeout=20_000)
            expect(page.find("why")).to_have_attribute("data-why", "away")
            assert not is_live(page.page, "demo")
        expect(page.find("away")).to_have_count(0, timeout=20_000)
        wait_for_live(page.page, "demo")

        up.process.terminate()
        up.process.wait(30)
        expect(page.find("away")).to_contain_text("does not answer", timeout=20_000)
        expect(picture(page.page, "demo")).to_have_attribute("data-live", "false")
        with login_wanted(data, port):
            expect(page.find("away")).to_have_count(0, timeout=60_000)
            wait_for_live(page.page, "demo")
            wait_for_change(page.page, "demo")
            assert page.page.evaluate(MARK) is True
            assert [text for text in page.complaints if not ASKED_FOR_ANEW.search(text)] == []


@contextmanager
def login_wanted(data: Path, port: int) -> Iterator[Platform]:
    with platform(data, "--host", "0.0.0.0", port=port) as up:
        yield up


@contextmanager
def lost_network(page: Browser) -> Iterator[None]:
    page.page.context.set_offline(True)
    try:
        yield
    finally:
        page.page.context.set_offline(False)


def first_password(up: Platform) -> str:
    """The password of the first account, from the file that the log names."""
    found = wait_until(lambda: re.search(r"/\S*/admin-password", up.text()), 30, "the first account is there")
    assert isinstance(found, re.Match)
    return Path(found[0]).read_text().strip()


def log_in(page: Browser, password: str) -> None:
    page.find("login-user").fill("admin", timeout=20_000)
    page.find("login-password").fill(password)
    page.find("login-submit").click()


def end_session(page: Browser, up: Platform) -> None:
    """End it elsewhere, as another tab of the same browser would."""
    cookies = {cookie["name"]: cookie["value"] for cookie in page.page.context.cookies()}
    answer = httpx.delete(f"{up.url}/api/v1/session", cookies=cookies, headers={"Origin": up.url}, timeout=30)
    answer.raise_for_status()
