"""What the page promises as a whole: small, quick, from here alone, below any path, for everybody."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect, sync_playwright

from services.web.page import PAGE_FOLDER
from tests.e2e.axe import serious
from tests.e2e.below_path import below_path
from tests.e2e.browser import FLAGS
from tests.machine import others
from tests.processes import Platform, platform

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

FIRST_KB, ALL_KB = 120, 250
FIRST_PAINT_MS = 1000
VIEWS = (
    "watch/demo",
    "draw/demo",
    "counts",
    "counts?show=table&span=7d&compare=before",
    "crossings",
    "system",
    "system/gaps",
    "system/log",
    "system/doctor",
    "system/records",
    "account/users",
    "account/tokens",
    "account/audit",
    "none",
)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with platform(tmp_path_factory.mktemp("bounds") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def chromium_process(chromium: str) -> Iterator[Chromium]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        yield opened
        opened.close()


def _packed_kb(*names: str) -> float:
    return sum(len(gzip.compress((PAGE_FOLDER / name).read_bytes())) for name in names) / 1000


def _visit(page: Page, base: str, view: str) -> None:
    page.goto(f"{base.rstrip('/')}/{view}")
    expect(page.locator("main h1, main h2").first).to_be_visible(timeout=30_000)
    page.wait_for_timeout(300)


def test_the_page_is_small_quick_and_from_here_alone(up: Platform, chromium_process: Chromium) -> None:
    page = chromium_process.new_page(locale="de-DE")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.goto(up.url)
    expect(page.locator("main h1").first).to_be_visible(timeout=30_000)
    first = {urlsplit(url).path.lstrip("/") for url in asked if urlsplit(url).path.endswith(".js")}
    assert _packed_kb(*first) <= FIRST_KB
    scripts = [f"assets/{path.name}" for path in (PAGE_FOLDER / "assets").glob("*.js")]
    assert len(scripts) > len(first), "views are fetched when they are opened"
    assert _packed_kb(*scripts) <= ALL_KB
    for view in VIEWS:
        _visit(page, up.url, view)
    hosts = {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(up.url).netloc}
    paints_ms = []
    with others() as busy:
        for _ in range(5):
            page.goto(up.url)
            page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length > 0")
            entry = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
            paints_ms.append(page.evaluate(entry))
    busy.require(min(paints_ms) < FIRST_PAINT_MS, f"first paint after {min(paints_ms):.0f} ms")
    page.close()


def test_it_works_below_a_path_of_a_proxy(up: Platform, chromium_process: Chromium) -> None:
    with below_path(up.url, "/at/sightline") as address:
        page = chromium_process.new_page()
        wrong: list[str] = []
        page.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 400 else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(address.rstrip("/"))
        expect(page).to_have_url(f"{address}watch/demo", timeout=30_000)
        wrong.clear()
        expect(page.get_by_test_id("picture-demo")).to_have_attribute("data-live", "true", timeout=60_000)
        page.get_by_test_id("draw-lines").click()
        expect(page).to_have_url(f"{address}draw/demo")
        expect(page.get_by_test_id("overlay")).to_be_visible(timeout=30_000)
        page.reload()
        expect(page.get_by_test_id("line-row-road")).to_be_visible(timeout=30_000)
        page.get_by_role("link", name="Counts", exact=True).click()
        expect(page).to_have_url(re.compile(re.escape(f"{address}counts")))
        expect(page.get_by_test_id("total")).to_be_visible(timeout=30_000)
        assert page.get_by_test_id("csv-demo").get_attribute("href", timeout=5000).startswith(address)  # type: ignore[union-attr]
        page.go_back()
        expect(page.get_by_test_id("line-row-road")).to_be_visible(timeout=30_000)
        assert wrong == []
        page.close()


@pytest.mark.parametrize(
    ("locale", "scheme", "width"),
    [("en-GB", "light", 1280), ("de-DE", "dark", 1280), ("de-DE", "light", 390)],
)
def test_axe_finds_nothing_serious_in_any_view(
    up: Platform, chromium_process: Chromium, locale: str, scheme: str, width: int, tmp_path: Path
) -> None:
    context = chromium_process.new_context(
        locale=locale,
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 844},
        has_touch=width < 500,
        reduced_motion="reduce",
    )
    page = context.new_page()
    found: dict[str, list[str]] = {}
    for view in VIEWS:
        _visit(page, up.url, view)
        page.screenshot(path=tmp_path / f"{re.sub('[^a-z]+', '-', view)}.png")
        if wrong := serious(page):
            found[view] = wrong
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.setdefault(view, []).append("it scrolls sideways")
    page.goto(f"{up.url}/watch/demo")
    page.get_by_test_id("first-camera").click()
    expect(page.get_by_test_id("camera-dialog")).to_be_visible()
    if wrong := serious(page):
        found["dialog"] = wrong
    context.close()
    assert found == {}
