"""The view of the system: how it is, what it has not counted, its log, its check-up and what it keeps."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from services.common.wire import JsonObject, time_text
from tests.e2e.axe import serious
from tests.e2e.browser import Browser, browser
from tests.processes import Platform, platform

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PARTS = ("overview", "gaps", "log", "doctor", "records")
HOUR_S = 3600.0


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with platform(tmp_path_factory.mktemp("system") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def page(chromium: str, up: Platform) -> Iterator[Browser]:
    """One browser for all; each test goes to where it begins."""
    with browser(chromium, up.url) as opened:
        route_history(opened.page)
        expect(opened.page.get_by_role("navigation")).to_be_visible(timeout=30_000)
        yield opened


def gap(camera: str, from_s: float, to_s: float, cause: str, code: str) -> JsonObject:
    return {"camera": camera, "from": time_text(from_s), "to": time_text(to_s), "cause": cause, "code": code}


def gaps_of_a_day() -> list[JsonObject]:
    """Gaps of the demo camera, all of whose causes differ; one still lasts."""
    now_s = time.time()
    return [
        gap("demo", now_s - 20 * HOUR_S, now_s - 18 * HOUR_S, "service not running", "not-running"),
        gap("demo", now_s - 12 * HOUR_S, now_s - 11.5 * HOUR_S, "the camera refuses the login", ""),
        gap("demo", now_s - 6 * HOUR_S, now_s - 6 * HOUR_S + 90, "too few frames analysed", "too-few-frames"),
        gap("demo", now_s - 0.5 * HOUR_S, now_s + 60, "switched off", "switched-off"),
    ]


def generations() -> list[JsonObject]:
    """What two deleted cameras have left, beside one that is there."""
    now_s = time.time()

    def of(camera: str, number: int, deleted_s: float | None, crossings: int) -> JsonObject:
        deleted = None if deleted_s is None else time_text(deleted_s)
        created = time_text(now_s - 240 * HOUR_S)
        name = camera.capitalize()
        return {
            "camera": camera,
            "generation": number,
            "name": name,
            "created": created,
            "deleted": deleted,
            "crossings": crossings,
        }

    return [
        of("demo", 1, None, 5),
        of("door", 1, now_s - 48 * HOUR_S, 1234),
        of("gate", 2, now_s - HOUR_S, 77),
    ]


def route_history(page: Page) -> None:
    """Answer for routes of the past: a platform that was just started has none."""
    left = generations()

    def answer_generations(route: Route) -> None:
        route.fulfill(json={"items": left})

    def remove(route: Route) -> None:
        camera, number = re.findall(r"cameras/([^/]+)/generations/(\d+)", route.request.url)[0]
        left[:] = [one for one in left if (one["camera"], one["generation"]) != (camera, int(number))]
        route.fulfill(status=204)

    page.route(re.compile(r"/api/v1/gaps\?"), lambda route: route.fulfill(json={"items": gaps_of_a_day()}))
    page.route("**/api/v1/generations", answer_generations)
    page.route(re.compile(r"/api/v1/cameras/[^/]+/generations/\d+"), remove)


def go(page: Browser, up: Platform, path: str) -> None:
    """Open an address of the page afresh."""
    page.page.goto(f"{up.url}/{path}")
    expect(page.page.get_by_role("heading", level=1)).to_be_visible(timeout=30_000)


def test_parts_have_addresses_and_are_reached_by_keyboard(page: Browser, up: Platform) -> None:
    go(page, up, "system")
    tab = page.find("tab-overview")
    expect(tab).to_have_attribute("aria-selected", "true")
    tab.focus()
    for part in PARTS[1:]:
        page.page.keyboard.press("ArrowRight")
        expect(page.find(f"tab-{part}")).to_have_attribute("aria-selected", "true")
        expect(page.page).to_have_url(f"{up.url}/system/{part}")
        expect(page.find(f"part-{part}")).to_be_visible()
    page.page.go_back()
    expect(page.find("tab-doctor")).to_have_attribute("aria-selected", "true")
    page.find("tab-gaps").click()
    expect(page.page).to_have_url(f"{up.url}/system/gaps")


def test_overview_tells_services_costs_engines_and_the_machine(page: Browser, up: Platform) -> None:
    go(page, up, "system/overview")
    expect(page.find("service-store")).to_contain_text("running")
    expect(page.find("queue-events")).to_contain_text(re.compile(r"\d+ of [\d,]+"))
    expect(page.find("queue-events")).to_contain_text("When it is full, nothing new comes in.")
    cost = page.find("cost-demo")
    expect(cost).to_be_visible(timeout=60_000)
    expect(cost).to_contain_text(re.compile(r"\d ms"), timeout=60_000)
    expect(page.find("engines")).to_contain_text("used")
    expect(page.find("disk")).to_contain_text("free")
    expect(page.find("database")).to_contain_text("works")
    expect(page.find("machine")).to_contain_text("python")
    expect(page.find("retention")).to_contain_text("400 days")


def test_losses_since_the_page_was_opened_are_marked_with_what_helps(page: Browser, up: Platform) -> None:
    dropped = 7

    def lose(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        for service in told["services"]:
            for queue in service["queues"]:
                if queue["name"] == "events":
                    queue["dropped"] = dropped
        route.fulfill(response=answer, body=json.dumps(told))

    page.page.route("**/api/v1/system", lose)
    try:
        go(page, up, "system/overview")
        queue = page.find("queue-events")
        expect(queue).to_contain_text("7 lost")
        expect(queue).not_to_contain_text("since this page was opened")
        dropped = 9
        expect(queue).to_contain_text("2 more since this page was opened", timeout=20_000)
        expect(queue).to_contain_text("The database does not keep up")
    finally:
        page.page.unroute("**/api/v1/system", lose)


def test_a_viewer_sees_no_log_and_no_check_up(page: Browser, up: Platform) -> None:
    seen = {"login_wanted": True, "user": "eye", "role": "viewer"}
    page.page.route("**/api/v1/session", lambda route: route.fulfill(json=seen))
    try:
        go(page, up, "system/log")
        expect(page.find("tab-overview")).to_have_attribute("aria-selected", "true")
        expect(page.page.get_by_text("are shown to admins")).to_be_visible()
        for part in ("log", "doctor"):
            expect(page.find(f"tab-{part}")).to_have_count(0)
        page.find("tab-records").click()
        expect(page.find("generation-door-1")).to_be_visible()
        expect(page.find("generation-door-1").get_by_role("button")).to_have_count(0)
    finally:
        page.page.unroute("**/api/v1/session")


def test_gaps_stand_on_a_timeline_by_mouse_and_keyboard(page: Browser, up: Platform) -> None:
    go(page, up, "system/gaps")
    row = page.find("gaps-of-demo")
    marks = row.get_by_role("button")
    expect(marks).to_have_count(4)
    expect(row).to_have_attribute("aria-label", re.compile(r"not analysed for .*4 times"))
    page.find("zoom-in").focus()
    marks.first.focus()
    expect(page.find("gap-detail")).to_contain_text(re.compile("not running.*2 hr", re.DOTALL))
    page.page.keyboard.press("ArrowRight")
    expect(marks.nth(1)).to_be_focused()
    expect(page.find("gap-detail")).to_contain_text("the camera refuses the login")
    page.page.keyboard.press("End")
    expect(marks.last).to_be_focused()
    rows = page.find("gap-list").locator("tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("now")
    marks.nth(2).click()
    page.find("zoom-here").click()
    expect(marks).to_have_count(1)
    expect(page.page).to_have_url(re.compile(r"zoom=\d+-\d+"))
    page.page.reload()
    expect(page.find("gaps-of-demo").get_by_role("button")).to_have_count(1)
    page.find("zoom-away").click()
    expect(marks).to_have_count(4)


def test_dragging_over_the_timeline_looks_closer(page: Browser, up: Platform) -> None:
    go(page, up, "system/gaps")
    expect(page.find("gaps-of-demo").get_by_role("button")).to_have_count(4)
    box = page.find("tracks").bounding_box()
    assert box is not None
    mouse, y = page.page.mouse, box["y"] + 20
    mouse.move(box["x"] + 0.4 * box["width"], y)
    mouse.down()
    mouse.move(box["x"] + 0.6 * box["width"], y, steps=5)
    mouse.up()
    expect(page.find("gaps-of-demo").get_by_role("button")).to_have_count(1)
    expect(page.find("gap-list").locator("tbody tr")).to_have_count(1)
    page.find("zoom-out").click()
    page.find("span-7d").click()
    expect(page.page).to_have_url(f"{up.url}/system/gaps?span=7d")
    expect(page.find("span-7d")).to_have_attribute("aria-pressed", "true")


def test_the_log_is_live_and_is_filtered_paused_and_kept(page: Browser, up: Platform, tmp_path: Path) -> None:
    go(page, up, "system/log")
    records = page.find("log-list").get_by_role("listitem")
    expect(records.first).to_be_visible(timeout=20_000)
    page.find("log-find").fill("no record says this")
    expect(records).to_have_count(0)
    expect(page.page.get_by_text("Nothing matches")).to_be_visible()
    page.find("log-find").fill("")
    page.find("log-level").select_option("error")
    expect(page.page).to_have_url(f"{up.url}/system/log?level=error")
    page.find("log-level").select_option("debug")
    expect(records.first).to_be_visible()
    page.find("log-pause").click()
    expect(page.find("log-count")).to_contain_text("Paused")
    page.find("log-pause").click()
    with page.page.expect_request(re.compile(r"/system/log\?.*after=\d+")):
        expect(page.find("log-count")).not_to_contain_text("Paused")
    with page.page.expect_download() as download:
        page.find("log-save").click()
    download.value.save_as(tmp_path / "kept.log")
    assert "info ingest: camera demo is" in (tmp_path / "kept.log").read_text()


def test_the_check_up_tells_the_machine_and_looks_again(page: Browser, up: Platform) -> None:
    go(page, up, "system/doctor")
    expect(page.find("finding-processor")).to_contain_text("cores", timeout=30_000)
    expect(page.find("finding-database")).to_have_attribute("data-level", "ok")
    expect(page.find("doctor-sum")).to_be_visible()
    with page.page.expect_response("**/api/v1/system/doctor") as answer:
        page.find("doctor-again").click()
    assert answer.value.ok
    expect(page.find("doctor-again")).to_be_enabled()


def test_what_a_deleted_camera_left_is_read_and_removed_on_purpose(page: Browser, up: Platform) -> None:
    go(page, up, "system/records")
    left = page.find("generations").get_by_role("listitem")
    expect(left).to_have_count(2)
    expect(page.find("generation-door-1")).to_contain_text("1,234")
    link = page.find("generation-gate-2").get_by_role("link")
    expect(link).to_have_attribute("href", "/counts?camera=gate&generation=2")
    remove = page.find("generation-gate-2").get_by_role("button")
    remove.click()
    expect(page.find("confirmation")).to_contain_text("77 crossings")
    page.page.keyboard.press("Escape")
    expect(left).to_have_count(2)
    remove.press("Enter")
    page.find("confirm").click()
    expect(left).to_have_count(1)
    expect(page.find("toast")).to_contain_text("What Gate had left is removed.")


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_hinders_anybody(
    page: Browser, up: Platform, language: str, scheme: str, tmp_path: Path
) -> None:
    """On a wide screen and on a phone, where nothing is to be moved sideways."""
    view = page.page
    view.evaluate("language => localStorage.setItem('sightline.language', language)", language)
    view.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    try:
        for part in PARTS:
            go(page, up, f"system/{part}")
            view.wait_for_load_state("networkidle")
            for width, height in ((1280, 800), (360, 740)):
                view.set_viewport_size({"width": width, "height": height})
                assert serious(view) == [], f"{part} {width}"
                assert view.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{part} {width}"
                view.screenshot(path=tmp_path / f"{part}-{width}.png", full_page=True)
    finally:
        view.evaluate("() => localStorage.removeItem('sightline.language')")
        view.set_viewport_size({"width": 1280, "height": 800})


def test_the_console_stayed_silent(page: Browser) -> None:
    assert page.complaints == []
