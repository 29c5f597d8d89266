"""What no client sends by mistake: each gets an answer that says so, and none a 500."""

import base64
from typing import Any

import pytest

from tests.makers import camera, line
from tests.web_app import Web

FAR = ("0001-01-01", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59.9999Z", "2200-01-01T00:00:00Z", "9" * 400)


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.fixture
async def gate(web: Web) -> Web:
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    return web


PROBES = ("../../healthz", "../../readyz", "../../metrics")
READ = (
    *PROBES,
    "counts/today",
    "gaps",
    "generations",
    "system/log",
    "cameras",
    "cameras/gate",
    "counts",
    "live",
)


@pytest.mark.parametrize("path", READ)
async def test_what_can_be_read_can_be_asked_for_its_head(gate: Web, path: str) -> None:
    get, head = [await gate.client.request(method, f"/api/v1/{path}") for method in ("GET", "HEAD")]
    assert (head.status_code, head.headers["content-type"]) == (get.status_code, get.headers["content-type"])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "cameras", "GET, HEAD, POST"),
        ("OPTIONS", "cameras/gate", "DELETE, GET, HEAD, PATCH"),
        ("PUT", "cameras/test", "DELETE, GET, HEAD, PATCH, POST"),
        ("GET", "cameras/gate/generations/1", "DELETE"),
        ("HEAD", "cameras/gate/generations/1", "DELETE"),
        ("OPTIONS", "counts/today", "GET, HEAD"),
        ("DELETE", "system/log", "GET, HEAD"),
        ("PUT", "../../healthz", "GET, HEAD"),
        ("OPTIONS", "../../readyz", "GET, HEAD"),
        ("OPTIONS", "../../watch/gate", "GET, HEAD"),
        ("PUT", "../../", "GET, HEAD"),
        ("HEAD", "cameras/gate/tracks", "GET"),
    ],
)
async def test_a_method_that_a_path_has_not_is_told_those_it_has(
    gate: Web, method: str, path: str, allowed: str
) -> None:
    answer = await gate.client.request(method, f"/api/v1/{path}")
    assert (answer.status_code, answer.headers.get("allow")) == (405, allowed)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
async def test_what_is_not_there_has_no_methods(gate: Web, method: str) -> None:
    answer = await gate.client.request(method, "/api/v1/nothing")
    assert (answer.status_code, answer.headers.get("allow")) == (404, None)


@pytest.mark.parametrize("path", ["/api/v1/counts", "/api/v1/crossings", "/api/v1/cameras/gate/gaps"])
@pytest.mark.parametrize("time", FAR)
async def test_times_at_the_ends_of_calendars(gate: Web, path: str, time: str) -> None:
    zone = {"tz": "America/New_York"} if path.endswith("counts") else {}
    for query in ({"to": time}, {"from": time}, {"from": "0001-01-01", "to": time, **zone}):
        answer = await gate.client.get(path, params=query)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


async def test_the_first_and_the_last_days_of_the_calendar_in_zones_before_and_after(gate: Web) -> None:
    spans = (("0001-01-01", "0001-01-02"), ("9999-12-30", "9999-12-31"))
    for zone in ("America/New_York", "Pacific/Apia", "Pacific/Kiritimati", "Asia/Kolkata"):
        for bucket in ("1m", "1h", "1d"):
            for start, end in spans:
                query = {"from": start, "to": end, "tz": zone, "bucket": bucket}
                answer = await gate.client.get("/api/v1/counts", params=query)
                assert (answer.status_code, answer.headers["content-type"]) == (
                    422,
                    "application/problem+json",
                )


@pytest.mark.parametrize("time", ["1970-01-01T00:00:01Z", "2199-12-31T23:59:59.999Z"])
async def test_times_at_the_ends_of_the_range(gate: Web, time: str) -> None:
    for bucket in ("1m", "1h", "1d"):
        query = {"to": time, "tz": "America/New_York", "bucket": bucket}
        assert (await gate.client.get("/api/v1/counts", params=query)).status_code == 200
    for path in ("/api/v1/crossings", "/api/v1/cameras/gate/gaps"):
        assert (await gate.client.get(path, params={"to": time})).status_code == 200


@pytest.mark.parametrize(
    "cursor",
    [
        "9" * 400,
        _cursor("9" * 400 + " id"),
        _cursor("9" * 5000 + " id"),
        _cursor("-1 id"),
        _cursor("1_0 id"),
        _cursor("253402300799000 id"),
        "%",
        "9" * 400 + "-id",
        "253402300799000-id",
    ],
)
async def test_cursors_that_nobody_gave(gate: Web, cursor: str) -> None:
    for path in ("/api/v1/crossings", "/api/v1/audit"):
        assert (await gate.client.get(path, params={"cursor": cursor})).status_code == 422, path


@pytest.mark.parametrize("time", FAR)
async def test_a_token_that_expires_at_the_end_of_the_calendar(gate: Web, time: str) -> None:
    answer = await gate.client.post("/api/v1/tokens", json={"name": "far", "expires": time})
    assert answer.status_code == 422
    assert (await gate.client.get("/api/v1/tokens")).json() == {"items": []}


@pytest.mark.parametrize(
    "change",
    [
        {"url": "x" * 301},
        {"url": "/" + "x" * 256},
        {"url": "/srv/x/" * 200},
        {"url": "/proc/1/cwd/x"},
        {"url": "demo://traffic?seed=" + "9" * 400},
        {"url": "demo://traffic?seed=\u00b2"},
        {"model": "x" * 301},
        {"model": "x" * 300 + ".onnx"},
        {"fps": 1e308},
    ],
)
async def test_cameras_with_long_texts(gate: Web, change: dict[str, Any]) -> None:
    for method, path in (("POST", "/api/v1/cameras"), ("PATCH", "/api/v1/cameras/gate")):
        answer = await gate.client.request(method, path, json={"url": "demo://traffic", **change})
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("text", ['{"\\ud800": 1}', '{"points": [[1e999, 0], [1, 1]]}', "[]", "NaN", "\x00"])
async def test_bodies_that_no_line_has(gate: Web, text: str) -> None:
    headers = {"Content-Type": "application/json"}
    for method, path in (
        ("POST", "/api/v1/session"),
        ("POST", "/api/v1/cameras"),
        ("POST", "/api/v1/cameras/gate/lines"),
        ("PATCH", "/api/v1/cameras/gate/lines/main"),
        ("PATCH", "/api/v1/cameras/gate"),
        ("POST", "/api/v1/users"),
        ("POST", "/api/v1/tokens"),
    ):
        answer = await gate.client.request(method, path, content=text, headers=headers)
        assert answer.status_code == 422, f"{method} {path}: {answer.text}"


@pytest.mark.parametrize("depth", [390, 500, *range(900, 1000, 4)])
async def test_values_within_values_within_values(gate: Web, depth: int) -> None:
    """Just what can still be read may be too deep for what looks at it then."""
    deep = "[" * depth + "]" * depth
    headers = {"Content-Type": "application/json"}
    for text in (
        f'{{"name": "a", "points": [[{deep}, 0], [1, 1]]}}',
        f'{{"name": "a", "points": [[0, 0], [1, 1]], "anchor": {deep}}}',
        f'{{"name": "a", "points": {deep}}}',
        f'{{"id": {deep}}}',
    ):
        answer = await gate.client.post("/api/v1/cameras/gate/lines", content=text, headers=headers)
        assert answer.status_code == 422, answer.text
