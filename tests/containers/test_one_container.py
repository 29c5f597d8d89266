"""Everything in one container: it comes up from nothing, counts, ends in order, and keeps what it counted."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.containers.engine import environment, run
from tests.containers.one_container import LOCKED_DOWN, OneContainer, one_container
from tests.containers.visitor import logged_in
from tests.processes import wait_until

SECRET = "s3cret-of-a-camera"
CAMERA = f"rtsp://user:{SECRET}@127.0.0.1:9/live"
COUNTED_TIMEOUT_S = 90.0
GRACE_S = 10.0
"""What Docker gives a container to end, unless it is told otherwise."""

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def container(whole: str) -> Iterator[OneContainer]:
    with one_container() as made:
        yield made


def crossings(api: httpx.Client) -> list[str]:
    """The ids of what the camera of the demo has counted."""
    answer = api.get("/api/v1/crossings", params={"camera": "street", "limit": 500}).raise_for_status()
    return [item["id"] for item in answer.json()["items"]]


def test_it_counts_ends_in_order_and_goes_on(container: OneContainer) -> None:
    volume = f"{container.name}:/data"
    container.start(
        *("--volume", volume),
        SIGHTLINE_CAMERA_STREET="demo://traffic",
        SIGHTLINE_CAMERA_GATE=CAMERA,
        TZ="Europe/Berlin",
    )
    container.wait_until_healthy()
    password = container.admin_password()
    assert password not in container.log()
    with logged_in(container) as api:
        cameras = {one["id"]: one for one in api.get("/api/v1/cameras").json()["items"]}
        assert set(cameras) == {"street", "gate"}, "and no demo, since cameras were asked for"
        api.post(
            "/api/v1/cameras", json={"id": "kept", "name": "Kept", "url": "demo://masks"}
        ).raise_for_status()
        wait_until(lambda: crossings(api), COUNTED_TIMEOUT_S, "something is counted")
    processes = container.execute("sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/status")
    assert SECRET not in processes and SECRET not in container.log()
    assert "(zombie)" not in processes
    assert "secantusd-py" in processes, "the database is a process of its own"
    container.execute("sightline", "backup", "/tmp/all.backup")

    from_s = time.monotonic()
    run(["podman", "stop", "--time", f"{GRACE_S:g}", container.name])
    assert time.monotonic() - from_s < GRACE_S + 5
    assert container.state("ExitCode") == "0", "it was not killed"
    run(["podman", "start", container.name])
    container.wait_until_healthy()
    assert container.admin_password() == password
    with logged_in(container) as api:
        assert api.get("/api/v1/cameras/kept").status_code == 200
        assert crossings(api)


def test_it_runs_as_whoever_is_asked_for(container: OneContainer) -> None:
    container.start("--user", "1234:1234", "--volume", f"{container.name}:/data")
    container.wait_until_healthy()
    assert container.execute("id", "-u").strip() == "1234"
    assert container.execute("stat", "--format", "%u", "/data/admin-password").strip() == "1234"


def test_a_folder_of_another_owner_is_told_in_one_line(whole: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    command = ["podman", "run", "--rm", *LOCKED_DOWN, "--volume", f"{tmp_path}:/data", whole]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)
    lines = [line for line in done.stderr.splitlines() if line.startswith("sightline:")]
    assert done.returncode == 2 and len(lines) == 1, done.stderr
    assert "data folder /data is not writable by user 10001, since it belongs to user 0" in lines[0]


def test_a_bad_variable_is_told_in_one_line(whole: str) -> None:
    variable = ("--env", f"SIGHTLINE_CAMERA_GATE=http://user:{SECRET}@192.0.2.1/")
    command = ["podman", "run", "--rm", "--network", "none", *LOCKED_DOWN, *variable, whole]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)
    lines = [line for line in done.stderr.splitlines() if line.startswith("sightline:")]
    assert done.returncode == 2 and len(lines) == 1, done.stderr
    assert "camera 'Gate': " in lines[0] and SECRET not in done.stderr + done.stdout
