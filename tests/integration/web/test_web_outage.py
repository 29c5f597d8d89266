"""The web service through outages of its database."""

import asyncio
from dataclasses import replace

from services.core.types import CameraId, Ownership
from tests.database_server import DatabaseServer
from tests.makers import camera, line, recent_minute_s
from tests.tables import Tables
from tests.web_app import web_over


async def test_cameras_are_published_when_the_database_comes_and_requests_fail_clearly_meanwhile(
    own_server: DatabaseServer,
) -> None:
    tables = Tables(own_server.uri)
    await tables.setups.add_camera(camera())
    await tables.setups.add_line("gate", line())
    own_server.kill()
    async with web_over(tables) as web, web.bus.setups.follow() as changes:
        assert (await web.client.get("/api/v1/cameras")).status_code == 503
        assert (await web.client.get("/healthz")).status_code == 200
        await asyncio.to_thread(own_server.start)
        async with asyncio.timeout(30):
            (setup,) = await anext(changes)
        assert (setup.camera.id, [item.id for item in setup.lines]) == ("gate", ["main"])
        assert (await web.client.get("/api/v1/cameras")).status_code == 200
    await tables.close()


async def test_a_restart_keeps_everything_and_tells_the_highest_epoch(tables: Tables) -> None:
    for highest in (0, 5):
        if highest:
            await tables.events.insert_events([Ownership(CameraId("gate"), highest, recent_minute_s())])
        async with web_over(tables) as web, web.bus.setups.follow() as changes:
            if not highest:
                made = await web.client.post("/api/v1/cameras", json={"id": "gate", "url": "demo://traffic"})
                assert made.status_code == 201
                await web.client.post("/api/v1/cameras/gate/lines", json={"points": [[0.1, 0.1], [0.9, 0.9]]})
            async with asyncio.timeout(10):
                async for setups in changes:
                    if setups and setups[0].lines:
                        break
            assert setups[0].camera.id == CameraId("gate")
            assert (setups[0].highest_epoch, setups[0].lines[0].id) == (highest, "line")


async def test_what_nats_refuses_keeps_the_page_from_being_ready(tables: Tables) -> None:
    refused = ["NATS refuses to let this service publish to here"]
    async with web_over(tables) as web:
        context = web.app.state.context
        assert (await web.client.get("/readyz")).status_code == 200
        web.app.state.context = replace(context, system=replace(context.system, missing=lambda: refused))
        answer = await web.client.get("/readyz")
        assert (answer.status_code, answer.json()["detail"]) == (503, refused[0])
        assert (await web.client.get("/api/v1/cameras")).status_code == 200, "what works goes on"
