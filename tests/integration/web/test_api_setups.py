"""Cameras and lines over HTTP."""

import json
from pathlib import Path

import pytest

from services.core.types import Camera, CameraId, CameraState, CameraStatus
from services.web.settings import WebSettings
from tests.tables import Tables
from tests.web_app import Web, web_over

CAMERAS = "/api/v1/cameras"
JSON = {"Content-Type": "application/json"}
SECRET = "rtsp://user:s3cret@192.0.2.1/stream?token=abcdef"


async def _published(web: Web):
    async with web.bus.setups.follow() as changes:
        return await anext(changes)


async def test_a_camera_is_added_changed_and_removed(web: Web) -> None:
    made = await web.client.post(CAMERAS, json={"name": "Tür Süd", "url": SECRET})
    assert made.status_code == 201
    assert made.headers["location"] == f"{CAMERAS}/tuer-sued"
    body = made.json()
    assert body["url"] == "rtsp://user:***@192.0.2.1/stream?token=***"
    assert (body["id"], body["status"], body["fps"], body["model"]) == (
        "tuer-sued",
        "connecting",
        10.0,
        "traffic",
    )
    assert (await web.client.post(CAMERAS, json={"name": "Tür Süd", "url": SECRET})).json()[
        "id"
    ] == "tuer-sued-2"
    same = await web.client.post(CAMERAS, json={"id": "tuer-sued", "url": SECRET})
    assert same.status_code == 409

    change = {"url": "rtsp://user:***@192.0.2.1/other?token=***", "fps": 5, "tiles": "2x2"}
    changed = await web.client.patch(f"{CAMERAS}/tuer-sued", json=change)
    assert changed.status_code == 200
    setup = {s.camera.id: s for s in await _published(web)}[CameraId("tuer-sued")]
    assert setup.camera.url == "rtsp://user:s3cret@192.0.2.1/other?token=abcdef"
    assert (setup.camera.fps, setup.camera.tiles, setup.highest_epoch) == (5, "2x2", 0)

    listed = await web.client.get(CAMERAS)
    assert [item["tiles"] for item in listed.json()["items"]] == ["2x2", "1x1"]
    assert [item["id"] for item in listed.json()["items"]] == ["tuer-sued", "tuer-sued-2"]
    assert "s3cret" not in listed.text
    assert "abcdef" not in listed.text
    assert (await web.client.delete(f"{CAMERAS}/tuer-sued")).status_code == 204
    assert (await web.client.get(f"{CAMERAS}/tuer-sued")).status_code == 404
    assert [s.camera.id for s in await _published(web)] == ["tuer-sued-2"]


async def test_the_stored_secrets_go_to_no_other_host(web: Web) -> None:
    await web.client.post(CAMERAS, json={"id": "gate", "url": SECRET})
    for url in ("rtsp://user:***@192.0.2.9/stream?token=***", "rtsp://192.0.2.1:5554/?token=***"):
        refused = await web.client.patch(f"{CAMERAS}/gate", json={"url": url})
        assert refused.status_code == 422
        assert "leads elsewhere" in refused.json()["detail"]
        assert "s3cret" not in refused.text
    assert (await _published(web))[0].camera.url == SECRET


async def test_a_camera_tells_how_its_stream_is(web: Web) -> None:
    await web.client.post(CAMERAS, json={"id": "gate", "url": SECRET})
    error = f"cannot open {SECRET}: 401 (s3cret)"
    state = CameraState(CameraStatus.DEGRADED, 1_700_000_000.5, 0.0, (640, 360), error)
    web.bus.states.publish_state(CameraId("gate"), state)
    body = (await web.client.get(f"{CAMERAS}/gate")).json()
    assert body["status"] == "degraded"
    assert body["since"] == "2023-11-14T22:13:20.500Z"
    assert body["resolution"] == {"width": 640, "height": 360}
    assert "401" in body["last_error"]
    assert "s3cret" not in body["last_error"]
    off = await web.client.patch(f"{CAMERAS}/gate", json={"enabled": False})
    assert off.json()["status"] == "disabled"


async def test_a_second_opinion_is_kept_and_is_for_mask_models(web: Web) -> None:
    body = {"id": "door", "url": "demo://masks", "verify": True}
    assert (await web.client.post(CAMERAS, json=body)).json()["verify"] is True
    assert (await _published(web))[0].camera.verify is True
    assert (await web.client.get(f"{CAMERAS}/door")).json()["verify"] is True
    refused = await web.client.patch(f"{CAMERAS}/door", json={"model": "traffic"})
    assert refused.status_code == 422
    assert refused.json()["code"] == "verify-not-masks"
    changed = await web.client.patch(f"{CAMERAS}/door", json={"model": "traffic", "verify": False})
    assert (changed.json()["verify"], changed.json()["model"]) == (False, "traffic")
    left_out = await web.client.post(CAMERAS, json={"id": "gate", "url": "demo://traffic"})
    assert left_out.json()["verify"] is False


