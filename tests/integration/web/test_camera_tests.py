"""`POST /cameras/test`: a picture or the reason, to admins alone, and no secret to anybody."""

import asyncio
import base64
import logging
from dataclasses import replace

import pytest

from services.common.bus.camera_tests import CameraTestResult
from services.core.errors import FullError, NoIngestError
from services.core.sentences.sentence import sentence
from services.core.types import CameraId, CameraState, CameraStatus
from services.web.mirror import SetupMirror
from tests.tables import Tables
from tests.web_app import Web, served, web_over

CAMERAS = "/api/v1/cameras"
TEST = f"{CAMERAS}/test"
URL = "rtsp://user:s3cret@192.0.2.1/stream?token=abcdef"
JPEG = b"\xff\xd8\xff\xe0picture"
GOOD = CameraTestResult(1.2, None, JPEG, (1280, 720), "h264", 25.0)


class Ingest:
    """Answers for the ingest service."""

    def __init__(self, result: CameraTestResult | Exception = GOOD) -> None:
        self.result = result
        self.urls: list[str] = []
        self.waits = asyncio.Event()
        self.waits.set()
        self.cancelled = 0

    async def test(self, url: str) -> CameraTestResult:
        self.urls.append(url)
        try:
            await self.waits.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
async def web(tables: Tables):
    async with web_over(tables) as web:
        yield web


async def test_a_picture_and_what_the_stream_is(web: Web) -> None:
    ingest = Ingest()
    async with web.bus.camera_tests.answering(ingest.test):
        answer = await web.client.post(TEST, json={"url": f" {URL} ", "camera": None, "model": "traffic"})
    assert answer.status_code == 200
    assert answer.json() == {
        "works": True,
        "picture": base64.b64encode(JPEG).decode(),
        "resolution": {"width": 1280, "height": 720},
        "codec": "h264",
        "fps": 25.0,
        "seconds": 1.2,
        "error": None,
    }
    assert ingest.urls == [URL]
    assert (await web.client.get(CAMERAS)).json() == {"items": []}, "nothing was saved"


