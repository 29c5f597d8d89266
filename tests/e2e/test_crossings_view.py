"""Crossings one by one, against the running demo: live, of a span, filtered, page by page, at their place."""

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.axe import serious
from tests.e2e.browser import Browser, browser
from tests.processes import Platform, platform, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

FEW = 4
"""So many crossings stand on a page where a test turns pages."""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with platform(
        tmp_path_factory.mktemp("crossings") / "data", "--camera", "Street=demo://traffic"
    ) as running:
        wait_until(lambda: len(_crossings(running)) > 3 * FEW, 120, "the demo counts")
        yield running


@pytest.fixture
def page(up: Platform, chromium: str) -> Iterator[Browser]:
    with browser(chromium, f"{up.url}/crossings?camera=street") as opened:
        expect(_rows(opened.page).first).to_be_visible(timeout=30_000)
        yield opened
        assert opened.complaints == []


def _crossings(up: Platform, **query: str | int) -> list[dict[str, Any]]:
    asked = {"camera": "street", "limit": 1000, **query}
    answer = httpx.get(f"{up.url}/api/v1/crossings", params=asked, timeout=30).json()
    items: list[dict[str, Any]] = answer.get("items", [])
    return items


def _rows(page: Page) -> Locator:
    return page.get_by_test_id("crossing")


def _ids(page: Page) -> list[str]:
    ids: list[str] = _rows(page).evaluate_all("rows => rows.map((row) => row.dataset.id)")
    return ids


def _asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(page.evaluate("() => location.search.slice(1)"))


def _few_a_page(page: Page) -> None:
    def shorten(route: Route) -> None:
        route.continue_(url=route.request.url.replace("limit=50", f"limit={FEW}"))

    page.route("**/api/v1/crossings?*", shorten)
    page.reload()
    expect(_rows(page)).to_have_count(FEW, timeout=30_000)


def test_new_crossings_come_in_on_top_as_the_api_has_them(page: Browser, up: Platform) -> None:
    before = _ids(page.page)
    wait_until(lambda: _ids(page.page)[0] not in before, 60, "a new crossing stands on top")
    shown = _ids(page.page)
    known = {one["id"]: one for one in _crossings(up)}
    assert set(shown) <= known.keys()
    times = [known[id]["time"] for id in shown]
    assert times == sorted(times, reverse=True)
    one = known[shown[0]]
    words = _rows(page.page).first.inner_text()
    assert one["time"][11:19] in words
    assert one["class"] in words
    assert one["direction"] in words
    assert f"{int(one['confidence'] * 100 + 1e-9)}%" in words
    assert str(one["track"]) in words


def test_what_somebody_reads_does_not_move_and_new_ones_wait(page: Browser) -> None:
    _rows(page.page).nth(1).click()
    expect(page.find("detail")).to_be_visible()
    before = _ids(page.page)
    expect(page.find("fresh")).to_contain_text("new", timeout=60_000)
    assert _ids(page.page) == before
    chosen = page.page.locator("[role=option][aria-selected=true]").get_attribute("data-id")
    page.find("fresh").click()
    wait_until(lambda: _ids(page.page)[0] not in before, 10, "the new ones are shown")
    assert page.page.locator("[role=option][aria-selected=true]").get_attribute("data-id") == chosen


def test_a_list_that_is_scrolled_stands_still_until_it_is_at_its_top(page: Browser) -> None:
    page.page.set_viewport_size({"width": 1000, "height": 420})
    _rows(page.page).nth(8).scroll_into_view_if_needed()
    page.page.mouse.wheel(0, 300)
    wait_until(lambda: _rows(page.page).first.bounding_box()["y"] < 0, 10, "it is scrolled")  # type: ignore[index]
    before = _ids(page.page)
    expect(page.find("fresh")).to_be_visible(timeout=60_000)
    assert _ids(page.page) == before
    page.page.evaluate("() => scrollTo(0, 0)")
    wait_until(lambda: _ids(page.page)[0] not in before, 20, "at the top it goes on by itself")
    expect(page.find("fresh")).to_have_count(0)