async def test_a_camera_of_an_older_release_has_no_second_opinion(web: Web) -> None:
    await web.client.post(CAMERAS, json={"id": "door", "url": "demo://masks", "verify": True})
    cameras = web.tables.link.collection("cameras")
    assert (await cameras.update_one({"_id": "door"}, {"$unset": {"verify": 1}})).modified_count == 1
    assert (await web.tables.setups.camera("door")).camera.verify is False


async def test_bad_cameras_are_refused_with_one_clear_line(web: Web) -> None:
    for body, words in (
        ({"url": "http://host/s"}, "is not supported"),
        ({"url": "/no/such/file.mp4"}, "file_camera_folders"),
        ({"url": "rtsp://u:s3 cret@host/s"}, "a space: write it as %20"),
        ({"url": "rtsp://u:s3\u00a0cret@host/s"}, "a no-break space"),
        ({"url": "rtsp://host/s?token=s3 cret"}, "%20"),
        ({"url": "rtsp://u:s3cret@" + "h" * 2000}, "1 to 2000"),
        ({"url": "rtsp://u:s3\ud800cret@host/s"}, "character u+d800"),
        ({"url": "demo://traffic", "\ud800": 1}, "valid string"),
        ({"url": "demo://traffic", "id": "\ud800"}, "use 1 to 63"),
        ({"url": "*" * 100_000}, "1 to 2000"),
        ({"url": "demo://traffic", "model": "m" * 300 + ".onnx"}, "at most 200"),
        ({"url": "demo://mask"}, "give demo://traffic or demo://masks"),
        ({"url": "demo://masks?seed=x"}, "no such demo"),
        ({"url": "rtsp:///path"}, "names no host"),
        ({"url": "rtsp://u:s3/cret@host/s"}, "%2F"),
        ({"url": "rtsp://u:***@host/s"}, "the secret itself"),
        ({"url": "demo://traffic", "fps": 0}, "4 to 60"),
        ({"url": "demo://traffic", "tiles": "9x1"}, "columns by rows"),
        ({"url": "demo://traffic", "id": "Gate"}, "a-z"),
        ({"url": "demo://traffic", "model": "unicorn"}, "unknown model"),
        ({"url": "demo://traffic", "colour": 1}, "colour: this key is not known"),
        ({"name": "x"}, "url"),
    ):
        answer = await web.client.post(CAMERAS, content=json.dumps(body), headers=JSON)
        assert answer.status_code == 422, body
        assert words in answer.json()["detail"], body
        assert "cret@" not in answer.text
    assert (await web.client.get(CAMERAS)).json()["items"] == []


STORED = [
    "rtsp://user:pa s3cret@192.0.2.1/s",
    "rtsp://user:pa\u00a0s3cret@192.0.2.1/s",
    "rtsp://192.0.2.1/s?x=1 2&token=a s3cret",
    "rtsp://192.0.2.1:554/s?token=a@s3cret",
    "rtsp://192.0.2.1:554/user=admin_password=a@s3cret_channel=1",
]


@pytest.mark.parametrize("url", STORED)
async def test_what_is_stored_already_stays_usable_and_masked(web: Web, url: str) -> None:
    """Addresses that no door takes today: shown without their secrets, and the camera can be changed."""
    await web.tables.setups.add_camera(Camera(CameraId("gate"), "Gate", url))
    state = CameraState(CameraStatus.DEGRADED, 1_700_000_000.5, 0.0, None, f"cannot open '{url}' ({url[8:]})")
    web.bus.states.publish_state(CameraId("gate"), state)
    shown = await web.client.get(f"{CAMERAS}/gate")
    assert "192.0.2.1" in shown.json()["url"]
    body = {"url": shown.json()["url"], "fps": 5, "enabled": False}
    changed = await web.client.patch(f"{CAMERAS}/gate", json=body)
    assert changed.status_code == 200
    assert (await web.tables.setups.camera("gate")).camera.url == url
    for answer in (shown, changed, await web.client.get(CAMERAS), await web.client.get("/metrics")):
        assert "s3cret" not in answer.text


async def test_secrets_behind_the_host_are_masked(web: Web) -> None:
    url = "rtsp://u:s3cret@192.0.2.1:554/s?x=1&token=a@s3cret"
    made = await web.client.post(CAMERAS, json={"id": "gate", "url": url})
    assert made.status_code == 201
    assert made.json()["url"] == "rtsp://u:***@192.0.2.1:554/s?x=1&token=***"


