"""The page of a service that wants a login, as a person uses it."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.browser import Browser, browser
from tests.processes import Platform, platform, wait_until

pytestmark = pytest.mark.browser

EDITING = ("add-camera", "camera-edit", "draw-link", "first-steps")
VIEWER_PASSWORD = "anna likes to look"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    data = tmp_path_factory.mktemp("login") / "data"
    with platform(data, "--host", "0.0.0.0") as running:
        yield running


@pytest.fixture(scope="module")
def password(up: Platform) -> str:
    """The password of the first account, from the file that the log names."""
    found = wait_until(lambda: re.search(r"/\S*/admin-password", up.text()), 30, "the first account is there")
    assert isinstance(found, re.Match)
    return Path(found[0]).read_text().strip()


def _log_in(page: Browser, user: str, password: str) -> None:
    """By keyboard alone: the user's name has the focus."""
    expect(page.find("login-user")).to_be_focused(timeout=20_000)
    page.page.keyboard.press("Control+A")
    page.page.keyboard.type(user)
    page.page.keyboard.press("Tab")
    page.page.keyboard.type(password)
    page.page.keyboard.press("Enter")


def _unexpected(page: Browser) -> list[str]:
    """The browser itself tells of each answer that refuses."""
    return [text for text in page.complaints if not re.search(r"status of (401|409|422)", text)]


def test_log_in_wrong_then_right_and_sign_out(
    chromium: str, up: Platform, password: str, tmp_path: Path
) -> None:
    with browser(chromium, up.url) as page:
        expect(page.find("login")).to_be_visible(timeout=20_000)
        expect(page.page.get_by_role("navigation")).to_be_hidden()
        page.page.screenshot(path=tmp_path / "login.png")
        assert page.complaints == [], "nothing is refused before somebody tries"
        _log_in(page, "admin", "")
        expect(page.find("login-error")).to_have_text("Give your password.")
        page.page.keyboard.type("not the right one")
        page.page.keyboard.press("Enter")
        expect(page.find("login-error")).to_contain_text("User or password is wrong")
        expect(page.find("login-password")).to_be_focused()
        page.page.keyboard.type(password)
        page.page.keyboard.press("Enter")
        expect(page.find("login")).to_be_hidden()
        expect(page.find("account-name")).to_have_text("admin")
        expect(page.page.get_by_role("heading", name="Demo street")).to_be_visible(timeout=30_000)
        page.page.screenshot(path=tmp_path / "admin.png")
        page.page.reload()
        expect(page.find("account-name")).to_have_text("admin")
        page.find("menu").click()
        page.find("log-out").click()
        expect(page.find("login")).to_be_visible()
        assert _unexpected(page) == []


def test_the_page_says_who_is_wrong(chromium: str, up: Platform, password: str) -> None:
    """What is no answer of Sightline is told as none, and one that says no in its own words."""
    users, problem = "**/api/v1/users", "[role=alert]"
    with browser(chromium, f"{up.url}/account/users") as page:
        page.page.route(users, lambda route: route.fulfill(content_type="text/html", body="<p>hotel</p>"))
        _log_in(page, "admin", password)
        expect(page.page.locator(problem)).to_contain_text("does not answer", timeout=20_000)
        page.page.unroute(users)
        page.page.reload()
        expect(page.find("user-admin")).to_be_visible()
        expect(page.page.locator(problem)).to_have_count(0)


