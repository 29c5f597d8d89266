"""`sightline up` while its database is away, at the start and in mid-run."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes import free_port, platform, wait_until

OUTAGE_S = 8.0

pytestmark = pytest.mark.timeout(240)


class Database:
    """A database server of its own that can be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/?directConnection=true"

    def start(self) -> None:
        program = Path(sys.executable).with_name("secantusd-py")
        command = [str(program), "--host", "127.0.0.1", "--port", str(self.port), "--sync-on-commit"]
        command += ["--storage-path", str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    server = Database(tmp_path / "server")
    yield server
    server.kill()


def answer(url: str) -> httpx.Response:
    return httpx.get(url, timeout=15)


def count_of(url: str) -> int:
    total = answer(f"{url}/api/v1/counts?camera=demo&line=road&bucket=1d").json()["total"]
    return sum(total["forward"].values()) + sum(total["backward"].values())


def test_away_at_the_start_and_in_mid_run(tmp_path: Path, database: Database):
    environment = {"SIGHTLINE_MONGODB_URI": database.uri}
    with platform(tmp_path / "data", environment=environment) as up:
        assert answer(f"{up.url}/healthz").status_code == 200
        away = answer(f"{up.url}/api/v1/cameras")
        assert away.status_code == 503
        assert away.headers["content-type"].startswith("application/problem+json")
        assert answer(f"{up.url}/readyz").status_code == 503

        database.start()
        wait_until(lambda: answer(f"{up.url}/readyz").status_code == 200, 40, "ready with its database")
        wait_until(lambda: status(up.url) == "live", 40, "the demo is live")
        wait_until(lambda: count_of(up.url) >= 2, 60, "something is counted")

        database.kill()
        killed_s = time.time()
        wait_until(lambda: answer(f"{up.url}/readyz").status_code == 503, 20, "not ready")
        time.sleep(OUTAGE_S)
        database.start()
        wait_until(lambda: answer(f"{up.url}/readyz").status_code == 200, 40, "ready again")
        wait_until(
            lambda: written_between(up.url, killed_s, killed_s + OUTAGE_S),
            40,
            "what was seen meanwhile is kept",
        )
        assert up.text().count("events are kept") <= 2, "an outage is told once, not each second"
        assert "Traceback" not in up.text()


def status(url: str) -> str | None:
    items = answer(f"{url}/api/v1/cameras").json().get("items", [])
    return items[0]["status"] if items else None


def written_between(url: str, from_s: float, to_s: float) -> bool:
    """Whether the seconds of an outage of the database count as analysed."""
    span = f"from={moment(from_s)}&to={moment(to_s)}"
    counts = answer(f"{url}/api/v1/counts?camera=demo&line=road&bucket=1m&{span}")
    return counts.status_code == 200 and counts.json()["coverage"] > 0.8


def moment(time_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time_s)) + ".000Z"


def test_it_ends_in_order_and_leaves_nothing_behind(tmp_path: Path):
    with platform(tmp_path / "data") as up:
        wait_until(lambda: status(up.url) == "live", 40, "the demo is live")
        children = subprocess.run(
            ["pgrep", "-P", str(up.process.pid)], capture_output=True, text=True
        ).stdout.split()
        assert children
    assert up.process.returncode == 0, up.text()
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
