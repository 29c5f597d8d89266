"""Services beside a restore: unready with the reason, they write nothing, and go on when it is whole."""

import asyncio
from pathlib import Path

import httpx
import pytest
from pymongo import MongoClient

from services.common.database.repository import Repository
from services.common.database.schema import ANALYSED, AUDIT, CAMERAS, CROSSINGS, SESSIONS, USERS
from tests.cluster import Cluster, Service, cluster
from tests.processes import wait_until

pytestmark = pytest.mark.timeout(300)

DELETED = (CAMERAS, CROSSINGS, ANALYSED, USERS, SESSIONS, AUDIT)


def _reason(service: Service) -> str:
    answer = httpx.get(f"{service.health_url}/readyz", timeout=15)
    return str(answer.json()["detail"]) if answer.status_code == 503 else ""


def _documents(system: Cluster) -> int:
    with MongoClient(system.database.uri) as client:
        return sum(client.sightline[name].count_documents({}) for name in DELETED)


def _analysed(system: Cluster) -> int:
    with MongoClient(system.database.uri) as client:
        return int(client.sightline[ANALYSED].count_documents({}))


def test_nothing_is_written_into_a_half_database(tmp_path: Path) -> None:
    with cluster(tmp_path) as system:
        for name in ("ingest", "detector", "store", "web", "rtsp"):
            system.add(name)
        system.wait_ready()
        with system.api as api:
            assert (
                api.post("/api/v1/cameras", json={"id": "demo", "url": "demo://traffic"}).status_code == 201
            )
        wait_until(lambda: _analysed(system), 90, "something is analysed")

        with asyncio.Runner() as runner:
            restoring = Repository(system.database.uri)
            runner.run(restoring.begin_restore())
            for name in ("store", "web"):
                wait_until(
                    lambda name=name: "part of a backup" in _reason(system[name]), 30, f"{name} is unready"
                )
            assert system["store"].metric("sightline_database_up") == 0
            with MongoClient(system.database.uri) as client:
                for name in DELETED:
                    client.sightline[name].delete_many({})
            with system.api as api:
                made = api.post("/api/v1/cameras", json={"id": "other", "url": "demo://traffic"})
                assert made.status_code == 503 and "part of a backup" in made.json()["detail"]
            runner.run(asyncio.sleep(6))
            assert _documents(system) == 0
            assert system["ingest"].metric("sightline_cameras_owned") == 1, (
                "a half is not published as the whole"
            )
            runner.run(restoring.end_restore())
            runner.run(restoring.close())
        system.wait_ready(60)
        wait_until(lambda: _analysed(system), 60, "what waited is written")
