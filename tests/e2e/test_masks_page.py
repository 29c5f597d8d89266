"""A camera of mask wearing on the page: states in words and colours, counts by state, and how many comply."""

import re
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from playwright.sync_api import expect

from services.common.live.drawing import CLASS_COLORS
from services.core.model_classes import MaskCompliance
from services.core.types import MASK_CLASSES
from services.demo.entrance.scene import make_entrance
from tests.conftest_database import database_uri
from tests.e2e.browser import Browser, browser
from tests.entrance_camera import entrance_page
from tests.processes import wait_until

__all__ = ["database_uri"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SEED, FIRST, PICTURES = 5, 340, 180
"""Within these pictures people of all three states come in."""


@pytest.fixture(scope="module")
def address(database_uri: str) -> Iterator[str]:
    with entrance_page(database_uri, make_entrance(SEED), FIRST, PICTURES) as served:
        yield served


def drawn(page: Browser) -> set[str]:
    """The states whose colours are in the live picture."""
    picture = page.picture().astype(int)
    near = {name: np.abs(picture - CLASS_COLORS[name]).max(axis=2) < 40 for name in MASK_CLASSES}
    return {name for name, pixels in near.items() if pixels.sum() > 60}


def shown(page: Browser, state: str) -> int:
    return page.number(f"count-entrance-forward-{state}")


def complies(page: Browser, address: str) -> bool:
    """Whether the page tells the share that follows from the crossings one by one."""
    items = httpx.get(f"{address}/api/v1/crossings?camera=door&limit=500").json()["items"]
    rate = MaskCompliance.of(*({item["mask"]: 1} for item in items))
    assert rate.rate is not None
    told = page.find("compliance-entrance").inner_text()
    return told == f"{int(rate.rate * 100 + 1e-9)} % of {rate.counted}"


def test_masks_are_counted_by_state_with_the_share_that_complies(
    chromium: str, address: str, tmp_path
) -> None:
    with browser(chromium, address) as page:
        page.find("status-door").wait_for(timeout=20_000)
        wait_until(lambda: drawn(page), 40, "a box is drawn in the colour of its state")
        wait_until(lambda: all(shown(page, name) for name in MASK_CLASSES), 60, "each state is counted")
        words = page.find("line-row-entrance").inner_text()
        assert "no mask" in words
        assert "worn wrongly" in words
        assert "mask_incorrect" not in page.page.locator("body").inner_text()
        wait_until(lambda: complies(page, address), 30, "the share of those who comply is shown")
        row = page.find("compliance-entrance").locator("..")
        assert re.search(r"\d+ % of \d+ \d+ % analysed$", row.inner_text())
        page.page.screenshot(path=str(tmp_path / "masks.png"))

        page.find("line-row-entrance").locator("button.title").click()
        offered = page.page.locator("fieldset.classes label").all_inner_texts()
        assert [text.strip() for text in offered] == ["mask", "no mask", "worn wrongly"]
        page.page.get_by_label("worn wrongly").check()
        page.find("line-save").click()
        expect(page.find("compliance-entrance")).to_have_text(
            re.compile("does not count all"), timeout=20_000
        )
        (line,) = httpx.get(f"{address}/api/v1/cameras/door/lines").json()["items"]
        assert line["classes"] == ["mask_incorrect"]
        assert page.complaints == []
