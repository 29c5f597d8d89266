"""Dialling a NATS server: what a person reads when that does not work."""

import asyncio
import logging
from pathlib import Path

import pytest

from services.common.bus.nats.connection import check_nats_url, nats_connection
from services.core.errors import BadInputError
from tests.nats_server import NatsServer, nats_server
from tests.owners import until


@pytest.mark.parametrize(
    "url", ["", "nats://", "http://host:4222", "nats://host:0", "nats://host:x", "host:4222"]
)
def test_what_is_no_address_is_refused_with_what_to_do(url):
    with pytest.raises(BadInputError, match="SIGHTLINE_NATS_URL"):
        check_nats_url(url)


def test_a_bad_address_does_not_show_its_password():
    with pytest.raises(BadInputError) as raised:
        check_nats_url("http://user:hunter2@host:4222")
    assert "hunter2" not in str(raised.value)


async def test_a_server_that_is_not_there_yet_is_told_of_once_and_waited_for(tmp_path: Path, caplog):
    server = NatsServer(tmp_path / "nats")
    dialling = asyncio.create_task(_connect(server.url))
    await asyncio.sleep(1.3)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "cannot be reached" in caplog.text and "trying again" in caplog.text
    server.start()
    try:
        await asyncio.wait_for(dialling, 5)
    finally:
        server.kill()


async def _connect(url: str) -> None:
    async with nats_connection(url, "test") as client:
        await client.flush()


async def test_a_wrong_password_is_bad_input_and_is_not_shown(tmp_path: Path, caplog):
    with nats_server(tmp_path, "user", "right") as server:
        await _connect(server.url)
        server.password = "hunter2"
        with pytest.raises(BadInputError, match="refuses the login") as raised:
            await asyncio.wait_for(_connect(server.url), 5)
    assert "hunter2" not in str(raised.value) + caplog.text


async def test_an_end_while_dialling_takes_no_time():
    dialling = asyncio.create_task(_connect("nats://127.0.0.1:9"))
    await asyncio.sleep(0.2)
    dialling.cancel()
    await asyncio.wait([dialling], timeout=1)
    assert dialling.cancelled()


async def test_a_loss_and_a_return_are_told(tmp_path: Path, caplog):
    caplog.set_level(logging.INFO)
    with nats_server(tmp_path) as server:
        async with nats_connection(server.url, "test"):
            server.kill()
            await until(lambda: "is away" in caplog.text)
            server.start()
            await until(lambda: "is back" in caplog.text)