async def test_files_are_cameras_from_named_folders_only(tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").touch()
    (tmp_path / "b.mp4").touch()
    (tmp_path / "clips" / "link.mp4").symlink_to(tmp_path / "b.mp4")
    (tmp_path / "clips" / "broken.mp4").symlink_to(tmp_path / "absent.mp4")
    settings = WebSettings(file_camera_folders=(tmp_path / "clips",))
    async with web_over(tables, settings) as web:

        async def refusal(path: str) -> str:
            answer = await web.client.post(CAMERAS, json={"url": path})
            assert answer.status_code == 422, path
            return answer.json()["detail"]

        outside = [tmp_path / "b.mp4", tmp_path / "absent.mp4", "/etc/passwd", "/etc/no-such", tmp_path]
        links = [
            f"{tmp_path}/clips/{name}" for name in ("link.mp4", "broken.mp4", "../b.mp4", "../absent.mp4")
        ]
        told = {await refusal(str(path)) for path in (*outside, *links)}
        assert len(told) == 1, "one can tell whether a file is there"
        assert "file_camera_folders" in told.pop()
        assert "there is no file" in await refusal(f"{tmp_path}/clips/absent.mp4")
        assert "there is no file" in await refusal(f"{tmp_path}/clips/{'a' * 300}.mp4")
        made = await web.client.post(CAMERAS, json={"id": "a", "url": f"{tmp_path}/clips/a.mp4"})
        assert made.status_code == 201
        moved = await web.client.patch(f"{CAMERAS}/a", json={"url": str(tmp_path / "b.mp4")})
        assert moved.status_code == 422


async def test_a_file_that_is_stored_already_can_be_changed(web: Web, tmp_path: Path) -> None:
    await web.tables.setups.add_camera(Camera(CameraId("a"), "A", str(tmp_path / "b.mp4")))
    body = {"url": str(tmp_path / "b.mp4"), "enabled": False}
    assert (await web.client.patch(f"{CAMERAS}/a", json=body)).status_code == 200


async def test_lines_are_added_changed_and_removed_and_known_at_once(web: Web) -> None:
    await web.client.post(CAMERAS, json={"id": "gate", "url": "demo://traffic"})
    lines = f"{CAMERAS}/gate/lines"
    made = await web.client.post(lines, json={"name": "Main road", "points": [[0.1, 0.7], [0.9, 0.7]]})
    assert made.status_code == 201
    assert made.json() == {
        "id": "main-road",
        "name": "Main road",
        "points": [[0.1, 0.7], [0.9, 0.7]],
        "anchor": "centre",
        "classes": None,
        "color": "#ff6b35",
        "version": 1,
        "forward_name": None,
        "backward_name": None,
    }
    (setup,) = await _published(web)
    assert [line.id for line in setup.lines] == ["main-road"]
    moved = await web.client.patch(f"{lines}/main-road", json={"points": [[0.1, 0.5], [0.9, 0.5]]})
    assert (moved.json()["version"], moved.json()["name"]) == (2, "Main road")
    assert (await web.client.post(lines, json=moved.json())).status_code == 409
    for bad in ({"points": [[0, 0], [0, 0]]}, {"id": "other"}, {"thickness": 1}, {"classes": ["x"]}):
        assert (await web.client.patch(f"{lines}/main-road", json=bad)).status_code == 422
    nan = await web.client.post(lines, content='{"id":"a","points":[[NaN,0],[1,1]]}')
    assert nan.status_code == 422
    assert (await web.client.delete(f"{lines}/main-road")).status_code == 204
    assert (await web.client.get(lines)).json() == {"items": []}
    assert (await web.client.delete(f"{lines}/main-road")).status_code == 404
    assert (await web.client.get(f"{CAMERAS}/none/lines")).status_code == 404
    (setup,) = await _published(web)
    assert setup.lines == ()


async def test_lines_count_what_the_model_of_their_camera_finds(web: Web) -> None:
    made = await web.client.post(CAMERAS, json={"id": "door", "url": "demo://masks"})
    assert made.json()["model"] == "mask"
    lines = f"{CAMERAS}/door/lines"
    body = {"id": "in", "points": [[0.1, 0.5], [0.9, 0.5]], "classes": ["no_mask", "mask_incorrect"]}
    assert (await web.client.post(lines, json=body)).status_code == 201
    for refused in (
        await web.client.post(lines, json=body | {"id": "cars", "classes": ["car"]}),
        await web.client.patch(f"{lines}/in", json={"classes": ["mask", "car"]}),
    ):
        assert refused.status_code == 422
        assert "car, which model 'mask' never finds" in refused.json()["detail"]
    other = await web.client.patch(f"{CAMERAS}/door", json={"url": "demo://traffic", "model": "traffic"})
    assert other.status_code == 422
    assert "line 'in' counts no_mask, which model 'traffic' never finds" in other.json()["detail"]
    await web.client.patch(f"{lines}/in", json={"classes": None})
    other = await web.client.patch(f"{CAMERAS}/door", json={"url": "demo://traffic", "model": "traffic"})
    assert (other.status_code, other.json()["model"]) == (200, "traffic")
