"""The health port: alive, ready, figures; and the table that explains every figure."""

import ast
import re
from pathlib import Path

import httpx
import pytest

from services.common.http.health import LoopHeartbeat, health_app
from services.common.metrics import METRICS, Figure, metrics_text

PROBLEM = "application/problem+json"
SERVICES = Path(__file__).resolve().parents[4] / "services"


def _client(**options: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(health_app(**options), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9090")


async def test_alive_is_the_process_alone_and_details_are_for_people() -> None:
    async with _client(missing=lambda: ["NATS is away"], details=lambda: {"degraded": ["gate"]}) as client:
        answer = await client.get("/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "degraded": ["gate"]})


async def test_a_main_loop_that_stopped_is_not_alive() -> None:
    now_s = [100.0]
    heartbeat = LoopHeartbeat(limit_s=10, monotonic_s=lambda: now_s[0])
    async with _client(heartbeat=heartbeat) as client:
        now_s[0] = 110.0
        assert (await client.get("/healthz")).status_code == 200
        now_s[0] = 111.0
        answer = await client.get("/healthz")
        assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
        assert answer.json()["detail"] == "the main loop has not gone round for 11 s"
        heartbeat.beat()
        assert (await client.get("/healthz")).status_code == 200


async def test_ready_says_in_words_what_is_missing() -> None:
    missing: list[str] = []
    async with _client(missing=lambda: missing) as client:
        assert (await client.get("/readyz")).json() == {"status": "ready"}
        missing += ["NATS is away", "the database does not answer"]
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
        assert answer.json()["detail"] == "NATS is away; the database does not answer"
        assert answer.headers["retry-after"]
        assert (await client.get("/healthz")).status_code == 200


async def test_figures_come_in_the_text_form_with_their_meaning() -> None:
    figures = [
        Figure("sightline_camera_fps", 9.5, {"camera": 'a"b'}),
        Figure("sightline_camera_fps", 0, {"camera": "gate"}),
        Figure("sightline_events_dropped_total", 3),
    ]
    async with _client(figures=lambda: iter(figures)) as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert "# HELP sightline_camera_fps Analysed frames a second." in lines
    assert "# TYPE sightline_camera_fps gauge" in lines
    assert 'sightline_camera_fps{camera="a\\"b"} 9.5' in lines
    assert 'sightline_camera_fps{camera="gate"} 0.0' in lines
    assert "# TYPE sightline_events_dropped_total counter" in lines
    assert "sightline_events_dropped_total 3.0" in lines
    assert lines.count("# TYPE sightline_camera_fps gauge") == 1


@pytest.mark.parametrize(("path", "status"), [("/", 404), ("/healthz/x", 404)])
async def test_other_paths_are_problems(path: str, status: int) -> None:
    async with _client() as client:
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)


@pytest.mark.parametrize(("is_loopback", "status"), [(True, 403), (False, 200)])
async def test_on_loopback_a_foreign_host_is_refused(is_loopback: bool, status: int) -> None:
    async with _client(is_loopback=is_loopback) as client:
        assert (await client.get("/metrics", headers={"Host": "evil.example"})).status_code == status


def test_a_figure_that_is_told_twice_is_written_once() -> None:
    text = metrics_text([Figure("sightline_nats_up", 0), Figure("sightline_nats_up", 1)])
    rows = [row for row in text.decode().splitlines() if row.startswith("sightline_nats_up")]
    assert rows == ["sightline_nats_up 1.0"]


def test_what_the_table_does_not_know_is_not_exported() -> None:
    with pytest.raises(KeyError):
        metrics_text([Figure("sightline_unheard_of", 1)])
    with pytest.raises(KeyError):
        metrics_text([Figure("sightline_camera_fps", 1)])


@pytest.mark.parametrize("name", METRICS)
def test_the_table_explains_each_figure(name: str) -> None:
    info = METRICS[name]
    assert re.fullmatch(r"sightline_[a-z_]+", name)
    assert name.endswith("_total") is (info.kind == "counter")
    assert info.help.endswith(".")
    assert metrics_text([Figure(name, 1, {label: "x" for label in info.labels})])


def test_the_services_name_only_figures_of_the_table() -> None:
    named = {
        node.args[0].value
        for path in SERVICES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Figure"
        and isinstance(node.args[0], ast.Constant)
    }
    assert "sightline_readers" in named
    assert not named - set(METRICS)
