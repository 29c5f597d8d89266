"""How a line has lain, over HTTP."""

from tests.web_app import Web

LINES = "/api/v1/cameras/gate/lines"
FIRST, SECOND = [[0.1, 0.2], [0.3, 0.4]], [[0.5, 0.2], [0.5, 0.9]]


async def test_a_line_is_given_as_it_lay_at_each_version_also_when_it_is_deleted(web: Web) -> None:
    await web.client.post("/api/v1/cameras", json={"id": "gate", "url": "demo://traffic"})
    await web.client.post(LINES, json={"id": "door", "name": "Door", "points": FIRST})
    await web.client.post(LINES, json={"id": "yard", "points": FIRST})
    await web.client.patch(f"{LINES}/door", json={"points": SECOND})

    first, second = (await web.client.get(f"{LINES}/door/versions")).json()["items"]
    assert [first["version"], second["version"]] == [1, 2]
    assert [first["points"], second["points"]] == [FIRST, SECOND]
    assert first["valid_to"] == second["valid_from"]
    assert second["valid_to"] is None

    await web.client.delete(f"{LINES}/door")
    items = (await web.client.get(f"{LINES}/door/versions")).json()["items"]
    assert [item["points"] for item in items] == [FIRST, SECOND]
    assert items[1]["valid_to"] is not None


async def test_a_line_that_never_was_has_no_versions(web: Web) -> None:
    assert (await web.client.get("/api/v1/cameras/none/lines/door/versions")).status_code == 404
    await web.client.post("/api/v1/cameras", json={"id": "gate", "url": "demo://traffic"})
    answer = await web.client.get(f"{LINES}/none/versions")
    assert answer.status_code == 404
    assert "none" in answer.json()["detail"]