async def test_a_reason_shows_no_secret_and_the_audit_log_has_the_address_masked(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ingest = Ingest(CameraTestResult(0.1, sentence("stream-broken", reason=f"{URL} (s3cret)")))
    async with web.bus.camera_tests.answering(ingest.test):
        answer = await web.client.post(TEST, json={"url": URL})
    body = answer.json()
    assert (answer.status_code, body["works"], body["error"]["code"]) == (200, False, "stream-broken")
    log = (await web.client.get("/api/v1/audit")).json()["items"][0]
    assert (log["action"], log["target"]) == ("camera.test", "rtsp://user:***@192.0.2.1/stream?token=***")
    for secret in ("s3cret", "abcdef"):
        assert secret not in answer.text + str(log) + caplog.text


async def test_what_no_camera_can_be_is_tried_by_nobody(web: Web) -> None:
    ingest = Ingest()
    async with web.bus.camera_tests.answering(ingest.test):
        for body, status in (
            ({"url": "http://192.0.2.1/"}, 422),
            ({"url": "/etc/passwd"}, 422),
            ({"url": "demo://none"}, 422),
            ({"url": ""}, 422),
            ({"url": " \n"}, 422),
            ({"url": "rtsp://u:***@192.0.2.1/"}, 422),
            ({"url": URL, "model": "none"}, 422),
            ({"url": URL, "camera": "none"}, 404),
            ({"url": URL, "more": 1}, 422),
            ({}, 422),
        ):
            answer = await web.client.post(TEST, json=body)
            assert answer.status_code == status, body
            assert "s3cret" not in answer.text
    assert ingest.urls == []


async def test_the_stored_secrets_are_tried_at_the_same_host_alone(web: Web) -> None:
    await web.client.post(CAMERAS, json={"id": "gate", "url": URL})
    ingest = Ingest()
    async with web.bus.camera_tests.answering(ingest.test):
        masked = {"url": "rtsp://user:***@192.0.2.1/other?token=***", "camera": "gate"}
        assert (await web.client.post(TEST, json=masked)).status_code == 200
        stolen = {"url": "rtsp://user:***@192.0.2.66/other?token=***", "camera": "gate"}
        refused = await web.client.post(TEST, json=stolen)
    assert ingest.urls == ["rtsp://user:s3cret@192.0.2.1/other?token=abcdef"]
    assert (refused.status_code, refused.json()["code"]) == (422, "address-masked-elsewhere")


@pytest.mark.parametrize(
    ("error", "code"), [(FullError("tests-full"), "tests-full"), (NoIngestError("test-no-ingest"), None)]
)
async def test_an_ingest_that_has_no_time_and_none_at_all(
    web: Web, error: Exception, code: str | None
) -> None:
    if code is None:
        answer = await web.client.post(TEST, json={"url": URL})
    else:
        async with web.bus.camera_tests.answering(Ingest(error).test):
            answer = await web.client.post(TEST, json={"url": URL})
    assert (answer.status_code, answer.json()["code"]) == (503, code or "test-no-ingest")
    assert "s3cret" not in answer.text


async def test_one_for_each_user_at_once(web: Web) -> None:
    ingest = Ingest()
    ingest.waits.clear()
    async with web.bus.camera_tests.answering(ingest.test):
        first = asyncio.create_task(web.client.post(TEST, json={"url": URL}))
        while not ingest.urls:
            await asyncio.sleep(0.01)
        second = await web.client.post(TEST, json={"url": URL})
        ingest.waits.set()
        assert (await first).status_code == 200
        assert (await web.client.post(TEST, json={"url": URL})).status_code == 200
    assert (second.status_code, second.json()["code"]) == (429, "answers-own-limit")


async def test_a_client_that_goes_ends_the_test(web: Web) -> None:
    ingest = Ingest()
    ingest.waits.clear()
    async with web.bus.camera_tests.answering(ingest.test), served(web.app) as address:
        port = int(address.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        body = b'{"url":"rtsp://192.0.2.1/"}'
        head = f"POST {TEST} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        async with asyncio.timeout(5):
            while not ingest.urls:
                await asyncio.sleep(0.01)
            writer.close()
            while not ingest.cancelled:
                await asyncio.sleep(0.01)


async def test_a_camera_is_dialled_at_once_when_somebody_asks_and_when_its_address_works(web: Web) -> None:
    await web.client.post(CAMERAS, json={"id": "gate", "name": "Gate", "url": URL})
    await web.client.post(CAMERAS, json={"id": "yard", "name": "Yard", "url": f"{URL}2"})

    def asked() -> dict[str, float]:
        return {setup.camera.id: setup.asked_s for setup in web.bus.setups.newest()}

    for camera in ("gate", "yard"):
        refused = CameraState(CameraStatus.DEGRADED, 1.0).with_error(sentence("camera-login"))
        web.bus.states.publish_state(CameraId(camera), refused)
    assert asked() == {"gate": 0.0, "yard": 0.0}
    answer = await web.client.post(f"{CAMERAS}/yard/connection")
    assert (answer.status_code, answer.json()["id"]) == (200, "yard")
    assert asked()["yard"] > asked()["gate"] == 0.0
    before = asked()
    async with web.bus.camera_tests.answering(Ingest(CameraTestResult(0.1, sentence("camera-login"))).test):
        await web.client.post(TEST, json={"url": URL})
    assert asked() == before, "an address that does not work wakes nobody"
    async with web.bus.camera_tests.answering(Ingest().test):
        await web.client.post(
            TEST, json={"url": URL.replace("s3cret", "***").replace("abcdef", "***"), "camera": "gate"}
        )
    assert asked()["gate"] > 0.0
    assert asked()["yard"] == before["yard"]
    assert (await web.client.post(f"{CAMERAS}/absent/connection")).status_code == 404


async def test_who_asks_after_the_clock_was_set_back_asks_later(web: Web) -> None:
    await web.client.post(CAMERAS, json={"id": "gate", "name": "Gate", "url": URL})
    times_s, asked_s = [7200.0, 3600.0], []
    mirror = SetupMirror(replace(web.tables.web, now_s=lambda: times_s[0]), web.bus.setups, web.bus.access)
    for _ in range(2):
        await mirror.ask_for(CameraId("gate"))
        asked_s += [setup.asked_s for setup in web.bus.setups.newest()]
        times_s.pop(0)
    assert asked_s[0] < asked_s[1]
