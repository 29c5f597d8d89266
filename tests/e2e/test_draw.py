"""The editor of counting lines, by mouse, finger and keyboard."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.browser import Browser, browser
from tests.processes import Platform, platform, wait_until

pytestmark = pytest.mark.browser

Place = tuple[float, float]
DOUBLE_TAP_MS = 800
"""Within this time after a finger was lifted a tap may count as the second of two, which is no click."""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with platform(tmp_path_factory.mktemp("draw") / "data", "--camera", "Street=demo://traffic") as running:
        ready = f"{running.url}/readyz"
        wait_until(lambda: httpx.get(ready, timeout=30).is_success, 60, "the camera is there")
        yield running


@pytest.fixture
def page(up: Platform, chromium: str) -> Iterator[Browser]:
    """The editor of a camera without lines."""
    for line in _lines(up):
        httpx.delete(f"{up.url}/api/v1/cameras/street/lines/{line['id']}").raise_for_status()
    with browser(chromium, f"{up.url}/draw/street") as opened:
        expect(opened.find("draw-line")).to_be_enabled(timeout=30_000)
        expect(opened.find("overlay")).to_be_visible(timeout=30_000)
        yield opened
        assert opened.complaints == []


def _lines(up: Platform) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = httpx.get(f"{up.url}/api/v1/cameras/street/lines").json()["items"]
    return items


def _points(up: Platform, index: int = 0) -> list[Place]:
    return [(x, y) for x, y in _lines(up)[index]["points"]]


def _near(found: list[Place], wanted: list[Place]) -> bool:
    return len(found) == len(wanted) and all(
        a == pytest.approx(b, abs=0.012) for a, b in zip(found, wanted, strict=True)
    )


def _at(page: Page, place: Place) -> Place:
    box = page.get_by_test_id("overlay").bounding_box()
    assert box is not None
    return box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]


def _click(page: Page, *places: Place) -> None:
    for place in places:
        page.mouse.move(*_at(page, place))
        page.mouse.down()
        page.mouse.up()


def _drag(page: Page, start: Place, end: Place, key: str | None = None) -> None:
    page.mouse.move(*_at(page, start))
    page.mouse.down()
    if key:
        page.keyboard.down(key)
    page.mouse.move(*_at(page, end), steps=6)
    page.mouse.up()
    if key:
        page.keyboard.up(key)


def _save(page: Browser) -> None:
    page.find("line-save").click()
    expect(page.find("line-save")).to_have_count(0, timeout=15_000)


def _handle(page: Browser, index: int) -> Locator:
    return page.page.locator(f".shape.selected [data-point='{index}']")


def test_a_bent_line_is_drawn_changed_undone_and_stored_with_names(page: Browser, up: Platform) -> None:
    drawn = [(0.2, 0.8), (0.4, 0.6), (0.6, 0.8), (0.8, 0.6)]
    page.find("draw-line").click()
    _click(page.page, *drawn, drawn[-1])
    page.find("line-name").fill("Way in")
    page.find("line-forward-name").fill("in")
    page.find("line-backward-name").fill("out")
    page.page.get_by_label("car", exact=True).check()
    _save(page)
    (line,) = _lines(up)
    assert _near(_points(up), drawn)
    assert (line["name"], line["forward_name"], line["backward_name"]) == ("Way in", "in", "out")
    assert line["classes"] == ["car"]

    _drag(page.page, (0.4, 0.6), (0.42, 0.3))
    _drag(page.page, (0.7, 0.7), (0.7, 0.5))
    expect(page.page.locator(".shape.selected .handle")).to_have_count(5)
    page.find("undo").click()
    page.find("undo").click()
    expect(page.find("line-save")).to_have_count(0)
    page.find("redo").click()
    _save(page)
    assert _near(_points(up), [drawn[0], (0.42, 0.3), *drawn[2:]])

    _click(page.page, (0.42, 0.3))
    page.find("point-remove").click()
    _drag(page.page, (0.4, 0.8), (0.4, 0.7))
    _save(page)
    assert len(_points(up)) == 4


def test_a_pull_makes_a_line_and_shift_keeps_it_level(page: Browser, up: Platform) -> None:
    page.page.keyboard.press("l")
    _drag(page.page, (0.2, 0.5), (0.7, 0.53), "Shift")
    _save(page)
    (start, end) = _points(up)
    assert start[1] == end[1]
    page.find("line-flip").click()
    _drag(page.page, (0.3, 0.5), (0.4, 0.7))
    _save(page)
    assert _near(_points(up), [(0.8, 0.7), (0.3, 0.7)])


def test_everything_goes_by_keyboard_alone(page: Browser, up: Platform) -> None:
    keys = page.page.keyboard
    keys.press("l")
    keys.press("Enter")
    expect(page.find("line-name")).to_be_visible()
    page.page.locator(".shape.selected .body").focus()
    keys.press("Shift+ArrowDown")
    keys.press("Tab")
    expect(_handle(page, 0)).to_be_focused()
    keys.press("+")
    expect(page.page.locator(".shape.selected .handle")).to_have_count(3)
    _handle(page, 1).focus()
    for _ in range(4):
        keys.press("Shift+ArrowUp")
    keys.press("Control+s")
    expect(page.find("line-save")).to_have_count(0, timeout=15_000)
    points = _points(up)
    assert len(points) == 3
    assert points[0][1] > 0.5 > points[1][1] - 0.02
    assert points[1][1] < points[0][1]
    _handle(page, 1).focus()
    keys.press("Delete")
    page.page.locator(".shape.selected .body").focus()
    keys.press("Delete")
    keys.press("Control+z")
    expect(page.find("line-save")).to_be_visible()
    page.page.locator(".shape .body").first.focus()
    keys.press("Delete")
    page.find("line-save").click()
    page.find("confirm").click()
    wait_until(lambda: not _lines(up), 15, "the line is deleted")


def test_a_finger_draws_and_moves(up: Platform, chromium: str, page: Browser) -> None:
    """On a phone: taps put points, Done ends, and a pull moves one."""
    context = page.page.context.browser.new_context(  # type: ignore[union-attr]
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale="de-DE"
    )
    phone = context.new_page()
    phone.goto(f"{up.url}/draw/street")
    expect(phone.get_by_test_id("draw-line")).to_contain_text("Neue Linie", timeout=30_000)
    expect(phone.get_by_test_id("overlay")).to_be_visible(timeout=30_000)
    phone.get_by_test_id("draw-line").tap()
    for place in ((0.2, 0.5), (0.5, 0.7), (0.8, 0.5)):
        phone.touchscreen.tap(*_at(phone, place))
    phone.get_by_test_id("draw-done").tap()
    phone.get_by_test_id("line-save").tap()
    expect(phone.get_by_test_id("line-save")).to_have_count(0, timeout=15_000)
    assert _near(_points(up), [(0.2, 0.5), (0.5, 0.7), (0.8, 0.5)])
    touch = context.new_cdp_session(phone)
    (x, y), (to_x, to_y) = _at(phone, (0.5, 0.7)), _at(phone, (0.5, 0.4))
    _touch(touch, "touchStart", x, y)
    for step in range(1, 7):
        _touch(touch, "touchMove", x + (to_x - x) * step / 6, y + (to_y - y) * step / 6)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(phone.get_by_test_id("line-save")).to_be_enabled()
    phone.wait_for_timeout(DOUBLE_TAP_MS)
    phone.get_by_test_id("line-save").tap()
    expect(phone.get_by_test_id("line-save")).to_have_count(0, timeout=15_000)
    assert _near(_points(up), [(0.2, 0.5), (0.5, 0.4), (0.8, 0.5)])
    context.close()


def _break_posts(route: Route) -> None:
    if route.request.method == "POST":
        route.abort()
    else:
        route.continue_()


def _touch(session: Any, kind: str, x: float, y: float) -> None:
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})


def test_errors_stand_where_they_happen_and_nothing_is_lost(page: Browser, up: Platform) -> None:
    page.find("draw-line").click()
    _drag(page.page, (0.2, 0.3), (0.7, 0.3))
    page.find("line-name").fill("  ")
    page.find("line-save").click()
    expect(page.page.get_by_text("Give the line a name.")).to_be_visible()
    page.find("line-name").fill("Gate")
    page.page.route(
        "**/lines", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    page.find("line-save").click()
    expect(page.page.locator("aside [role=alert]").filter(has_text="does not answer")).to_be_visible()
    page.page.unroute("**/lines")
    _save(page)
    assert [line["name"] for line in _lines(up)] == ["Gate"]
    page.complaints.clear()


def test_somebody_else_is_not_overwritten_without_a_word(page: Browser, up: Platform) -> None:
    page.find("draw-line").click()
    _drag(page.page, (0.2, 0.3), (0.7, 0.3))
    _save(page)
    (line,) = _lines(up)
    page.find("line-name").fill("Mine")
    address = f"{up.url}/api/v1/cameras/street/lines/{line['id']}"
    httpx.patch(address, json={"name": "Theirs"}).raise_for_status()
    page.find("line-save").click()
    expect(page.find("confirmation")).to_contain_text("Mine")
    page.find("confirmation").get_by_role("button", name="Cancel").click()
    assert _lines(up)[0]["name"] == "Theirs"
    page.find("line-save").click()
    page.find("confirm").click()
    wait_until(lambda: _lines(up)[0]["name"] == "Mine", 15, "mine is stored")


def test_changes_are_not_left_by_mistake(page: Browser, up: Platform) -> None:
    page.find("draw-line").click()
    _drag(page.page, (0.2, 0.3), (0.7, 0.3))
    page.page.get_by_role("link", name="Counts", exact=True).click()
    expect(page.find("confirmation")).to_be_visible()
    page.find("confirmation").get_by_role("button", name="Cancel").click()
    expect(page.find("line-save")).to_be_visible()
    page.page.get_by_role("link", name="Counts", exact=True).click()
    page.find("confirm").click()
    expect(page.page).to_have_url(f"{up.url}/counts")
    assert _lines(up) == []


def test_who_leaves_before_all_is_answered_has_stored_it(page: Browser, up: Platform) -> None:
    held: list[Route] = []
    stored: list[str] = []

    def hold_after_storing(route: Route) -> None:
        if route.request.method == "POST":
            stored.append(route.request.url)
        if stored and route.request.method == "GET":
            held.append(route)
        else:
            route.continue_()

    page.page.route("**/cameras/street/lines", hold_after_storing)
    page.find("draw-line").click()
    _drag(page.page, (0.2, 0.3), (0.7, 0.3))
    page.find("line-save").click()
    for _ in range(100):
        page.page.wait_for_timeout(100)
        if held:
            break
    page.page.get_by_role("link", name="Counts", exact=True).click()
    expect(page.page).to_have_url(f"{up.url}/counts")
    page.page.wait_for_timeout(200)
    for route in held:
        route.continue_()
    page.page.wait_for_timeout(1000)
    assert len(_lines(up)) == 1
