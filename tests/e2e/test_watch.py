"""Watching as a person does: the wall, a camera's live view, its layers, snapshot and full screen."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from services.demo.encode import write_video
from services.demo.traffic import make_scene
from tests.e2e.browser import Browser, browser
from tests.e2e.live_page import is_live, marks, picture, wait_for_change, wait_for_live
from tests.processes import Camera, Platform, camera, platform, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.rtsp, pytest.mark.timeout(400)]

SEED, SCENE_S, FPS = 7, 20.0, 5
LINE = {"name": "Middle", "points": [[0.5, 0.1], [0.5, 0.9]], "color": "#ff00ff"}


@dataclass
class Street:
    """A platform with a camera that can be killed, `gate`, and the demo, `yard`."""

    up: Platform
    gate: Camera


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory, rtsp_python: str) -> Iterator[Street]:
    folder = tmp_path_factory.mktemp("street")
    write_video(make_scene(SEED, SCENE_S), folder / "scene.mp4")
    with (
        camera(rtsp_python, folder / "scene.mp4") as gate,
        platform(folder / "data", "--camera", f"Gate={gate.url}", "--camera", "Yard=demo://traffic") as up,
    ):
        api = f"{up.url}/api/v1/cameras"
        wait_until(
            lambda: len(httpx.get(api, timeout=30).json().get("items", [])) == 2, 30, "both cameras are there"
        )
        for name in ("gate", "yard"):
            httpx.patch(f"{api}/{name}", json={"fps": FPS}, timeout=30).raise_for_status()
        httpx.post(f"{api}/gate/lines", json=LINE, timeout=30).raise_for_status()
        yield Street(up, gate)


@pytest.fixture
def page(chromium: str, street: Street) -> Iterator[Browser]:
    with browser(chromium, street.up.url) as opened:
        yield opened
        assert opened.complaints == []


def test_the_wall_shows_all_cameras_in_small_pictures_and_leads_to_each(page: Browser):
    tiles = page.page.get_by_test_id("wall").locator("a")
    expect(tiles).to_have_count(2, timeout=20_000)
    assert [tile.get_attribute("data-testid") for tile in tiles.all()] == ["tile-gate", "tile-yard"]
    for name in ("gate", "yard"):
        wait_for_live(page.page, name)
        assert picture(page.page, name).locator("canvas").evaluate("c => c.width") <= 320
        expect(page.find(f"status-{name}")).to_be_visible()
        expect(page.find(f"today-{name}")).to_have_text(str(page.number(f"today-{name}")), timeout=10_000)
    wait_for_change(page.page, "gate")
    page.find("tile-gate").focus()
    page.page.keyboard.press("Enter")
    expect(page.page.locator("main h1")).to_have_text("Gate")
    assert page.page.url.endswith("/watch/gate")
    page.page.go_back()
    expect(page.find("tile-yard")).to_be_visible()


def test_layers_are_switched_by_keyboard_and_remembered(page: Browser, street: Street):
    watch(page, street, "gate")
    for layer in ("boxes", "labels", "lines"):
        button = page.find(f"layer-{layer}")
        button.focus()
        page.page.keyboard.press("Space")
        expect(button).to_have_attribute("aria-pressed", "false")
    wait_until(lambda: marks(page.page) == 0, 10, "nothing is drawn over the picture")
    page.page.reload()
    wait_for_live(page.page, "gate")
    expect(page.find("layer-boxes")).to_have_attribute("aria-pressed", "false")
    assert marks(page.page) == 0
    page.find("layer-lines").press("Space")
    wait_until(lambda: marks(page.page) > 500, 10, "the line is drawn")
    alone = marks(page.page)
    page.find("layer-boxes").press("Space")
    wait_until(lambda: marks(page.page) > alone + 200, 60, "boxes are drawn")


def test_a_snapshot_is_the_picture_with_the_chosen_layers(page: Browser, street: Street, tmp_path: Path):
    watch(page, street, "gate")
    wait_until(lambda: marks(page.page) > 200, 30, "the line is drawn")
    with_line = snapshot(page, tmp_path / "line.jpg")
    page.find("layer-lines").click()
    without = snapshot(page, tmp_path / "plain.jpg")
    assert with_line.shape == without.shape
    assert magenta(with_line) > 200
    assert magenta(without) < magenta(with_line) / 20


def test_full_screen_holds_picture_and_overlay(page: Browser, street: Street):
    watch(page, street, "gate")
    page.find("full").click()
    page.page.wait_for_function("document.fullscreenElement?.dataset.testid === 'stage'")
    wait_for_change(page.page, "gate")
    wait_until(lambda: same_place(page), 10, "the overlay lies on the picture")
    box = picture(page.page, "gate").bounding_box()
    assert box is not None
    assert box["width"] > 1200
    page.page.keyboard.press("Escape")
    page.page.wait_for_function("document.fullscreenElement === null")
    wait_until(lambda: same_place(page), 10, "the overlay lies on the picture again")


def test_figures_counts_and_ways_on_stand_beside_the_picture(page: Browser, street: Street):
    watch(page, street, "gate")
    for figure in ("shown-fps", "measured-fps", "delay"):
        wait_until(
            lambda name=figure: page.number(name) >= 1 or "0" in page.find(name).inner_text(), 20, figure
        )
    expect(page.find("resolution")).to_have_text("640 × 360")
    line = httpx.get(f"{street.up.url}/api/v1/cameras/gate/lines").json()["items"][0]["id"]

    def counted() -> int:
        return page.number(f"count-{line}-forward") + page.number(f"count-{line}-backward")

    wait_until(counted, 60, "a crossing is counted")
    expect(page.find("last-crossings").locator("li").first).to_contain_text("Middle")
    expect(page.find("coverage")).to_contain_text("% of today was analysed")
    assert page.find("open-counts").get_attribute("href") == "/counts?camera=gate"
    assert page.find("draw-lines").get_attribute("href") == "/draw/gate"
    page.find("switch-camera").select_option("yard")
    expect(page.page.locator("main h1")).to_have_text("Yard")
    wait_for_live(page.page, "yard")


def test_a_camera_that_is_not_there_leads_back(page: Browser, street: Street):
    page.page.goto(f"{street.up.url}/watch/nobody")
    page.page.get_by_role("link", name="To the cameras").click()
    expect(page.find("tile-gate")).to_be_visible(timeout=20_000)


def test_a_camera_is_switched_off_and_on(page: Browser, street: Street):
    watch(page, street, "yard")
    page.find("toggle-camera").click()
    expect(page.find("why")).to_have_attribute("data-why", "disabled", timeout=20_000)
    assert not is_live(page.page, "yard")
    page.find("toggle-camera").click()
    wait_for_live(page.page, "yard")


def test_a_tab_that_is_hidden_lets_go_of_its_pictures_and_takes_them_up_again(page: Browser, street: Street):
    sent: list[dict] = []
    page.page.on("websocket", lambda s: s.on("framesent", lambda data: sent.append(json.loads(str(data)))))
    watch(page, street, "gate")
    hide(page.page, True)
    wait_until(lambda: sent[-1] == {"cameras": []}, 10, "nothing is asked for")
    wait_until(lambda: not is_live(page.page, "gate"), 15, "the old picture is not shown as live")
    hide(page.page, False)
    wait_until(lambda: [c["camera"] for c in sent[-1]["cameras"]] == ["gate"], 10, "it is asked for again")
    wait_for_live(page.page, "gate")


def test_seven_tabs_at_once_are_all_live(page: Browser, street: Street):
    one_browser = page.page.context.browser
    assert one_browser is not None
    one_person = one_browser.new_context()
    tabs = [one_person.new_page() for _ in range(7)]
    for number, tab in enumerate(tabs):
        tab.goto(f"{street.up.url}/watch/{'gate' if number % 2 else 'yard'}")
    for number, tab in enumerate(tabs):
        wait_for_live(tab, "gate" if number % 2 else "yard")
    for number, tab in enumerate(tabs):
        wait_for_change(tab, "gate" if number % 2 else "yard")
    assert all(is_live(tab, "gate" if number % 2 else "yard") for number, tab in enumerate(tabs))


def test_a_camera_that_is_lost_says_why_over_its_last_picture_and_comes_back(page: Browser, street: Street):
    watch(page, street, "gate")
    street.gate.kill()
    try:
        wait_until(lambda: page.find("status-cause").count(), 60, "the reason is said")
        assert not is_live(page.page, "gate")
        assert page.find("status-cause").inner_text().strip()
        expect(page.find("status-gate")).to_have_attribute("data-status", "degraded")
        expect(picture(page.page, "gate").locator("canvas")).to_be_visible()
        expect(page.find("snapshot")).to_be_disabled()
    finally:
        street.gate.start()
    wait_for_live(page.page, "gate", 90)
    expect(page.find("why")).to_have_count(0)


def watch(page: Browser, street: Street, camera: str) -> None:
    page.page.goto(f"{street.up.url}/watch/{camera}")
    wait_for_live(page.page, camera)


def hide(page: Page, is_hidden: bool) -> None:
    """Let the page believe that its tab is hidden: headless browsers show all tabs."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { get: () => hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        is_hidden,
    )


def snapshot(page: Browser, path: Path) -> np.ndarray:
    with page.page.expect_download() as download:
        page.find("snapshot").click()
    assert download.value.suggested_filename.startswith("gate ")
    assert download.value.suggested_filename.endswith(".jpg")
    download.value.save_as(path)
    found = cv2.imread(str(path))
    assert found is not None
    return found


def magenta(image: np.ndarray) -> int:
    """Pixels of the line's colour."""
    blue, green, red = (image[..., i].astype(int) for i in range(3))
    return int(((blue > 180) & (red > 180) & (green < 90)).sum())


def same_place(page: Browser) -> bool:
    """Whether the overlay lies on the picture to the pixel."""
    boxes = [page.find("overlay").bounding_box(), picture(page.page, "gate").bounding_box()]
    assert all(boxes)
    one, other = (box for box in boxes if box)
    return all(abs(one[key] - other[key]) <= 1 for key in ("x", "y", "width", "height"))
