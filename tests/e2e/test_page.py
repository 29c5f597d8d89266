"""A person's way through the page, with a real camera, a real mouse and a look at the pixels."""

from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from playwright.sync_api import expect

from services.common.live.drawing import CLASS_COLORS
from services.demo.encode import write_video
from services.demo.render import Renderer
from services.demo.script import Scene
from services.demo.traffic import make_scene
from tests.e2e.browser import Browser, browser
from tests.processes import camera, free_port, platform, wait_until

SEED = 7
SCENE_S = 30.0
START, END = (0.5, 0.2), (0.5, 0.95)

pytestmark = [pytest.mark.browser, pytest.mark.rtsp, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(SEED, SCENE_S)


@pytest.fixture(scope="module")
def video(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scene") / "scene.mp4"
    write_video(scene, path)
    return path


def moving(picture: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """Where a picture differs from the empty street."""
    difference = cv2.absdiff(cv2.GaussianBlur(picture, (5, 5), 0), cv2.GaussianBlur(empty, (5, 5), 0))
    return difference.max(axis=2) > 45


def near_color(picture: np.ndarray, bgr: tuple[int, int, int], tolerance: int = 50) -> np.ndarray:
    return np.abs(picture.astype(int) - np.array(bgr)).max(axis=2) <= tolerance


def boxes_in(picture: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Rectangles that are drawn in a class's colour, as x, y, width, height."""
    found = []
    for name in ("car", "person", "bus", "truck"):
        mask = near_color(picture, CLASS_COLORS[name], 40).astype(np.uint8)
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        found += [tuple(int(v) for v in s[:4]) for s in stats[1:] if s[2] >= 20 and s[3] >= 25]
    return found


def boxes_lie_on_objects(picture: np.ndarray, empty: np.ndarray) -> bool:
    """Each box that is wholly in the picture holds something that moves."""
    mask = moving(picture, empty)
    inside = [b for b in boxes_in(picture) if b[0] > 8 and b[0] + b[2] < 632]
    shares = [mask[y + 4 : y + h - 4, x + 4 : x + w - 4].mean() for x, y, w, h in inside]
    return bool(shares) and all(share > 0.25 for share in shares)


def line_lies_where_drawn(picture: np.ndarray, color: str) -> bool:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    mask = near_color(picture, (blue, green, red), 70)
    rows = np.linspace(START[1] + 0.08, END[1] - 0.08, 40) * 360
    column = round(START[0] * 640)
    hits = [mask[int(row), column - 4 : column + 5].any() for row in rows]
    return float(np.mean(hits)) > 0.8


def draw_line(page: Browser, name: str) -> None:
    """On the page of lines, to which the live view leads and from which it is reached again."""
    page.find("draw-lines").click()
    expect(page.find("draw-line")).to_be_enabled(timeout=20_000)
    page.find("draw-line").click()
    page.drag(START, END)
    page.find("line-name").fill(name)
    page.find("line-save").click()
    expect(page.find("line-save")).to_have_count(0, timeout=15_000)
    page.find("to-watch").click()
    expect(page.find("draw-lines")).to_be_visible()


def total(page: Browser, line: str) -> int:
    return page.number(f"count-{line}-forward") + page.number(f"count-{line}-backward")


def test_draw_count_reload_lose_and_regain_the_camera(
    tmp_path: Path, rtsp_python: str, chromium: str, scene: Scene, video: Path
):
    empty = Renderer(scene).frame(0)
    with (
        camera(rtsp_python, video) as source,
        platform(tmp_path / "data", "--camera", f"Gate={source.url}") as up,
        browser(chromium, up.url) as page,
    ):
        wait_for_status(page, "live", 30)
        draw_line(page, "High street")
        lines = wait_until(lambda: api(up.url, "cameras/gate/lines"), 10, "the line is kept")
        (line,) = lines  # type: ignore[misc]
        assert line["points"] == [pytest.approx(START, abs=0.01), pytest.approx(END, abs=0.01)]
        wait_until(lambda: seen(page, empty), 40, "boxes lie on the objects")
        assert line_lies_where_drawn(page.picture(), line["color"])
        wait_until(lambda: total(page, line["id"]) >= 2, 60, "the count rises")

        page.page.reload()
        wait_until(lambda: total(page, line["id"]) >= 2, 20, "the count is still there")
        assert page.find(f"line-{line['id']}").count() == 1

        source.kill()
        wait_for_status(page, "degraded", 20)
        wait_until(lambda: page.find("status-cause").inner_text().strip(), 5, "the reason is shown")
        before = total(page, line["id"])
        source.start()
        wait_for_status(page, "live", 40)
        wait_until(lambda: total(page, line["id"]) > before, 60, "counting goes on")
        wait_until(lambda: has_cause(up.url), 30, "the gap is told with its cause")
        counted = total(page, line["id"])
        stored = api(up.url, f"crossings?camera=gate&line={line['id']}&limit=500&{since(up.url)}")
        assert abs(len(stored) - counted) <= 2
        page.page.screenshot(path=str(tmp_path / "page.png"))
        assert page.complaints == []


def test_an_address_that_is_changed_opens_its_camera_and_errors_stand_in_the_dialog(
    tmp_path: Path, chromium: str
):
    away = f"rtsp://127.0.0.1:{free_port()}/stream"
    cameras = ("--camera", f"Gate={away}", "--camera", f"Yard={away}")
    with platform(tmp_path / "data", *cameras) as up, browser(chromium, f"{up.url}/watch/gate") as page:
        title = page.page.locator("main h1")
        expect(title).to_have_text("Gate", timeout=20_000)
        page.page.goto(f"{up.url}/watch/yard")
        expect(title).to_have_text("Yard", timeout=20_000)
        page.page.go_back()
        expect(title).to_have_text("Gate")
        for unknown in ("/watch/none", "/watch/%25", "/none"):
            page.page.goto(up.url + unknown)
            expect(page.page.get_by_text("There is nothing at this address")).to_be_visible(timeout=20_000)
        page.complaints.clear()
        page.page.get_by_role("link", name="To the cameras").click()
        page.find("add-camera").click()
        page.find("camera-name").fill("Street")
        for url, said in (("ftp://192.0.2.1/", "ftp"), ("rtsp://", "address")):
            page.find("camera-url").fill(url)
            page.find("camera-save").click()
            expect(page.find("camera-dialog").get_by_role("alert")).to_contain_text(said)


def wait_for_status(page: Browser, status: str, timeout_s: float) -> None:
    page.find("status-gate").wait_for(timeout=20_000)
    shown = page.find("status-gate")
    wait_until(lambda: shown.get_attribute("data-status") == status, timeout_s, f"the page shows {status}")


def seen(page: Browser, empty: np.ndarray) -> bool:
    return boxes_lie_on_objects(page.picture(), empty)


def api(url: str, path: str) -> list[dict]:
    answer = httpx.get(f"{url}/api/v1/{path}")
    answer.raise_for_status()
    items: list[dict] = answer.json()["items"]
    return items


def has_cause(url: str) -> bool:
    """Whether a gap says that the camera was lost; the newest seconds are told only when they are sure."""
    found = api(url, "cameras/gate/gaps?" + since(url))
    return any(gap["code"].startswith(("camera-", "stream-")) for gap in found)


def since(url: str) -> str:
    """A time range from the start of the platform on."""
    started = httpx.get(f"{url}/api/v1/system").json()["started"]
    return f"from={started}"
