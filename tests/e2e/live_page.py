"""What tests read off the live pictures of the page."""

from playwright.sync_api import Locator, Page

from tests.processes import wait_until

MARKS = """canvas => {
  const { width, height } = canvas;
  if (!width || !height) return 0;
  const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, width, height);
  let marks = 0;
  for (let i = 3; i < data.length; i += 4) if (data[i]) marks++;
  return marks;
}"""


def picture(page: Page, camera: str) -> Locator:
    """The live picture of a camera."""
    return page.get_by_test_id(f"picture-{camera}")


def is_live(page: Page, camera: str) -> bool:
    """Whether its picture is shown as one of now."""
    shown = picture(page, camera)
    return shown.count() == 1 and shown.get_attribute("data-live") == "true"


def time_of(page: Page, camera: str) -> str | None:
    """The capture time of the picture that is shown."""
    return picture(page, camera).get_attribute("data-time")


def wait_for_live(page: Page, camera: str, timeout_s: float = 60) -> None:
    """Wait for a picture of now."""
    wait_until(lambda: is_live(page, camera), timeout_s, f"the picture of {camera} is live")


def wait_for_change(page: Page, camera: str, timeout_s: float = 30) -> None:
    """Wait until another picture is shown, as one of now."""
    before = time_of(page, camera)
    wait_until(
        lambda: is_live(page, camera) and time_of(page, camera) != before,
        timeout_s,
        f"the picture of {camera} changes",
    )


def marks(page: Page) -> int:
    """Number of pixels that are drawn over the large picture."""
    return int(page.get_by_test_id("overlay").evaluate(MARKS))
