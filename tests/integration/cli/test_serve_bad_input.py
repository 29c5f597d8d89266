"""`sightline serve` with what cannot work: one clear line, no secret, no traceback; or tried again."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.nats_server import nats_server, new_users
from tests.processes import REPOSITORY, free_port, wait_until

NO_NATS = "nats://user:s3cret@127.0.0.1:1"
NO_MONGODB = "mongodb://user:s3cret@127.0.0.1:1"
MAIN_PORT = {"ingest": "--port", "detector": "--port", "web": "--port", "rtsp": "--health-port"}


def environment(**variables: str) -> dict[str, str]:
    plain = {key: value for key, value in os.environ.items() if not key.startswith("SIGHTLINE_")}
    return plain | variables


def command(role: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "services.cli", "serve", role, *map(str, arguments)]


def refused(role: str, *arguments: object, **variables: str) -> str:
    result = subprocess.run(
        command(role, *arguments),
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=60,
        env=environment(**variables),
    )
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    assert "s3cret" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("sightline: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


@contextmanager
def running(role: str, *arguments: object, log: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(role, *arguments),
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            env=environment(**variables),
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def status(url: str) -> int | None:
    try:
        return httpx.get(url, timeout=5).status_code
    except httpx.HTTPError:
        return None


def test_addresses_that_are_missing_or_none() -> None:
    assert "SIGHTLINE_NATS_URL" in refused("ingest")
    assert "SIGHTLINE_MONGODB_URI" in refused("store", SIGHTLINE_NATS_URL=NO_NATS)
    assert "no address of a NATS server" in refused(
        "ingest", "--port", 0, "--video-port", 0, "--health-port", 0, SIGHTLINE_NATS_URL="http://u:s3cret@x"
    )


@pytest.mark.parametrize("role", MAIN_PORT)
def test_a_port_that_is_taken(role: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        free = [] if MAIN_PORT[role] == "--health-port" or role == "web" else ["--health-port", 0]
        addresses = {"SIGHTLINE_NATS_URL": NO_NATS, "SIGHTLINE_MONGODB_URI": NO_MONGODB}
        line = refused(role, MAIN_PORT[role], port, *free, **addresses)
    assert f"port {port}" in line
    assert "in use" in line
    assert MAIN_PORT[role] in line


def test_an_unknown_key_and_a_bad_value(tmp_path: Path) -> None:
    config = tmp_path / "detector.yaml"
    config.write_text("mjpeg_port: 8090\nquality: 3\n", encoding="utf-8")
    assert "line 2: unknown key 'quality'" in refused("detector", "--config", config)
    assert "health-port" in refused("store", "--health-port", 70_000)


def test_neither_nats_nor_mongodb_answers(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "store.log"
    variables = {"SIGHTLINE_NATS_URL": NO_NATS, "SIGHTLINE_MONGODB_URI": NO_MONGODB}
    with running("store", "--health-port", port, log=log, **variables) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: status(f"{url}/healthz") == 200, 20, "it lives")
        wait_until(lambda: "cannot be reached" in log.read_text(), 20, "it tells what it waits for")
        answer = httpx.get(f"{url}/readyz")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert "NATS is away" in answer.json()["detail"]
        assert process.poll() is None
    assert process.returncode == 0
    text = log.read_text()
    assert "s3cret" not in text
    assert "Traceback" not in text
    assert text.count("cannot be reached") <= 2, "an outage is told once, not each second"


def test_nats_refuses_the_login(tmp_path: Path) -> None:
    with nats_server(tmp_path, "sightline", "right-password") as server:
        url = server.url.replace("right-password", "s3cret")
        line = refused("rtsp", "--port", 0, "--health-port", 0, SIGHTLINE_NATS_URL=url)
        assert "refuses the login" in line
        assert "SIGHTLINE_NATS_URL" in line


def test_nats_refuses_a_service_what_it_needs(tmp_path: Path) -> None:
    """It has the address of another service's user."""
    port, log = free_port(), tmp_path / "ingest.log"
    with nats_server(tmp_path, users=new_users()) as server:
        ports = ("--port", free_port(), "--video-port", free_port(), "--health-port", port)
        with running("ingest", *ports, log=log, SIGHTLINE_NATS_URL=server.url_of("store")):
            url = f"http://127.0.0.1:{port}"
            wait_until(
                lambda: "subscribe to sightline.members.ingest:" in log.read_text(), 30, "it is logged"
            )
            wait_until(
                lambda: "subscribe to _inbox.ingest." in httpx.get(f"{url}/readyz").text, 20, "it is said"
            )
            answer = httpx.get(f"{url}/readyz")
            assert answer.status_code == 503
            detail = answer.json()["detail"]
            assert detail.startswith("NATS refuses to let this service subscribe to ")
            assert status(f"{url}/healthz") == 200
    assert server.users["store"] not in log.read_text() + detail
    assert log.read_text().count("subscribe to sightline.members.ingest:") == 1


def test_mongodb_refuses_the_login_or_is_none(tmp_path: Path) -> None:
    line = refused(
        "store", "--health-port", 0, SIGHTLINE_NATS_URL=NO_NATS, SIGHTLINE_MONGODB_URI="mongodb://u:s3cret@"
    )
    assert "database's address" in line
