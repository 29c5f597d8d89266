"""Makes the pictures of the page that the documents show, of the demo: `python -m tests.e2e.screenshots`."""

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import httpx
import numpy as np
from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.browser import FLAGS
from tests.processes import REPOSITORY, platform, wait_until

FOLDER = REPOSITORY / "docs" / "screenshots"
QUALITY = 72
COUNTED_S = 60.0
VIEWS = {
    "cameras": "",
    "watch": "watch/street",
    "lines": "draw/street",
    "counts": "counts?camera=street&stack=class&bucket=1m&from={from}&to={to}&tz=UTC",
    "crossings": "crossings?camera=street",
    "masks": "counts?camera=door&stack=class&bucket=1m&from={from}&to={to}&tz=UTC",
    "system": "system",
    "gaps": "system/gaps",
}
FORMS = (("en-GB", "light", 1280, 800), ("de-DE", "dark", 1280, 800), ("de-DE", "light", 390, 844))


def _span() -> dict[str, str]:
    """Give the last twenty minutes as the page's addresses name them."""
    now = datetime.now(UTC)
    ends = {"from": now - timedelta(minutes=18), "to": now + timedelta(minutes=2)}
    return {name: end.strftime("%Y-%m-%dT%H:%M") for name, end in ends.items()}


def _keep(page: Page, name: str) -> None:
    data = np.frombuffer(page.screenshot(), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    cv2.imwrite(str(FOLDER / f"{name}.webp"), picture, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])


def main() -> None:
    """Write a picture of each view in each form into `docs/screenshots`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    cameras = ("--camera", "Street=demo://traffic", "--camera", "Door=demo://masks")
    with tempfile.TemporaryDirectory() as folder, platform(Path(folder) / "data", *cameras) as up:
        wait_until(lambda: httpx.get(f"{up.url}/readyz", timeout=30).is_success, 60, "it is ready")
        api = f"{up.url}/api/v1/cameras"
        names = {"forward_name": "in", "backward_name": "out"}
        httpx.patch(f"{api}/street/lines/road", json=names).raise_for_status()
        time.sleep(COUNTED_S)
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            for locale, scheme, width, height in FORMS:
                page = chromium.new_page(
                    locale=locale,
                    color_scheme=scheme,  # type: ignore[arg-type]
                    viewport={"width": width, "height": height},
                    has_touch=width < 500,
                )
                page.goto(up.url)
                page.evaluate("localStorage.setItem('sightline.first-steps', 'done')")
                for name, address in VIEWS.items():
                    page.goto(f"{up.url}/{address.format_map(_span())}")
                    expect(page.locator("main h1, main h2").first).to_be_visible(timeout=30_000)
                    page.wait_for_timeout(3500)
                    _keep(page, f"{name}-{locale[:2]}-{scheme}-{width}")
                page.close()
            chromium.close()


if __name__ == "__main__":
    main()
