"""A Chromium page whose console is watched, and what can be read off its pixels."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import ConsoleMessage, Locator, Page, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"
"""What Chromium says of each request under way when a container starts or ends on the same machine."""


@dataclass
class Browser:
    """A page and everything its console said."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    network_changed: bool = False

    def hear(self, message: ConsoleMessage) -> None:
        """Keep what the console said, if it is worse than a note."""
        if NETWORK_CHANGED in message.text:
            self.network_changed = True
        elif message.type in ("error", "warning"):
            self.complain(f"{message.type}: {message.text}")

    def complain(self, complaint: str) -> None:
        """Keep a complaint, unless this machine's network changed under the page, which then loads anew."""
        if not (self.network_changed and "Unable to preload CSS" in complaint):
            self.complaints.append(complaint)

    def find(self, test_id: str) -> Locator:
        """The element with this data-testid."""
        return self.page.get_by_test_id(test_id)

    def number(self, test_id: str) -> int:
        """The number that an element shows; 0 while it is not there."""
        found = self.find(test_id)
        if not found.count():
            return 0
        digits = "".join(c for c in found.first.inner_text() if c.isdigit())
        return int(digits or 0)

    def picture(self) -> NDArray[np.uint8]:
        """A screenshot of exactly the live picture, scaled to 640x360, BGR."""
        box = self.find("overlay").bounding_box()
        assert box is not None
        data = self.page.screenshot(clip=box)  # type: ignore[arg-type]
        pixels = cv2.imdecode(np.frombuffer(io.BytesIO(data).read(), np.uint8), cv2.IMREAD_COLOR)
        return cv2.resize(pixels, (640, 360), interpolation=cv2.INTER_AREA).astype(np.uint8)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press the mouse at one place of the picture, pull, and let go at another; places are 0..1."""
        box = self.find("overlay").bounding_box()
        assert box is not None
        mouse = self.page.mouse
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
        mouse.move(*places[0])
        mouse.down()
        mouse.move(*places[1], steps=8)
        mouse.up()


@contextmanager
def browser(executable: str, url: str) -> Iterator[Browser]:
    """Open a page for the length of a test."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, headless=True, args=FLAGS)
        try:
            page = chromium.new_page(viewport={"width": 1280, "height": 800})
            opened = Browser(page)

            page.on("console", opened.hear)
            page.on("pageerror", lambda error: opened.complain(f"page error: {error}"))
            page.goto(url)
            yield opened
        finally:
            chromium.close()
