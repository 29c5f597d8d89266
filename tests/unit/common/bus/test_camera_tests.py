"""Camera tests within one process, and as messages."""

import asyncio

import pytest

from services.common.bus.camera_tests import CameraTestResult, LocalCameraTests
from services.common.bus.messages import CameraTestMessage, decode_camera_test, encode_camera_test
from services.core.errors import BadMessageError, BusUnavailableError, NoIngestError
from services.core.limits import TRIAL_LIMIT_BYTES
from services.core.sentences.sentence import Sentence, sentence

ID = "ab" * 16
GOOD = CameraTestResult(1.5, None, bytes(range(256)), (640, 360), "h264", 25.0)
BAD = CameraTestResult(0.1, sentence("stream-codec", codec="hevc"))


async def test_nobody_answers_before_ingest_does_and_after() -> None:
    tests = LocalCameraTests()
    asked = []

    async def answer(url: str) -> CameraTestResult:
        asked.append(url)
        return GOOD

    with pytest.raises(NoIngestError):
        await tests.ask("demo://traffic")
    async with tests.answering(answer):
        assert await tests.ask("demo://traffic") == GOOD
    with pytest.raises(NoIngestError):
        await tests.ask("demo://traffic")
    assert asked == ["demo://traffic"]


async def test_an_answer_that_does_not_come_is_waited_for_within_a_bound() -> None:
    tests, ended = LocalCameraTests(answer_s=0.05), asyncio.Event()

    async def never(url: str) -> CameraTestResult:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return GOOD

    async with tests.answering(never):
        with pytest.raises(BusUnavailableError):
            await tests.ask("demo://traffic")
    assert ended.is_set()


@pytest.mark.parametrize(
    "message",
    [
        CameraTestMessage(ID, "rtsp://u:pw@h/"),
        CameraTestMessage(ID),
        CameraTestMessage(ID, is_full=True),
        CameraTestMessage(ID, result=GOOD),
        CameraTestMessage(ID, result=BAD),
    ],
)
def test_messages_arrive_whole_and_show_no_address(message: CameraTestMessage) -> None:
    assert decode_camera_test(encode_camera_test(message)) == message
    assert "pw" not in repr(message)


@pytest.mark.parametrize(
    "message",
    [
        CameraTestMessage("x.>"),
        CameraTestMessage(ID, result=CameraTestResult(1.0, picture=b"x" * (TRIAL_LIMIT_BYTES + 1))),
        CameraTestMessage(ID, result=CameraTestResult(1.0, codec="x" * 100)),
        CameraTestMessage(ID, result=CameraTestResult(1.0, Sentence("No Code", {}, "text"))),
        CameraTestMessage(ID, result=CameraTestResult(1.0, Sentence("fault", {}, "x" * 10_000))),
    ],
)
def test_what_is_out_of_bounds_is_refused(message: CameraTestMessage) -> None:
    with pytest.raises(BadMessageError):
        decode_camera_test(encode_camera_test(message))
