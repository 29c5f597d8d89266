"""`sightline up` on a disk that fills, is full, and has room again."""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.processes import Platform, platform, wait_until
from tests.small_disk import MEGABYTE, SmallDisk, small_disk

pytestmark = pytest.mark.timeout(300)

HURRIED = "tests.fixtures.hurried_up"

NEVER = {f"SIGHTLINE_{name}_FREE_MB": "0" for name in ("TRAJECTORIES", "STATUSES", "COUNTS")}
"""The store takes everything, so that the database itself meets the end of the disk."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 250) as mounted:
        yield mounted


def _get(up: Platform, path: str) -> httpx.Response:
    return httpx.get(f"{up.url}{path}", timeout=20)


def _is_ready(up: Platform) -> bool:
    return _get(up, "/readyz").status_code == 200


def _figure(up: Platform, name: str) -> float:
    lines = [line for line in _get(up, "/metrics").text.splitlines() if line.startswith(name)]
    assert len(lines) == 1, (name, lines)
    return float(lines[0].split()[-1])


def _count(up: Platform) -> int:
    answer = _get(up, "/api/v1/counts?camera=demo&line=road&bucket=1d")
    total = answer.json()["total"] if answer.status_code == 200 else {"forward": {}, "backward": {}}
    return sum(total["forward"].values()) + sum(total["backward"].values())


def test_a_full_disk_is_told_everywhere_and_counting_goes_on_by_itself_when_there_is_room(
    disk: SmallDisk,
) -> None:
    with platform(disk.folder / "data", environment=NEVER, program=HURRIED) as up:
        wait_until(lambda: _is_ready(up), 40, "ready")
        wait_until(lambda: _count(up) >= 1, 60, "something is counted")
        assert _figure(up, "sightline_database_free_bytes") > 64 * MEGABYTE

        disk.fill(leave_bytes=0)
        wait_until(lambda: not _is_ready(up), 60, "not ready on a full disk")
        wait_until(
            lambda: "is full" in _get(up, "/readyz").json().get("detail", ""), 30, "readiness says why"
        )
        assert _get(up, "/healthz").status_code == 200
        assert _figure(up, "sightline_database_up") == 0
        assert _figure(up, "sightline_database_free_bytes") < 64 * MEGABYTE
        for path in ("/api/v1/cameras", "/api/v1/counts?camera=demo&line=road&bucket=1d"):
            problem = _get(up, path)
            assert problem.status_code == 503
            assert "is full" in problem.json()["detail"] and "make room" in problem.json()["detail"]
        database = _get(up, "/api/v1/system").json()["database"]
        assert "is full" in database["status"] and database["free_bytes"] < 64 * MEGABYTE
        assert "the disk of" in up.text() and "is full" in up.text()
        assert up.text().count("is full") < 12, "it is told, and not again and again"

        disk.free()
        wait_until(lambda: _is_ready(up), 60, "ready again by itself")
        before = _count(up)
        wait_until(lambda: _count(up) > before, 60, "counting goes on")
        assert _figure(up, "sightline_database_up") == 1
        assert _figure(up, "sightline_database_restarts_total") >= 1
        wait_until(lambda: _get(up, "/api/v1/system").json()["database"]["status"] == "up", 10, "up")


def test_before_it_is_full_what_can_wait_is_given_up_and_counts_are_kept_longest(disk: SmallDisk) -> None:
    limits = {"TRAJECTORIES": "150", "STATUSES": "120", "COUNTS": "90"}
    environment = {f"SIGHTLINE_{name}_FREE_MB": value for name, value in limits.items()}
    with platform(disk.folder / "data", environment=environment, program=HURRIED) as up:

        def told() -> str:
            return str(_get(up, "/api/v1/system").json()["database"]["not_stored"])

        wait_until(lambda: _is_ready(up) and _count(up) >= 1, 60, "something is counted")
        assert told() == "None"
        disk.fill(leave_bytes=140 * MEGABYTE)
        wait_until(lambda: told().startswith("the paths of tracks are not stored"), 30, "the first step")
        before = _count(up)
        wait_until(lambda: _count(up) > before, 60, "counts are kept")
        not_stored = 'sightline_events_not_stored_total{kind="trajectories"}'
        wait_until(lambda: _figure(up, not_stored) >= 1, 60, "a track has ended, and its path is counted")
        disk.fill(leave_bytes=80 * MEGABYTE)
        wait_until(lambda: "counts wait until there is room" in told(), 30, "the last step")
        stood = wait_until(lambda: _count(up), 10, "counts can still be read")
        assert _is_ready(up), "the database works: it was not run into the end of its disk"
        disk.free()
        wait_until(lambda: told() == "None", 60, "everything is stored again")
        wait_until(lambda: _count(up) > int(str(stood)), 60, "what waited is written")
        entries = _get(up, "/api/v1/audit").json()["items"]
        assert [entry["action"] for entry in entries if entry["user"] == "store"][-1] == "storage.cut"
        assert "storage.return" in [entry["action"] for entry in entries]
        assert up.text().count("the disk is nearly full") <= 3


def test_files_that_are_damaged_in_mid_run_are_named_with_the_way_out(tmp_path: Path) -> None:
    with platform(tmp_path / "data", program=HURRIED) as up:
        wait_until(lambda: _is_ready(up), 40, "ready")
        server = next(
            child
            for child in psutil.Process(up.process.pid).children(recursive=True)
            if any("--storage-path" in part for part in child.cmdline())
        )
        files = tmp_path / "data" / "database" / "secantus"
        server.send_signal(signal.SIGSTOP)
        for file in files.glob("WiredTiger*"):
            if file.is_file():
                file.write_bytes(b"\0" * file.stat().st_size)
        server.kill()
        wait_until(lambda: "seem damaged" in up.text(), 90, "the log names the folder")
        assert str(tmp_path / "data" / "database") in up.text()
        wait_until(lambda: "seem damaged" in _get(up, "/readyz").json().get("detail", ""), 90, "it gives up")
        assert "sightline restore FILE" in _get(up, "/readyz").json()["detail"]
        assert _get(up, "/healthz").status_code == 200
    assert up.process.returncode == 0, "it ends in order all the same"
