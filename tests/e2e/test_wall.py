"""A wall of many cameras in a browser that is fed with recorded pictures: no server takes part."""

import json
import mimetypes
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import pytest
from playwright.sync_api import Route, WebSocketRoute, expect

from services.demo.render import Renderer
from services.demo.traffic import make_scene
from services.web.page import PAGE_FOLDER
from tests.e2e.axe import serious
from tests.e2e.browser import Browser, browser
from tests.e2e.live_page import is_live, wait_for_live
from tests.processes import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]

ADDRESS = "http://127.0.0.1:9/"
"""Nothing listens there: the browser's requests are answered by the test."""
SEED, SCENE_S, RECORDED = 7, 20.0, 8
TILES, FPS = 16, 2
LEAST_FPS = 30
MEASURE_S = 4.0
COUNT_FRAMES = """() => {
  window.frames_drawn = 0;
  const count = () => { window.frames_drawn++; requestAnimationFrame(count); };
  requestAnimationFrame(count);
}"""


def _camera(number: int) -> dict[str, object]:
    return {
        "id": f"c{number}",
        "name": f"Camera {number}",
        "url": "demo://traffic",
        "model": "traffic",
        "enabled": True,
        "fps": 10,
        "status": "live",
        "since": "2026-11-21T20:43:29.169Z",
        "measured_fps": 9.5,
        "resolution": {"width": 640, "height": 360},
        "last_error": None,
    }


