"""A stranger's first minute: from the demo to the first count of a camera of their own."""

import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from services.demo.encode import write_video
from services.demo.traffic import make_scene
from tests.e2e.browser import browser
from tests.machine import others
from tests.processes import camera, platform, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.rtsp, pytest.mark.timeout(300)]

FIRST_MINUTE_S = 60.0
PASSWORD = "p@ss:word/1"
START, END = (0.5, 0.2), (0.5, 0.95)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("first") / "scene.mp4"
    write_video(make_scene(7, 30.0), path)
    return path


def test_from_nothing_to_the_first_count_of_ones_own(
    tmp_path: Path, rtsp_python: str, chromium: str, video: Path
) -> None:
    with (
        others() as busy,
        camera(rtsp_python, video) as source,
        platform(tmp_path / "data") as up,
        browser(chromium, up.url) as page,
    ):
        expect(page.page.get_by_role("heading", name="Demo street")).to_be_visible(timeout=30_000)
        wait_until(lambda: page.number("count-road-forward") > 0, 60, "the demo counts by itself")
        begun_s = time.monotonic()
        page.find("first-camera").click()
        page.find("camera-url").fill(source.url)
        page.find("camera-test").click()
        trial = page.find("camera-trial")
        expect(trial).to_contain_text("It works.", timeout=30_000)
        expect(trial.get_by_role("img")).to_be_visible()
        page.find("camera-name").fill("My gate")
        page.page.screenshot(path=tmp_path / "dialog.png")
        page.find("camera-save").click()
        expect(page.page.get_by_role("heading", name="My gate")).to_be_visible()
        page.find("first-line").click()
        page.find("draw-line").click()
        expect(page.find("overlay")).to_be_visible(timeout=30_000)
        page.drag(START, END)
        page.find("line-save").click()
        expect(page.find("line-save")).to_have_count(0, timeout=15_000)
        page.find("to-watch").click()
        expect(page.find("first-steps")).to_contain_text("The first count")
        (line,) = httpx.get(f"{up.url}/api/v1/cameras/my-gate/lines").json()["items"]

        def counted() -> int:
            return sum(page.number(f"count-{line['id']}-{way}") for way in ("forward", "backward"))

        wait_until(lambda: counted() > 0, 60, "something is counted")
        taken_s = time.monotonic() - begun_s
        expect(page.find("first-steps")).to_have_count(0, timeout=15_000)
        page.page.reload()
        wait_until(lambda: counted() > 0, 30, "the count stays")
        expect(page.find("first-steps")).to_have_count(0)
        assert page.complaints == []
    busy.require(taken_s < FIRST_MINUTE_S, f"the first count took {taken_s:.0f} s")


def test_a_camera_that_does_not_work_says_exactly_why_before_it_is_saved(
    tmp_path: Path, chromium: str
) -> None:
    with platform(tmp_path / "data") as up, browser(chromium, up.url) as page:
        page.find("first-camera").click()
        page.find("camera-test").click()
        expect(page.page.get_by_text("Give the camera's address.")).to_be_visible()
        page.find("camera-make").select_option(label="Reolink")
        page.find("camera-host").fill("127.0.0.1")
        page.find("camera-user").fill("admin")
        page.find("camera-password").fill(PASSWORD)
        page.find("camera-make-use").click()
        address = page.find("camera-url").input_value()
        assert address == "rtsp://admin:p%40ss%3Aword%2F1@127.0.0.1:554/Preview_01_sub"
        trial = page.find("camera-trial")
        for url, said in (
            ("rtsp://127.0.0.1:9/stream", "Nothing listens at this address"),
            ("rtsp://nosuch.invalid/stream", "name"),
        ):
            page.find("camera-url").fill(url)
            page.find("camera-test").click()
            expect(trial).to_contain_text("No picture came.", timeout=30_000)
            expect(trial).to_contain_text(said)
        page.find("camera-kind-file").check()
        page.find("camera-url").fill("/nowhere/at/all.mp4")
        page.find("camera-test").click()
        expect(page.find("camera-dialog").get_by_role("alert")).to_contain_text(
            "file_camera_folders", timeout=30_000
        )
        page.find("camera-kind-demo").check()
        page.find("camera-demo").select_option("demo://masks")
        page.find("camera-name").fill("Door")
        page.find("camera-save").click()
        expect(page.page.get_by_role("heading", name="Door")).to_be_visible()
        names = [item["name"] for item in httpx.get(f"{up.url}/api/v1/cameras").json()["items"]]
        assert names == ["Demo street", "Door"]
        page.find("edit-camera").click()
        page.find("camera-delete").click()
        expect(page.find("camera-dialog")).to_contain_text("What it has counted stays")
        page.find("confirm").click()
        expect(page.find("toast").filter(has_text="Door is deleted")).to_be_visible()
        assert len(httpx.get(f"{up.url}/api/v1/cameras").json()["items"]) == 1
