"""Members that die, stand still and disagree, over a real NATS server."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from services.common.leases.nats.records import LeaseRecords, Record
from services.common.leases.nats.roster import Heartbeat, encode
from services.common.leases.nats.store import HEARTBEATS
from services.common.leases.protocol import Lease, Member
from services.core.types import CameraId
from tests.members import Node, cluster
from tests.nats_server import NatsServer, nats_server
from tests.owners import until
from tests.processes import REPOSITORY

GATE, YARD = CameraId("gate"), CameraId("yard")
SCRIPT = REPOSITORY / "tests" / "fixtures" / "lease_member.py"


@pytest.fixture
def server(tmp_path: Path) -> object:
    with nats_server(tmp_path) as server:
        yield server


async def taken(node: Node, camera: CameraId, timeout_s: float) -> Lease:
    """Try to take a camera until that succeeds."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        lease = await node.store.take(camera, 0)
        if lease is not None:
            return lease
        assert time.monotonic() < deadline_s, f"{camera} could not be taken within {timeout_s:g} s"
        await node.store.changed(0.05)


async def test_a_record_without_a_claim_holds_nobody_up_for_long(server):
    """A write whose acknowledgement was lost names a member that does not know of it."""
    async with cluster(server.url) as members:
        one, other = await asyncio.gather(members.member("a"), members.member("b"))
        records = LeaseRecords(one.client)
        epoch = round(time.time() * 1000) + 3_600_000
        assert await records.write("detector", GATE, Record("a", epoch), 0)
        assert await records.write("detector", YARD, Record("a", epoch), 0)
        assert await other.store.take(GATE, 0) is None
        assert (await one.store.take(YARD, 0)).epoch == epoch + 1
        assert (await taken(other, GATE, 4.0)).epoch == epoch + 1


async def test_of_two_that_claim_a_camera_the_lower_epoch_yields(server):
    async with cluster(server.url) as members:
        one = await members.member("a")
        gate, yard = await one.store.take(GATE, 0), await one.store.take(YARD, 0)
        claims = {GATE: gate.epoch - 1, YARD: yard.epoch + 1}
        for message in (b"no heartbeat", encode(Heartbeat("other", Member("b", "detector"), claims))):
            await one.client.publish(f"{HEARTBEATS}.detector", message)
        await until(lambda: one.store.leased() == (gate,))
        assert one.store.holder("detector", GATE) == Member("a", "detector")
        assert one.store.holder("detector", YARD) == Member("b", "detector")


@asynccontextmanager
async def member_process(server: NatsServer, *cameras: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SCRIPT),
        server.url,
        "process",
        *cameras,
        stdout=asyncio.subprocess.PIPE,
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def told(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """The next thing that the process says of its leases."""
    assert process.stdout is not None
    return dict(json.loads(await asyncio.wait_for(process.stdout.readline(), 10)))


async def test_a_process_that_stood_still_never_holds_what_another_took(server):
    async with cluster(server.url) as members, member_process(server, "gate", "yard") as process:
        other = await members.member("b")
        before = await told(process)
        assert set(before["held"]) == {"gate", "yard"}
        await until(lambda: other.store.holder("detector", YARD) is not None)
        process.send_signal(signal.SIGSTOP)
        successor = await taken(other, GATE, 4.0)
        woken_s = time.monotonic()
        process.send_signal(signal.SIGCONT)
        after = [word async for word in _words_until(process, woken_s + 1.0) if word["at_s"] >= woken_s]
        assert after[0]["held"] == {}, "nothing is trusted before the records were read"
        assert not any("gate" in word["held"] for word in after)
        assert after[-1]["held"] == {"yard": before["held"]["yard"]}
        assert other.store.leased() == (successor,)
        assert successor.epoch > before["held"]["gate"]


async def _words_until(process: asyncio.subprocess.Process, end_s: float) -> AsyncIterator[dict[str, Any]]:
    while True:
        word = await told(process)
        yield word
        if word["at_s"] >= end_s:
            return
