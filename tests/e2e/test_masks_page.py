"""A camera of mask wearing on the page: states in words and colours, counts by state, and how many comply."""

import re
from collections.abc import Iterator
from typing import Any

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


def share(items: list[dict[str, Any]]) -> tuple[int, int]:
    """The share in percent that follows from crossings one by one, and of how many."""
    compliance = MaskCompliance.of(*({item["mask"]: 1} for item in items))
    assert compliance.rate is not None
    return int(compliance.rate * 100 + 1e-9), compliance.counted


def crossings(address: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = httpx.get(f"{address}/api/v1/crossings?camera=door&limit=2000").json()[
        "items"
    ]
    return items


def test_masks_are_counted_by_state_with_the_share_that_complies(chromium: str, address: str) -> None:
    def complies_live() -> bool:
        rate, counted = share(crossings(address))
        return page.find("compliance-entrance").inner_text() == f"{rate}% of {counted}"

    with browser(chromium, f"{address}/watch/door") as page:
        wait_until(lambda: page.find("overlay").count(), 30, "the live picture is there")
        wait_until(lambda: drawn(page), 60, "a box is drawn in the colour of its state")
        wait_until(lambda: all(shown(page, name) for name in MASK_CLASSES), 90, "each state is counted")
        words = page.find("line-entrance").inner_text()
        assert "no mask" in words
        assert "mask worn wrongly" in words
        assert "mask_incorrect" not in page.page.locator("body").inner_text()
        wait_until(complies_live, 60, "the share of those who comply is shown")
        assert page.complaints == []


def test_the_counts_view_tells_the_share_over_time_until_a_line_leaves_a_state_out(
    chromium: str, address: str
) -> None:
    def complies() -> bool:
        rate, counted = share(crossings(address))
        return f"{rate}% of {counted} people" in page.find("compliance").inner_text()

    with browser(chromium, f"{address}/counts?camera=door&stack=class&span=day") as page:
        expect(page.find("compliance")).to_be_visible(timeout=60_000)
        wait_until(lambda: len({one["mask"] for one in crossings(address)}) == 3, 90, "each state is counted")
        wait_until(complies, 60, "the share of those who comply is shown")
        expect(page.find("compliance").locator("canvas")).to_be_visible()
        page.find("choose-class").click()
        for state in MASK_CLASSES:
            expect(page.find(f"choose-class-{state}")).to_have_count(1)
        page.find("choose-class-mask").check()
        expect(page.find("compliance")).to_contain_text("cannot be told", timeout=20_000)
        page.find("choose-class-mask").uncheck()

        page.page.goto(f"{address}/draw/door")
        page.find("line-row-entrance").locator("button").first.click()
        offered = page.page.locator("label.chip").all_inner_texts()
        assert [text.strip() for text in offered] == ["mask", "no mask", "mask worn wrongly"]
        page.page.get_by_label("mask worn wrongly").check()
        page.find("line-save").click()
        expect(page.find("line-save")).to_have_count(0, timeout=20_000)
        (line,) = httpx.get(f"{address}/api/v1/cameras/door/lines").json()["items"]
        assert line["classes"] == ["mask_incorrect"]
        page.page.goto(f"{address}/counts?camera=door&span=day")
        expect(page.find("compliance")).to_contain_text(re.compile("cannot be told"), timeout=30_000)
        page.page.goto(f"{address}/watch/door")
        expect(page.find("line-entrance")).to_be_visible(timeout=30_000)
        expect(page.find("compliance-entrance")).to_have_count(0)
        assert page.complaints == []


def test_tiles_and_a_second_opinion_are_chosen_on_a_phone_with_their_cost_and_kept(
    chromium: str, address: str
) -> None:
    with browser(chromium, f"{address}/watch/door") as page:
        page.page.set_viewport_size({"width": 360, "height": 740})
        page.find("edit-camera").click()
        expect(page.find("tiles-cost")).to_have_count(0)
        page.find("camera-tiles").select_option("2x2")
        expect(page.find("tiles-cost")).to_contain_text("computed 5 times")
        page.find("camera-verify").check()
        assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.find("camera-save").click()
        expect(page.find("camera-save")).to_have_count(0, timeout=20_000)
        camera = httpx.get(f"{address}/api/v1/cameras/door").json()
        assert (camera["tiles"], camera["verify"]) == ("2x2", True)

        page.page.reload()
        page.find("edit-camera").click()
        expect(page.find("camera-tiles")).to_have_value("2x2")
        expect(page.find("camera-verify")).to_be_checked()
        page.find("camera-tiles").select_option("1x1")
        page.find("camera-verify").uncheck()
        page.find("camera-save").click()
        expect(page.find("camera-save")).to_have_count(0, timeout=20_000)
        camera = httpx.get(f"{address}/api/v1/cameras/door").json()
        assert (camera["tiles"], camera["verify"]) == ("1x1", False)
        assert page.complaints == []
