"""The system as the page shows it: queues, costs, engines, disk, versions; its log, and how its host is."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from services.common.access.accounts import UserRole
from services.common.logs import HumanFormatter
from services.common.queues import QueueState
from services.common.recent_log import RecentLog
from services.core.errors import DatabaseUnavailableError, StreamError
from services.core.sentences.sentence import sentence
from services.core.types import CameraId, CameraState, CameraStatus
from services.web.api.system_parts import TROUBLED
from services.web.findings import AGAIN_S, HostFindings
from services.web.system import ServiceState, SystemFinding
from tests.makers import GATE, analysis_cost, camera
from tests.tables import Tables
from tests.web_app import SYSTEM, Web, web_over
from tests.web_login import OPEN_TO_ALL, add_user, browser

SYSTEM_PATH = "/api/v1/system"
QUEUE = QueueState("events", 3, 200_000, 1, "newest")
SECRET_URL = "rtsp://admin:s3cret@192.0.2.7:554/live"


def _log() -> RecentLog:
    log = RecentLog(first_id=1)
    log.setFormatter(HumanFormatter("%(message)s"))
    for number, level in enumerate((logging.INFO, logging.WARNING, logging.ERROR)):
        record = logging.LogRecord("services.ingest", level, "x", 1, "%d %s", (number, SECRET_URL), None)
        log.emit(record)
    return log


AWAY = sentence("database-silent", address="db.internal:27017")

CLUSTER = replace(
    SYSTEM,
    services=lambda: [
        ServiceState("web-node7-ab12", role="web"),
        ServiceState("detector-node3-cd34", role="detector", elsewhere=sentence("other-figures")),
        ServiceState("detector-node4-ef56", role="detector", elsewhere=sentence("other-figures")),
        ServiceState("store-node5-1234", AWAY, "store", (QUEUE,)),
    ],
    own_name="web-node7-ab12",
    process="web on node7",
    elsewhere=sentence("other-processes"),
    log=_log(),
)


@pytest.fixture
async def cluster(tables: Tables) -> AsyncIterator[Web]:
    """A service that wants a login, with an admin and a viewer, and a camera that is analysed."""
    await add_user(tables, "root", UserRole.ADMIN)
    await add_user(tables, "anna", UserRole.VIEWER)
    await tables.setups.add_camera(camera(url=SECRET_URL))
    async with web_over(tables, OPEN_TO_ALL, CLUSTER) as web:
        await web.app.state.context.mirror.refresh()
        web.bus.states.publish_cost(GATE, analysis_cost())
        web.bus.states.publish_cost(CameraId("gone"), analysis_cost())
        yield web


async def test_an_admin_sees_queues_costs_engines_disk_and_versions(cluster: Web) -> None:
    async with browser(cluster.app, "root") as client:
        body = (await client.get(SYSTEM_PATH)).json()
    web, detector, _, store = body["services"]
    assert [queue["name"] for queue in web["queues"]] == [
        "streams",
        "live connections",
        "questions",
        "camera tests",
    ]
    assert web["queues"][0] == {
        "name": "streams",
        "length": 0,
        "capacity": 200,
        "dropped": 0,
        "policy": "refuse",
    }
    assert (detector["queues"], detector["elsewhere_code"]) == ([], "other-figures")
    assert "/metrics" in detector["elsewhere"]
    assert store["queues"][0]["dropped"] == 1
    assert body["cameras"] == [
        {
            "camera": "gate",
            "model": "traffic-n",
            "engine": "openvino-cpu",
            "reason": "it is the fastest of the engines that compute right",
            "reason_code": "engine-fastest",
            "ms_per_frame": 13.75,
            "frames_per_s": 10.0,
            "cores": 0.18,
            "dropped": 3,
            "received_fps": 25.0,
            "delay_ms": 180.5,
        }
    ]
    (engine,) = body["engines"]
    assert (engine["model"], engine["chosen"]) == ("traffic-n", "openvino-cpu")
    assert [(trial["engine"], trial["ms"], trial["passed"]) for trial in engine["tried"]] == [
        ("onnxruntime-cpu", 15.5, True),
        ("openvino-cpu", 12.25, True),
    ]
    assert body["models"][0]["ms_per_frame"] == 11.5
    assert body["models"][1]["ms_per_frame"] is None
    assert body["disk"] == {
        "path": "/srv/sightline",
        "free_bytes": 600,
        "used_bytes": 400,
        "total_bytes": 1000,
    }
    assert body["versions"].items() >= {"sightline": "0.0.0", "python": "3.11.2"}.items()
    assert body["versions"]["database"]


async def test_a_viewer_sees_no_address_folder_machine_or_cause(cluster: Web) -> None:
    async with browser(cluster.app, "anna") as client:
        answer = await client.get(SYSTEM_PATH)
    body = answer.json()
    for secret in ("/srv", "node", "internal", "27017", "127.0.0.1", "3.11.2", "/metrics"):
        assert secret not in answer.text
    assert [service["name"] for service in body["services"]] == ["web", "detector", "detector 2", "store"]
    store = body["services"][3]
    assert (store["status"], store["code"], store["params"]) == (TROUBLED.text, "troubled", {})
    assert [service["code"] for service in body["services"][:3]] == 3 * ["running"]
    assert {(service["elsewhere"], service["elsewhere_code"]) for service in body["services"]} == {
        (None, None)
    }
    assert (body["address"], body["database"]["address"], body["disk"]["path"]) == ("", "", None)
    assert body["versions"] == {"sightline": "0.0.0"}
    assert body["cameras"][0]["ms_per_frame"] == 13.75


async def test_a_viewer_learns_nothing_of_a_database_that_is_away(
    cluster: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails() -> None:
        raise DatabaseUnavailableError(AWAY)

    monkeypatch.setattr(cluster.app.state.context.database.probe, "check", fails)
    for user, why in (("root", AWAY), ("anna", TROUBLED)):
        async with browser(cluster.app, user) as client:
            answer = await client.get(SYSTEM_PATH)
        database = answer.json()["database"]
        assert (database["status"], database["code"], database["params"]) == (why.text, why.code, why.params)
        assert ("27017" in answer.text) == (user == "root")


async def test_log_and_findings_are_for_admins(cluster: Web) -> None:
    async with browser(cluster.app, "anna") as client:
        for path in ("log", "doctor"):
            assert (await client.get(f"{SYSTEM_PATH}/{path}")).status_code == 403
    assert (await cluster.client.get(f"{SYSTEM_PATH}/log")).status_code == 401


async def test_the_log_is_read_on_from_where_one_was(cluster: Web) -> None:
    async with browser(cluster.app, "root") as client:
        answer = await client.get(f"{SYSTEM_PATH}/log")
        body = answer.json()
        assert (body["process"], body["elsewhere_code"]) == ("web on node7", "other-processes")
        assert "sightline doctor" in body["elsewhere"]
        assert [(item["id"], item["level"]) for item in body["items"]] == [
            (1, "info"),
            (2, "warning"),
            (3, "error"),
        ]
        assert body["items"][0]["text"] == "0 rtsp://admin:***@192.0.2.7:554/live"
        assert "s3cret" not in answer.text
        for query, ids in (
            ({"level": "warning"}, [2, 3]),
            ({"after": 1, "limit": 1}, [2]),
            ({"after": 3}, []),
            ({"limit": 1}, [3]),
        ):
            found = (await client.get(f"{SYSTEM_PATH}/log", params=query)).json()
            assert [item["id"] for item in found["items"]] == ids
        for wrong in ({"after": -1}, {"after": "x"}, {"after": 10**30}, {"limit": 2001}, {"level": "loud"}):
            assert (await client.get(f"{SYSTEM_PATH}/log", params=wrong)).status_code == 422


async def test_the_doctor_says_what_is_wrong_with_host_services_and_cameras(cluster: Web) -> None:
    cause = f"cannot open {SECRET_URL}: s3cret is wrong"
    cluster.bus.states.publish_state(GATE, CameraState(CameraStatus.DEGRADED, 1.0, last_error=cause))
    async with browser(cluster.app, "root") as client:
        answer = await client.get(f"{SYSTEM_PATH}/doctor")
    assert "s3cret" not in answer.text
    body = answer.json()
    assert body["process"] == "web on node7"
    found = {item["id"]: item for item in body["items"]}
    assert found["clock"] == {
        "id": "clock",
        "code": "host-clock",
        "params": {"error_ms": 0.5},
        "level": "ok",
        "text": "synchronised, estimated error 0.5 ms",
    }
    assert (found["database"]["level"], found["database"]["code"]) == ("ok", "database-works")
    store = found["service-store-node5-1234"]
    assert (store["level"], store["code"], store["params"]) == (
        "problem",
        "service-troubled",
        {
            "service": "store-node5-1234",
            "status": AWAY.text,
            "status_code": "database-silent",
            "status_address": "db.internal:27017",
        },
    )
    hidden = "cannot open rtsp://admin:***@192.0.2.7:554/live: *** is wrong"
    assert (found["camera-gate"]["code"], found["camera-gate"]["params"]) == (
        "camera-troubled",
        {"camera": "gate", "cause": hidden, "cause_code": "other", "cause_text": hidden},
    )


FINDING = SystemFinding("clock", sentence("host-clock", error_ms=0.5), "ok")


async def test_many_who_ask_cost_one_look_at_the_host() -> None:
    looks: list[int] = []
    now_s = [0.0]

    def look() -> list[SystemFinding]:
        looks.append(threading.get_ident())
        return [FINDING]

    findings = HostFindings(look, lambda: now_s[0])
    for now_s[0] in (0.0, AGAIN_S / 2):
        assert await asyncio.gather(*(findings.newest() for _ in range(50))) == 50 * [[FINDING]]
    assert len(looks) == 1
    assert looks[0] != threading.get_ident(), "it blocks, and does so in a thread"
    now_s[0] = AGAIN_S + 1
    await findings.newest()
    assert len(looks) == 2


async def test_a_look_that_hangs_keeps_nobody_waiting_and_is_not_begun_again() -> None:
    may_end, looks = threading.Event(), []

    def look() -> list[SystemFinding]:
        looks.append(1)
        assert may_end.wait(10)
        return [FINDING]

    findings = HostFindings(look, limit_s=0.05)
    for _ in range(3):
        with pytest.raises(StreamError, match="try again later"):
            await findings.newest()
    may_end.set()
    async with asyncio.timeout(5):
        while True:
            try:
                assert await findings.newest() == [FINDING]
                break
            except StreamError:
                continue
    assert len(looks) == 1


async def test_the_system_stays_cheap(web: Web) -> None:
    """The page asks every few seconds, from every tab."""
    ids = [CameraId(f"camera-{number}") for number in range(50)]
    for id in ids:
        await web.tables.setups.add_camera(camera(id))
    await web.app.state.context.mirror.refresh()
    for id in ids:
        web.bus.states.publish_cost(id, analysis_cost())
    assert len((await web.client.get(SYSTEM_PATH)).json()["cameras"]) == 50
    began_s = time.process_time()
    for _ in range(20):
        assert (await web.client.get(SYSTEM_PATH)).status_code == 200
    assert (time.process_time() - began_s) / 20 < 0.05
