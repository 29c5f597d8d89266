"""docker-compose.yml on a Docker engine: it comes up from nothing, counts, and keeps what it has counted."""

from pathlib import Path

import pytest

from tests.containers.acceptance import accept
from tests.containers.compose_system import ComposeSystem
from tests.containers.visitor import logged_in

CAMERA = {"id": "kept", "name": "Kept", "url": "demo://traffic", "enabled": False}
COUNTED = {"camera": "street", "limit": 500}

pytestmark = pytest.mark.timeout(600)


def test_it_counts_right_while_containers_are_killed(compose_system: ComposeSystem, tmp_path: Path) -> None:
    try:
        accept(compose_system, tmp_path)
    except Exception:
        print(compose_system.compose("logs", "--tail", "20"))
        raise


def test_what_lasts_is_there_after_down_and_up(compose_system: ComposeSystem) -> None:
    password = compose_system.admin_password()
    with logged_in(compose_system) as api:
        api.post("/api/v1/cameras", json=CAMERA).raise_for_status()
        counted = api.get("/api/v1/crossings", params=COUNTED).json()
    assert counted["items"], "the test before this one has counted"
    compose_system.compose("down")
    compose_system.up()
    assert compose_system.admin_password() == password
    with logged_in(compose_system) as api:
        assert api.get("/api/v1/cameras/kept").status_code == 200
        assert api.get("/api/v1/crossings", params=COUNTED).json() == counted