def test_arrow_keys_walk_through_the_list_and_the_place_is_drawn(page: Browser, up: Platform) -> None:
    page.page.get_by_role("listbox").focus()
    keyboard = page.page.keyboard
    keyboard.press("ArrowDown")
    first = page.page.locator("[role=option][aria-selected=true]").get_attribute("data-id")
    keyboard.press("ArrowDown")
    keyboard.press("ArrowDown")
    chosen = page.page.locator("[role=option][aria-selected=true]")
    expect(chosen).not_to_have_attribute("data-id", str(first))
    one = next(one for one in _crossings(up) if one["id"] == chosen.get_attribute("data-id"))
    expect(page.find("detail-time")).to_contain_text(one["time"][11:23])
    expect(page.find("place-picture")).to_be_visible(timeout=20_000)
    expect(page.find("detail")).to_contain_text("The picture is of now")
    (line,) = (
        line
        for line in httpx.get(f"{up.url}/api/v1/cameras/street/lines", timeout=30).json()["items"]
        if line["id"] == one["line"]
    )
    (ax, ay), (bx, by) = line["points"]
    wanted = (ax + (bx - ax) * one["along"], ay + (by - ay) * one["along"])

    def is_there() -> bool:
        box, dot = page.find("place").bounding_box(), page.find("place-dot").bounding_box()
        assert box is not None
        assert dot is not None
        middle = (dot["x"] + dot["width"] / 2 - box["x"], dot["y"] + dot["height"] / 2 - box["y"])
        return (middle[0] / box["width"], middle[1] / box["height"]) == pytest.approx(wanted, abs=0.02)

    wait_until(is_there, 15, "the dot lies where the line was crossed")
    keyboard.press("ArrowUp")
    keyboard.press("ArrowUp")
    expect(page.page.locator("[role=option][aria-selected=true]")).to_have_attribute("data-id", str(first))
    keyboard.press("Escape")
    expect(page.find("detail")).to_have_count(0)


def test_a_link_shows_the_same_crossing_also_when_it_is_no_longer_on_the_page(page: Browser) -> None:
    _few_a_page(page.page)
    _rows(page.page).last.click()
    time = page.find("detail-time").inner_text()
    with closing(page.page.context.browser.new_page()) as other:  # type: ignore[union-attr]
        other.route("**/api/v1/crossings?*", lambda route: _only_one(route))
        other.goto(page.page.url)
        expect(other.get_by_test_id("detail-time")).to_have_text(time, timeout=30_000)


def _only_one(route: Route) -> None:
    """A list so short that what is looked for is not on it."""
    route.continue_(url=route.request.url.replace("limit=50", "limit=1"))


def test_pages_are_turned_back_and_forth(page: Browser, up: Platform) -> None:
    page.find("span-today").click()
    _few_a_page(page.page)
    first = _ids(page.page)
    expect(page.find("newer")).to_be_disabled()
    page.find("older").click()
    wait_until(lambda: _ids(page.page) != first, 15, "older ones are shown")
    second = _ids(page.page)
    assert not set(first) & set(second)
    all_ids = [one["id"] for one in _crossings(up)]
    assert second[0] == all_ids[all_ids.index(first[-1]) + 1], "none is passed over"
    page.find("older").click()
    wait_until(lambda: _ids(page.page) != second, 15, "still older ones are shown")
    page.find("newer").click()
    wait_until(lambda: _ids(page.page) == second, 15, "and the newer ones again")
    page.page.reload()
    wait_until(lambda: _ids(page.page) == second, 30, "the page stands in the address")
    page.find("newest").click()
    wait_until(
        lambda: not set(_ids(page.page)) & set(second) or "before" not in _asked(page.page), 15, "newest"
    )
    assert "before" not in _asked(page.page)


