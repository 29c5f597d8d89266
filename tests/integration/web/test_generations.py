"""Generations of a camera over HTTP."""

from typing import Any

from services.cli.setup_seed import SetupSeed, WantedCamera
from services.common.wire import time_text
from services.core.types import CameraStatus, Ownership, StatusChange
from tests.makers import GATE, camera, crossing, line, recent_minute_s, seconds
from tests.web_app import Web

GATE_URL = "/api/v1/cameras/gate"


async def _made_again(web: Web) -> tuple[float, dict[str, str]]:
    """A camera that counted two, was deleted, and counted one since; give its start and a span."""
    start = recent_minute_s()
    web.tables.now_s = lambda: start - 60
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", line())
    old = [crossing(n, start + n, epoch=7) for n in (1, 2)]
    down = StatusChange(GATE, start + 10, CameraStatus.DEGRADED, "refused")
    await web.tables.events.insert_events([Ownership(GATE, 7, start), *old, *seconds(start, 10, 7), down])
    web.tables.now_s = lambda: start + 20
    assert (await web.client.delete(GATE_URL)).status_code == 204
    web.tables.now_s = lambda: start + 30
    made = await web.client.post("/api/v1/cameras", json={"id": "gate", "url": "demo://traffic"})
    assert (made.json()["generation"], made.json()["created"]) == (2, time_text(start + 30))
    await web.tables.setups.add_line("gate", line())
    (setup,) = web.bus.setups.newest()
    epoch = setup.highest_epoch + 1
    assert epoch > 7, "an owner of before is known to have been replaced"
    new = [crossing(3, start + 45, epoch=epoch), *seconds(start + 40, 20, epoch)]
    await web.tables.events.insert_events([Ownership(GATE, epoch, start + 40), *new])
    return start, {"from": time_text(start), "to": time_text(start + 60), "bucket": "1m"}


async def _get(web: Web, path: str, **query: Any) -> dict[str, Any]:
    answer = await web.client.get(f"/api/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_answers_are_of_the_newest_generation_and_of_an_older_one_when_asked(web: Web) -> None:
    start, span = await _made_again(web)
    for generation, number, covered in (
        ({}, 1, 0.6667),
        ({"generation": 2}, 1, 0.6667),
        ({"generation": 1}, 2, 0.5),
    ):
        query = {"camera": "gate", **span, **generation}
        counts = await _get(web, "counts", **query)
        assert counts["total"]["forward"] == {"car": number}
        assert counts["coverage"] == covered
        assert len((await _get(web, "crossings", **query))["items"]) == number
    gaps = (await _get(web, "cameras/gate/gaps", **span))["items"]
    assert [(gap["from"], gap["to"]) for gap in gaps] == [(time_text(start + 30), time_text(start + 40))]
    assert "refused" not in gaps[0]["cause"], "that was told of the one before"
    gaps = (await _get(web, "cameras/gate/gaps", **span, generation=1))["items"]
    assert [(gap["from"], gap["to"]) for gap in gaps] == [(time_text(start + 10), time_text(start + 20))]
    for bad, status in (("3", 404), ("0", 422), ("x", 422), ("9" * 30, 422)):
        answer = await web.client.get("/api/v1/counts", params={"camera": "gate", "generation": bad})
        assert answer.status_code == status


async def test_generations_are_listed_also_of_a_deleted_camera(web: Web) -> None:
    start, span = await _made_again(web)
    first = {
        "generation": 1,
        "name": "Gate",
        "created": time_text(start - 60),
        "deleted": time_text(start + 20),
        "crossings": 2,
    }
    second = {**first, "generation": 2, "name": "gate", "created": time_text(start + 30), "deleted": None}
    second["crossings"] = 1
    assert await _get(web, "cameras/gate/generations") == {"items": [first, second]}
    await web.client.delete(GATE_URL)
    items = (await _get(web, "generations"))["items"]
    assert [(item["camera"], item["generation"], bool(item["deleted"])) for item in items] == [
        ("gate", 1, True),
        ("gate", 2, True),
    ]
    assert (await web.client.get("/api/v1/counts?camera=gate")).status_code == 404
    assert len((await _get(web, "crossings", camera="gate", generation=1, **span))["items"]) == 2
    assert (await web.client.get("/api/v1/cameras/none/generations")).status_code == 404


async def test_a_generation_is_removed_on_purpose_and_that_is_written_down(web: Web) -> None:
    _, span = await _made_again(web)
    assert (await web.client.delete(f"{GATE_URL}/generations/2")).status_code == 409
    assert (await web.client.delete(f"{GATE_URL}/generations/9")).status_code == 404
    assert (await web.client.delete(f"{GATE_URL}/generations/1")).status_code == 204
    assert (await web.client.delete(f"{GATE_URL}/generations/1")).status_code == 404
    query = {"camera": "gate", "generation": "1", **span}
    assert (await web.client.get("/api/v1/crossings", params=query)).status_code == 404
    assert [item["generation"] for item in (await _get(web, "cameras/gate/generations"))["items"]] == [2]
    assert sum([number async for number in web.tables.removal.remove_asked(100)]) > 4
    assert (await _get(web, "counts", camera="gate", **span))["total"]["forward"] == {"car": 1}
    audit = (await _get(web, "audit"))["items"]
    assert ("generation.remove", "gate/generations/1") in [(item["action"], item["target"]) for item in audit]


async def test_the_settings_file_and_a_restart_make_nothing_anew(web: Web) -> None:
    seed = SetupSeed([WantedCamera(camera(), (line(),))], "traffic")
    for _ in range(3):
        await seed._apply(web.tables.setups)
    assert [item["generation"] for item in (await _get(web, "cameras/gate/generations"))["items"]] == [1]
