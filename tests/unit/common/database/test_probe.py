"""Whether a database works: a ping is not enough, many who ask are cheap, and MongoDB tells its disk."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from services.common.database.link import DatabaseLink
from services.common.database.probe import AGAIN_S, DatabaseProbe
from services.core.errors import DatabaseUnavailableError, DiskFullError, HalfRestoredError
from services.core.sentences.sentence import sentence


class Link(DatabaseLink):
    """A database that answers pings, and does what the test wants with documents."""

    def __init__(self) -> None:
        super().__init__("mongodb://127.0.0.1:1/")
        self.failure: Exception | None = None
        self.hangs = False
        self.mark: dict[str, Any] | None = None
        self.stats: dict[str, Any] = {"ok": 1.0}
        self.asked: list[str] = []

    def collection(self, name: str) -> Any:
        return self

    async def find_one(self, query: Mapping[str, Any]) -> dict[str, Any] | None:
        self.asked.append("find")
        return self.mark

    async def find_one_and_update(self, *_: object, upsert: bool) -> None:
        self.asked.append("write")
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure

    async def command(self, command: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(next(iter(command)))
        return self.stats


@pytest.fixture
def link() -> Link:
    return Link()


async def test_one_that_answers_pings_and_writes_nothing_does_not_work(link: Link) -> None:
    now_s = [0.0]
    probe = DatabaseProbe(link, lambda: now_s[0])
    assert probe.trouble == sentence("database-unasked")
    await probe.check()
    assert probe.trouble is None
    link.failure = OperationFailure("no", 14_031)
    now_s[0] = AGAIN_S
    with pytest.raises(DiskFullError):
        await probe.check()
    await link.ping()
    assert (probe.trouble, probe.hangs) == (
        sentence("database-full", address="127.0.0.1:1"),
        False,
    )
    now_s[0], link.failure = 2 * AGAIN_S, None
    await probe.check()
    assert probe.trouble is None


async def test_one_that_takes_too_long_does_not_work(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.common.database.probe.PROBE_LIMIT_S", 0.05)
    link.hangs = True
    probe = DatabaseProbe(link)
    with pytest.raises(DatabaseUnavailableError, match="has not written a document within"):
        await probe.check()
    assert probe.hangs


async def test_one_that_does_not_answer_is_told_from_one_that_answers_with_an_error(link: Link) -> None:
    for failure, hangs in ((AutoReconnect("closed"), True), (OperationFailure("no", 1), False)):
        probe = DatabaseProbe(link)
        link.failure = failure
        with pytest.raises(DatabaseUnavailableError):
            await probe.check()
        assert probe.hangs is hangs


async def test_many_who_ask_at_once_and_again_cost_one_write(link: Link) -> None:
    now_s = [0.0]
    probe = DatabaseProbe(link, lambda: now_s[0])
    link.failure = OperationFailure("no", 1)
    for now_s[0] in (0.0, AGAIN_S / 2):
        told = await asyncio.gather(*(probe.check() for _ in range(50)), return_exceptions=True)
        assert {type(error) for error in told} == {DatabaseUnavailableError}
    assert link.asked.count("write") == 1


async def test_nothing_is_written_while_a_restore_has_not_ended(link: Link) -> None:
    link.mark = {"_id": "restore"}
    with pytest.raises(HalfRestoredError):
        await DatabaseProbe(link).check()
    assert link.asked == ["find"]


async def test_the_disk_is_told_by_a_database_that_knows_it_and_others_are_asked_once(link: Link) -> None:
    now_s = [0.0]
    probe = DatabaseProbe(link, lambda: now_s[0])
    link.stats = {"fsTotalSize": 1000.0, "fsUsedSize": 400.0}
    await probe.check()
    assert probe.free_bytes == 600
    link.stats = {"ok": 1.0}
    for now_s[0] in (10.0, 20.0, 30.0):
        await probe.check()
    assert (probe.free_bytes, link.asked.count("dbStats")) == (None, 2)
    assert probe.total_bytes == 1000


async def test_the_version_is_asked_once(link: Link) -> None:
    now_s = [0.0]
    probe = DatabaseProbe(link, lambda: now_s[0])
    link.stats = {"version": "7.0.5"}
    for now_s[0] in (0.0, 10.0, 20.0):
        await probe.check()
    assert (probe.version, link.asked.count("buildInfo")) == ("7.0.5", 1)
