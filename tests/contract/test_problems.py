"""Every error is a problem in the form of RFC 9457, and nothing leaks."""

import pytest

from services.core.sentences.sentence import CATALOGUE, OTHER
from tests.database_server import free_port
from tests.makers import camera
from tests.tables import Tables
from tests.web_app import Web, web_over

ASKED = [
    ("GET", "/api/v1/cameras/none", 404),
    ("GET", "/api/v1/nothing", 404),
    ("GET", "/nothing.js", 404),
    ("PUT", "/api/v1/cameras", 405),
    ("POST", "/api/v1/cameras", 422),
    ("PATCH", "/api/v1/cameras/gate/lines/none", 422),
    ("GET", "/api/v1/cameras/none/lines", 404),
    ("GET", "/api/v1/cameras/gate/lines/none", 404),
    ("GET", "/api/v1/counts?bucket=2m", 422),
    ("GET", "/api/v1/crossings?limit=0", 422),
    ("GET", "/api/v1/crossings?format=xml", 422),
    ("GET", "/api/v1/cameras/none/gaps", 404),
    ("GET", "/api/v1/cameras/none/tracks", 404),
    ("GET", "/api/v1/cameras/none/snapshot.jpg", 404),
    ("GET", "/api/v1/cameras/none/stream.mjpeg", 404),
    ("GET", "/api/v1/cameras/gate/snapshot.jpg?overlay=maybe", 422),
]


def _check(answer, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["title"]
    assert body["detail"]
    assert body["code"] in CATALOGUE and body["code"] != OTHER, body
    assert all(isinstance(value, str | int | float) for value in body["params"].values())
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(("method", "path", "status"), ASKED)
async def test_errors_are_problems(web: Web, method: str, path: str, status: int) -> None:
    await web.client.post("/api/v1/cameras", json={"id": "gate", "url": "demo://traffic"})
    _check(await web.client.request(method, path), status)


async def test_a_validation_error_lists_its_fields(web: Web) -> None:
    answer = await web.client.post("/api/v1/cameras", json={"url": 5, "fps": "many"})
    _check(answer, 422)
    assert [error["field"] for error in answer.json()["errors"]] == ["url", "fps"]


@pytest.mark.parametrize(
    ("content", "headers", "status", "words"),
    [
        (b"[[[", {}, 422, "the body is not JSON"),
        (b"[]", {}, 422, "give an object here"),
        (b'{"url": "demo://traffic"}', {"Content-Type": "text/plain"}, 422, "Content-Type: application/json"),
        (b'{"url": "\xff"}', {}, 400, "send JSON in UTF-8"),
        (b'{"fps": ' + b"9" * 5000 + b"}", {}, 400, "the body cannot be read"),
    ],
)
async def test_a_body_that_cannot_be_read_says_what_to_send(
    web: Web, content: bytes, headers: dict[str, str], status: int, words: str
) -> None:
    kind = {"Content-Type": "application/json"} | headers
    answer = await web.client.post("/api/v1/cameras", content=content, headers=kind)
    _check(answer, status)
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8080"}, 200),
        ({"Host": "[::1]:8080", "Origin": "http://localhost:5173"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
async def test_on_loopback_foreign_pages_are_refused(web: Web, headers: dict[str, str], status: int) -> None:
    answer = await web.client.get("/healthz", headers=headers)
    assert answer.status_code == status
    if status != 200:
        _check(answer, status)


async def test_an_unexpected_error_shows_nothing_of_itself(web: Web, monkeypatch) -> None:
    async def broken() -> None:
        raise RuntimeError("rtsp://u:s3cret@host")

    monkeypatch.setattr(web.tables.setups, "cameras", broken)
    answer = await web.client.get("/api/v1/cameras")
    _check(answer, 500)
    assert "s3cret" not in answer.text


async def test_a_database_that_is_away_is_503() -> None:
    tables = Tables(f"mongodb://user:s3cret@127.0.0.1:{free_port()}/?serverSelectionTimeoutMS=100")
    async with web_over(tables) as web:
        for path in ("/api/v1/cameras", "/readyz", "/api/v1/counts", "/api/v1/cameras/a/snapshot.jpg"):
            answer = await web.client.get(path)
            _check(answer, 503)
            assert "retry-after" in answer.headers
            assert "s3cret" not in answer.text
        assert (await web.client.get("/healthz")).status_code == 200
        assert "does not answer" in (await web.client.get("/api/v1/system")).json()["database"]["status"]
        assert "sightline_database_up 0.0" in (await web.client.get("/metrics")).text
    await tables.close()


async def test_the_system_tells_of_itself(web: Web) -> None:
    await web.tables.setups.add_camera(camera())
    await web.app.state.context.mirror.refresh()
    body = (await web.client.get("/api/v1/system")).json()
    assert (body["version"], body["database"]["kind"], body["database"]["status"]) == (
        "0.0.0",
        "embedded (test)",
        "up",
    )
    assert [(service["name"], service["status"], service["code"]) for service in body["services"]] == [
        ("web", "running", "running"),
        ("store", "waits for the database", "other"),
    ]
    assert body["models"][0] == {
        "name": "traffic-n",
        "task": "",
        "classes": ["person", "car"],
        "aliases": ["traffic"],
        "ms_per_frame": 11.5,
    }
    assert (await web.client.get("/readyz")).json() == {"status": "ready"}
    metrics = (await web.client.get("/metrics")).text
    assert 'sightline_camera_live{camera="gate"} 0.0' in metrics
    assert "sightline_events_written_total 7.0" in metrics


async def test_the_description_and_its_page_need_no_network(web: Web) -> None:
    paths = (await web.client.get("/api/v1/openapi.json")).json()["paths"]
    assert "/api/v1/cameras/{camera}/stream.mjpeg" in paths
    page = await web.client.get("/api/v1/docs")
    assert "/api/v1/crossings" in page.text
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "default-src 'self'" in page.headers["content-security-policy"]