def test_an_admin_makes_users_and_tokens(chromium: str, up: Platform, password: str, tmp_path: Path) -> None:
    with browser(chromium, up.url) as page:
        _log_in(page, "admin", password)
        page.find("menu").click()
        page.find("open-account").click()
        page.find("tab-users").click()
        page.find("user-name").fill("anna")
        page.find("user-password").fill("short")
        page.find("user-add").click()
        expect(page.page.get_by_text("A password has at least 12 characters.")).to_be_visible()
        page.find("user-password").fill(VIEWER_PASSWORD)
        page.find("user-add").click()
        expect(page.find("user-anna")).to_be_visible()
        page.find("role-admin").select_option("viewer")
        expect(page.find("toast")).to_contain_text("is the last admin")
        expect(page.find("role-admin")).to_have_value("admin")
        page.page.screenshot(path=tmp_path / "users.png")
        page.find("tab-users").focus()
        page.page.keyboard.press("ArrowRight")
        expect(page.page).to_have_url(re.compile("/account/tokens$"))
        page.find("token-name").fill("Wall display")
        page.find("token-add").click()
        expect(page.find("token-secret")).to_have_value(re.compile("^sl_"))
        expect(page.find("token-Wall display")).to_contain_text("until ")
        token = page.find("token-secret").input_value()
        picture = f"{up.url}/api/v1/cameras/demo/snapshot.jpg"
        assert httpx.get(picture, params={"token": token}).status_code == 200
        page.page.screenshot(path=tmp_path / "tokens.png")
        page.find("tab-audit").click()
        expect(page.find("audit-list")).to_contain_text("user.add anna")
        page.page.screenshot(path=tmp_path / "audit.png")
        assert _unexpected(page) == []


def test_a_viewer_sees_no_editing_and_is_asked_again_when_the_session_ends(
    chromium: str, up: Platform, password: str, tmp_path: Path
) -> None:
    with httpx.Client(base_url=f"{up.url}/api/v1", headers={"Origin": up.url}) as admin:
        admin.post("/session", json={"user": "admin", "password": password}).raise_for_status()
        admin.post("/users", json={"name": "anna", "password": VIEWER_PASSWORD})
        with browser(chromium, up.url) as page:
            _log_in(page, "anna", VIEWER_PASSWORD)
            expect(page.find("account-name")).to_have_text("anna")
            expect(page.page.get_by_role("heading", name="Demo street")).to_be_visible(timeout=30_000)
            for control in EDITING:
                expect(page.find(control)).to_be_hidden()
            page.page.goto(f"{up.url}/draw/demo")
            expect(page.find("line-row-road")).to_be_visible(timeout=20_000)
            page.page.keyboard.press("l")
            page.find("line-row-road").get_by_role("button").click()
            for control in ("draw-line", "line-name", "line-save"):
                expect(page.find(control)).to_have_count(0)
            page.page.screenshot(path=tmp_path / "viewer.png")
            assert page.complaints == []
            admin.delete("/users/anna").raise_for_status()
            expect(page.find("login")).to_be_visible(timeout=10_000)
            expect(page.page.get_by_text("Your session has ended")).to_be_visible()
            expect(page.find("overlay")).to_be_hidden()
            assert _unexpected(page) == []


@pytest.mark.parametrize("keeps", [False, True])
def test_a_new_password_ends_the_tokens_unless_they_are_kept(
    chromium: str, up: Platform, password: str, keeps: bool, tmp_path: Path
) -> None:
    name, old, new = f"carl-{keeps}".lower(), "carl has this one", "carl has another"
    with httpx.Client(base_url=f"{up.url}/api/v1", headers={"Origin": up.url}) as client:
        client.post("/session", json={"user": "admin", "password": password}).raise_for_status()
        client.post("/users", json={"name": name, "password": old, "role": "admin"}).raise_for_status()
        client.post("/session", json={"user": name, "password": old}).raise_for_status()
        token = client.post("/tokens", json={"name": "robot"}).json()["token"]
    with browser(chromium, up.url) as page:
        _log_in(page, name, old)
        page.find("menu").click()
        page.find("open-account").click()
        expect(page.find("password-keep")).not_to_be_checked()
        page.find("password-old").fill(old)
        page.find("password-new").fill(new)
        if keeps:
            page.page.get_by_label("Keep my tokens").check()
        page.page.screenshot(path=tmp_path / "password.png")
        page.find("password-save").click()
        expect(page.find("toast")).to_have_text("The password is changed")
        assert _unexpected(page) == []
    robot = {"Authorization": f"Bearer {token}"}
    status = httpx.get(f"{up.url}/api/v1/cameras", headers=robot).status_code
    assert status == (200 if keeps else 401)