def test_a_list_is_filtered_and_saved_as_it_is_filtered(page: Browser, up: Platform, tmp_path: Path) -> None:
    page.find("choose-line").click()
    page.find("choose-line-road").check()
    page.page.keyboard.press("Escape")
    page.find("choose-direction").click()
    page.find("choose-direction-forward").check()
    page.page.keyboard.press("Escape")
    page.find("least").fill("60")
    page.find("least").press("Tab")
    wait_until(lambda: _asked(page.page).get("min") == ["0.6"], 10, "the bound is in the address")
    assert _asked(page.page) == {
        "camera": ["street"],
        "line": ["road"],
        "direction": ["forward"],
        "min": ["0.6"],
    }
    fitting = {
        one["id"]
        for one in _crossings(up)
        if one["line"] == "road" and one["direction"] == "forward" and one["confidence"] >= 0.6
    }
    wait_until(lambda: len(set(_ids(page.page)) & fitting) == min(len(fitting), 50), 15, "what fits is shown")
    with page.page.expect_download() as sheet:
        page.find("csv").click()
    path = tmp_path / sheet.value.suggested_filename
    sheet.value.save_as(path)
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert fitting <= {row["id"] for row in rows}
    for row in rows:
        assert (row["line"], row["direction"]) == ("road", "forward")
        assert float(row["confidence"]) >= 0.6
    page.find("least").fill("100")
    page.find("least").press("Tab")
    expect(page.page.get_by_text("No crossing fits")).to_be_visible(timeout=15_000)
    page.find("all").click()
    expect(_rows(page.page).first).to_be_visible(timeout=15_000)
    assert _asked(page.page) == {"camera": ["street"]}


def test_a_crossing_is_shown_on_its_line_as_it_lay_then(page: Browser, up: Platform) -> None:
    lines = f"{up.url}/api/v1/cameras/street/lines"
    one = _crossings(up, line="pavement", limit=1)[0]
    link = f"{up.url}/crossings?camera=street&crossing={one['id']}&time={one['time']}&span=today"
    page.page.goto(link)
    drawn = page.find("place").locator(".line")
    expect(page.find("place-dot")).to_be_visible(timeout=30_000)
    before = drawn.get_attribute("d")
    httpx.patch(f"{lines}/pavement", json={"points": [[0.3, 0.6], [0.6, 0.9]]}, timeout=30).raise_for_status()
    page.page.goto(link)
    expect(page.find("place-dot")).to_be_visible(timeout=30_000)
    assert drawn.get_attribute("d") == before
    httpx.delete(f"{lines}/pavement", timeout=30).raise_for_status()
    page.page.reload()
    expect(page.find("place-dot")).to_be_visible(timeout=30_000)
    assert drawn.get_attribute("d") == before
    expect(page.find("place-note")).to_have_count(0)


def test_a_finger_on_a_phone_looks_at_one_after_the_other(page: Browser, up: Platform) -> None:
    context = page.page.context.browser.new_context(  # type: ignore[union-attr]
        viewport={"width": 360, "height": 780}, has_touch=True, is_mobile=True, locale="de-DE"
    )
    phone = context.new_page()
    phone.goto(f"{up.url}/crossings?camera=street")
    expect(_rows(phone).nth(3)).to_be_visible(timeout=30_000)
    _rows(phone).nth(3).tap()
    expect(phone.get_by_test_id("detail")).to_contain_text("Das Bild ist von jetzt")
    before = _asked(phone)["crossing"]
    phone.get_by_test_id("below").tap()
    wait_until(lambda: _asked(phone)["crossing"] != before, 10, "the one below is shown")
    assert phone.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert serious(phone) == []
    phone.get_by_test_id("detail-close").tap()
    expect(phone.get_by_test_id("detail")).to_have_count(0)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: Browser, scheme: str) -> None:
    page.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    _rows(page.page).nth(1).click()
    expect(page.find("place-dot")).to_be_visible(timeout=20_000)
    assert serious(page.page) == []


def test_a_link_to_a_camera_that_is_gone_says_so_and_leads_on(up: Platform, chromium: str) -> None:
    with browser(chromium, f"{up.url}/crossings?camera=gone") as opened:
        expect(opened.page.get_by_role("alert")).to_contain_text("gone", timeout=30_000)
        opened.find("all").click()
        expect(_rows(opened.page).first).to_be_visible(timeout=30_000)
        assert all("404" in complaint for complaint in opened.complaints)
