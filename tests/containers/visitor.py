"""Somebody who uses the system in containers: a person who logs in, and makes a token for a program."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.containers.running_system import RunningSystem
from tests.web_login import SESSION

USER = "admin"


@contextmanager
def logged_in(system: RunningSystem) -> Iterator[httpx.Client]:
    """Log in as a browser does, and give a program that holds a token of that account."""
    base_url = f"http://127.0.0.1:{system.port(8080)}"
    with httpx.Client(base_url=base_url, headers={"Origin": base_url}, timeout=20) as browser:
        assert browser.get("/api/v1/cameras").status_code == 401, "nobody may look without a login"
        login = {"user": USER, "password": system.admin_password()}
        browser.post(SESSION, json=login).raise_for_status()
        body = {"name": "acceptance", "role": "admin"}
        token = browser.post("/api/v1/tokens", json=body).raise_for_status().json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=base_url, headers=headers, timeout=20) as program:
        yield program
