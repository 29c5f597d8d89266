"""The page without WebSockets, with a session that ends over work, and at addresses without sense."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Route, expect

from tests.e2e.browser import Browser, browser
from tests.processes import Platform, free_port, platform, wait_until

pytestmark = pytest.mark.browser

NO_SOCKETS = """window.WebSocket = class {
  static OPEN = 1; readyState = 0; close() {} send() {}
  constructor() { setTimeout(() => this.onclose?.({ code: 1006 }), 20); }
};"""
EXCESS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT_OFF = """causes => {
  const why = document.querySelector("[data-testid=why]");
  const cause = why.querySelector("[data-testid=status-cause]");
  const place = (element) => element.getBoundingClientRect();
  return causes.filter((text) => {
    cause.textContent = text;
    return place(why.lastElementChild).bottom > place(why).bottom || place(cause).top < place(why).top;
  });
}"""
"""The causes that do not fit into the picture that they are told over."""
STRINGS = Path(__file__).resolve().parents[2] / "services" / "web" / "ui" / "src" / "strings"
LOGIN_WANTED = {
    "type": "about:blank",
    "title": "Unauthorized",
    "status": 401,
    "code": "login-wanted",
    "params": {},
}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with platform(tmp_path_factory.mktemp("page") / "data", "--camera", "Street=demo://traffic") as running:
        wait_until(
            lambda: httpx.get(f"{running.url}/readyz", timeout=30).is_success, 60, "the camera is there"
        )
        yield running


@pytest.fixture
def page(up: Platform, chromium: str) -> Iterator[Browser]:
    with browser(chromium, f"{up.url}/account") as opened:
        yield opened


def test_without_websockets_pictures_come_one_by_one_and_counts_stay(up: Platform, page: Browser):
    page.page.add_init_script(NO_SOCKETS)
    page.page.goto(f"{up.url}/watch/street")
    expect(page.find("away")).to_contain_text("WebSockets", timeout=30_000)
    expect(page.find("picture-street")).to_have_attribute("data-live", "true", timeout=60_000)
    page.page.goto(f"{up.url}/counts")
    expect(page.find("total")).to_be_visible(timeout=30_000)


def test_what_is_drawn_waits_for_a_new_login(up: Platform, page: Browser):
    page.page.goto(f"{up.url}/draw/street")
    expect(page.find("overlay")).to_be_visible(timeout=30_000)
    page.find("draw-line").click()
    page.drag((0.2, 0.2), (0.4, 0.8))
    page.find("line-name").fill("Mine")
    page.page.route("**/cameras/street/lines", _refuse)
    expect(page.find("login")).to_be_visible(timeout=30_000)

    page.page.unroute("**/cameras/street/lines")
    page.page.route("**/api/v1/session", _admit)
    page.find("login-user").fill("admin")
    page.find("login-password").fill("a password")
    page.find("login-submit").click()
    expect(page.find("line-name")).to_have_value("Mine", timeout=30_000)
    page.find("line-save").dblclick()
    expect(page.find("line-save")).to_have_count(0, timeout=30_000)
    lines = httpx.get(f"{up.url}/api/v1/cameras/street/lines").json()["items"]
    assert [line["name"] for line in lines].count("Mine") == 1, "a double click stores nothing twice"


def test_two_quick_choices_both_hold(up: Platform, page: Browser):
    page.page.goto(f"{up.url}/counts")
    expect(page.find("stack")).to_be_visible(timeout=30_000)
    page.page.evaluate(
        """() => { for (const [id, value] of [["stack", "class"], ["compare", "before"]]) {
          const field = document.querySelector(`[data-testid=${id}]`);
          field.value = value;
          field.dispatchEvent(new Event("change", { bubbles: true }));
        } }"""
    )
    expect(page.page).to_have_url(f"{up.url}/counts?stack=class&compare=before", timeout=15_000)


@pytest.mark.parametrize("path", ["/watch/%E0%A4%A", "/watch/nobody", "/counts?camera=street&line=other/x"])
def test_an_address_without_sense_leads_out(up: Platform, page: Browser, path: str):
    page.page.goto(f"{up.url}{path}")
    leads = page.page.get_by_role("link", name="To the cameras").or_(page.find("all"))
    expect(leads).to_be_visible(timeout=30_000)


def test_a_long_name_makes_no_view_wider_than_a_phone(up: Platform, page: Browser):
    line = {"name": "L" * 200, "points": [[0.1, 0.1], [0.9, 0.1]]}
    httpx.post(f"{up.url}/api/v1/cameras/street/lines", json=line, timeout=30).raise_for_status()
    page.page.set_viewport_size({"width": 320, "height": 640})
    for path in ("/draw/street", "/counts?stack=line", "/watch/street"):
        page.page.goto(f"{up.url}{path}")
        expect(page.page.get_by_text("L" * 200).first).to_be_attached(timeout=30_000)
        excess = page.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert excess == 0, path


@pytest.mark.parametrize("language", ["de", "en"])
def test_why_a_picture_is_missing_is_read_whole_on_a_phone(up: Platform, page: Browser, language: str):
    away = {"id": "away", "url": f"rtsp://127.0.0.1:{free_port()}/stream", "enabled": True}
    httpx.post(f"{up.url}/api/v1/cameras", json=away, timeout=30)
    sentences = json.loads((STRINGS / f"codes.{language}.json").read_text(encoding="utf-8"))
    causes = [text for code, text in sentences.items() if code.startswith(("camera-", "stream-"))]
    page.page.set_viewport_size({"width": 360, "height": 640})
    page.page.goto(f"{up.url}/watch/away")
    expect(page.find("status-cause")).to_be_visible(timeout=30_000)
    assert page.page.evaluate(CUT_OFF, causes) == []


def _refuse(route: Route) -> None:
    route.fulfill(status=401, json=LOGIN_WANTED, content_type="application/problem+json")


def _admit(route: Route) -> None:
    route.fulfill(json={"login_wanted": True, "user": None, "role": "admin"})


def test_a_page_of_before_an_upgrade_fetches_the_new_one(up: Platform, page: Browser):
    """Its files have other names by then: the first that is missing tells."""
    expect(page.page.locator("main h1")).to_be_visible(timeout=30_000)
    page.page.evaluate("window.isOld = true")
    page.page.route("**/assets/Counts-*.js", lambda route: route.fulfill(status=404))
    page.page.get_by_role("link", name="Counts", exact=True).click()
    page.page.wait_for_function("() => !window.isOld", timeout=20_000)
    page.page.unroute("**/assets/Counts-*.js")
    page.page.get_by_role("link", name="Counts", exact=True).click()
    expect(page.find("total")).to_be_visible(timeout=30_000)
