"""No task and no thread ends unnoticed."""

import asyncio
import logging
import threading

import pytest

from services.common.tasks import kept_running, log_thread_failures, watched, watched_from_thread


async def _fail() -> None:
    raise RuntimeError("nobody foresaw this")


async def test_a_task_that_nobody_awaits_tells_the_log_what_it_failed_with(
    caplog: pytest.LogCaptureFixture,
) -> None:
    task = watched(_fail(), "the writer")
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert "the writer failed" in caplog.text
    assert "nobody foresaw this" in caplog.text


async def test_a_task_that_another_thread_began_tells_the_log_too(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    future = await asyncio.to_thread(watched_from_thread, _fail(), loop, "the feed")
    await asyncio.to_thread(future.exception)
    assert "the feed failed" in caplog.text
    assert "nobody foresaw this" in caplog.text


async def test_a_task_that_is_cancelled_or_done_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    ended, cancelled = watched(asyncio.sleep(0), "one"), watched(asyncio.sleep(60), "other")
    cancelled.cancel()
    await asyncio.wait([ended, cancelled])
    await asyncio.sleep(0)
    assert not caplog.records


async def test_lasting_work_goes_on_after_a_failure_and_after_an_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    turns, failures, waits = iter([RuntimeError("once"), None, asyncio.CancelledError()]), [], []

    async def work() -> None:
        if (error := next(turns)) is not None:
            raise error

    async def sleep(time_s: float) -> None:
        waits.append(time_s)

    with pytest.raises(asyncio.CancelledError):
        await kept_running(work, "the watcher", on_failure=lambda: failures.append(1), sleep=sleep)
    assert [record.getMessage() for record in caplog.records] == [
        "the watcher failed and starts again",
        "the watcher ended by itself and starts again",
    ]
    assert len(failures) == len(waits) == 2


def test_a_thread_that_fails_tells_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    log_thread_failures()

    def fail() -> None:
        raise RuntimeError("nobody foresaw this")

    with caplog.at_level(logging.ERROR):
        thread = threading.Thread(target=fail, name="reader-7")
        thread.start()
        thread.join()
    assert "the thread reader-7 failed" in caplog.text
    assert "nobody foresaw this" in caplog.text