@dataclass
class Feed:
    """What stands in for the server: its answers, and the socket of the page."""

    cameras: list[dict[str, object]]
    recorded: list[bytes]
    socket: WebSocketRoute | None = None
    wanted: list[dict[str, object]] = field(default_factory=list)
    sent: int = 0

    def answer(self, route: Route) -> None:
        """Answer a request of the page."""
        path = route.request.url.removeprefix(ADDRESS).partition("?")[0]
        if path == "api/v1/session":
            route.fulfill(json={"login_wanted": False, "user": None, "role": "admin"})
        elif path == "api/v1/counts/today":
            route.fulfill(json={"from": "2026-11-21T00:00:00Z", "to": "2026-11-22T00:00:00Z", "items": []})
        elif path == "api/v1/system":
            route.fulfill(json={"database": {"not_stored": None}, "retention": None, "clock": None})
        elif path.startswith("api/"):
            route.fulfill(json={"items": []})
        else:
            name = path or "index.html"
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            route.fulfill(body=(PAGE_FOLDER / name).read_bytes(), content_type=kind)

    def open(self, socket: WebSocketRoute) -> None:
        """Take the page's socket in."""
        self.socket = socket
        socket.on_message(self._subscribe)
        socket.send(json.dumps({"type": "cameras", "items": self.cameras}))

    def _subscribe(self, message: str | bytes) -> None:
        self.wanted = json.loads(message)["cameras"]

    @property
    def asked(self) -> list[str]:
        """The cameras whose pictures the page wants."""
        return [str(want["camera"]) for want in self.wanted if want["pictures"]]

    def send_one(self) -> None:
        """Send the next picture to the next camera that is asked for."""
        assert self.socket is not None
        camera = self.asked[self.sent % len(self.asked)]
        jpeg = self.recorded[self.sent // len(self.asked) % len(self.recorded)]
        header = json.dumps(
            {
                "camera": camera,
                "time": f"2026-11-21T20:43:29.{self.sent % 1000:03}Z",
                "width": 320,
                "height": 180,
            }
        ).encode()
        self.socket.send(struct.pack(">I", len(header)) + header + jpeg)
        self.sent += 1

    def play(self, page: Browser, seconds: float) -> float:
        """Send pictures as often as the page wants them; gives how long that took, in seconds."""
        begun_s, sent = time.monotonic(), 0
        while (passed_s := time.monotonic() - begun_s) < seconds:
            while sent < passed_s * len(self.asked) * FPS:
                self.send_one()
                sent += 1
            page.page.wait_for_timeout(10)
        return passed_s


@pytest.fixture(scope="module")
def recorded() -> list[bytes]:
    """Pictures of the demo, as wide as tiles want them."""
    renderer = Renderer(make_scene(SEED, SCENE_S))
    small = [cv2.resize(renderer.frame(number * 5), (320, 180)) for number in range(RECORDED)]
    return [cv2.imencode(".jpg", picture)[1].tobytes() for picture in small]


@pytest.fixture
def page(chromium: str) -> Iterator[Browser]:
    with browser(chromium, "about:blank") as opened:
        yield opened
        assert opened.complaints == []


def feed_of(page: Browser, recorded: list[bytes], cameras: int, path: str = "") -> Feed:
    feed = Feed([_camera(number) for number in range(1, cameras + 1)], recorded)
    page.page.route(f"{ADDRESS}**", feed.answer)
    page.page.route_web_socket(f"{ADDRESS}api/v1/live".replace("http", "ws"), feed.open)
    page.page.goto(ADDRESS + path)
    wait_until(lambda: _turn(page) and feed.asked, 20, "pictures are asked for")
    return feed


def _turn(page: Browser) -> bool:
    """Let the browser's words come in."""
    page.page.wait_for_timeout(20)
    return True


def test_sixteen_live_tiles_leave_the_page_quick(page: Browser, recorded: list[bytes]):
    page.page.set_viewport_size({"width": 1600, "height": 1200})
    feed = feed_of(page, recorded, TILES)
    wait_until(lambda: _turn(page) and len(feed.asked) == TILES, 20, "all tiles are asked for")
    feed.play(page, 1.0)
    for number in range(1, TILES + 1):
        wait_for_live(page.page, f"c{number}", 10)
    page.page.evaluate(COUNT_FRAMES)
    seconds = feed.play(page, MEASURE_S)
    frames = page.page.evaluate("window.frames_drawn")
    assert frames / seconds > LEAST_FPS
    assert all(is_live(page.page, f"c{number}") for number in range(1, TILES + 1))


def test_tiles_want_small_pictures_and_only_while_they_can_be_seen(page: Browser, recorded: list[bytes]):
    page.page.set_viewport_size({"width": 390, "height": 700})
    feed = feed_of(page, recorded, TILES)
    assert all(want["width"] == 320 and want["fps"] == FPS and not want["tracks"] for want in feed.wanted)
    assert "c1" in feed.asked
    assert len(feed.asked) < TILES / 2
    page.page.get_by_test_id(f"tile-c{TILES}").scroll_into_view_if_needed()
    wait_until(lambda: _turn(page) and f"c{TILES}" in feed.asked, 10, "what came into sight is asked for")
    assert "c1" not in feed.asked
    width = page.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, "nothing reaches out of a phone's screen"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_wall_and_live_view(page: Browser, recorded: list[bytes], scheme: str):
    page.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    feed = feed_of(page, recorded, 2)
    feed.cameras[1] |= {"status": "degraded", "last_error": "the camera refuses the password"}
    assert feed.socket is not None
    feed.socket.send(json.dumps({"type": "cameras", "items": feed.cameras}))
    feed.play(page, 0.6)
    expect(page.find("tile-c2").get_by_test_id("status-cause")).to_be_visible(timeout=10_000)
    assert serious(page.page) == []
    page.find("tile-c2").click()
    expect(page.find("status-cause")).to_be_visible()
    assert serious(page.page) == []


def test_more_cameras_than_a_page_holds_are_turned_to(page: Browser, recorded: list[bytes]):
    feed = feed_of(page, recorded, TILES + 2)
    tiles = page.find("wall").locator("a")
    expect(tiles).to_have_count(TILES)
    page.find("page-next").click()
    expect(tiles).to_have_count(2)
    assert page.page.url == f"{ADDRESS}?page=2"
    wait_until(lambda: _turn(page) and sorted(feed.asked) == ["c17", "c18"], 10, "only these are asked for")
    page.page.reload()
    expect(tiles).to_have_count(2)
    page.page.go_back()
    expect(tiles).to_have_count(TILES)


def test_one_camera_needs_no_wall_and_is_no_trap(page: Browser, recorded: list[bytes]):
    feed_of(page, recorded, 1)
    expect(page.page.locator("main h1")).to_have_text("Camera 1")
    assert page.page.url == f"{ADDRESS}watch/c1"
    page.page.go_back()
    assert page.page.url == "about:blank"


def test_a_picture_that_stops_is_not_shown_as_live(page: Browser, recorded: list[bytes]):
    feed = feed_of(page, recorded, 2)
    feed.play(page, 0.6)
    wait_for_live(page.page, "c1", 10)
    wait_until(lambda: _turn(page) and not is_live(page.page, "c1"), 15, "an old picture is old")
    expect(page.find("tile-c1").get_by_test_id("why")).to_have_attribute("data-why", "stopped")
    feed.play(page, 0.6)
    wait_for_live(page.page, "c1", 10)
    assert feed.socket is not None
    missing = {
        "type": "missing",
        "camera": "c1",
        "code": "no-memory",
        "params": {},
        "text": "no memory for it",
    }
    feed.socket.send(json.dumps(missing))
    expect(page.find("tile-c1").get_by_test_id("status-cause")).to_have_text("no memory for it")
    assert not is_live(page.page, "c1")
    assert is_live(page.page, "c2")
