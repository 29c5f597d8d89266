"""The health check of the images: ready is exit 0, all else is exit 1 with the reason."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.processes import REPOSITORY, free_port


class Answers(BaseHTTPRequestHandler):
    """Ready at one path only."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 503)
        self.end_headers()
        self.wfile.write(b"NATS is away" if self.path != "/readyz" else b"ready")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def check(port: int, path: str) -> tuple[int, str]:
    script = REPOSITORY / "docker/healthcheck.py"
    command = [sys.executable, "-IS", script, f"http://127.0.0.1:{port}{path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


def test_ready(port: int) -> None:
    assert check(port, "/readyz") == (0, "ready")


def test_not_ready_tells_why(port: int) -> None:
    assert check(port, "/other") == (1, "503 NATS is away")


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "localhost"])
def test_without_an_address_it_asks_the_page_of_this_container(port: int, host: str) -> None:
    """The page is at 127.0.0.1 alone, as in a container where IPv6 is off."""
    script = REPOSITORY / "docker/healthcheck.py"
    variables = {"SIGHTLINE_HOST": host, "SIGHTLINE_PORT": str(port), "SIGHTLINE_TLS_CERT": "null"}
    done = subprocess.run(
        [sys.executable, "-IS", script], env=variables, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout.strip()) == (0, "ready")
    variables = {"SIGHTLINE_PORT": str(free_port()), "SIGHTLINE_TLS_CERT": "/run/secrets/page.pem"}
    done = subprocess.run(
        [sys.executable, "-IS", script], env=variables, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1 and "refused" in done.stdout


def test_nobody_answers() -> None:
    code, said = check(free_port(), "/readyz")
    assert code == 1
    assert "refused" in said
