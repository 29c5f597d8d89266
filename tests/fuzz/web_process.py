"""The web service alone, as a process whose memory can be read.

`python -m tests.fuzz.web_process URI DATABASE LOGIN` prints its port and a token of each role, as JSON.
"""

import asyncio
import json
import logging
import secrets
import sys
from dataclasses import replace

from services.common.access.accounts import Token, UserRole
from services.common.access.check import token_hash
from services.common.bus.camera_tests import CameraTestResult
from services.common.bus.local import LocalBus
from services.common.connections.listening import listen
from services.common.http.server import HttpServer
from services.common.logs import RECENT, configure_logging
from services.common.video.hub import VideoHub
from services.core.lines import line_from_object
from services.core.types import Camera, CameraId
from services.web.settings import WebSettings
from tests.makers import analysis_cost, crossing, recent_minute_s, seconds
from tests.tables import Tables
from tests.web_app import SYSTEM, app_over
from tests.web_login import add_user

LINE = {"id": "main", "points": [[0.1, 0.7], [0.9, 0.7]]}


async def _tokens(tables: Tables) -> dict[str, str]:
    """Make what there is to ask for, and a token of each role."""
    await tables.prepare()
    await tables.setups.add_camera(Camera(CameraId("gate"), "Gate", "demo://traffic"))
    await tables.setups.add_line("gate", line_from_object(LINE))
    start = recent_minute_s()
    states = ("car", "mask", "no_mask")
    events = [crossing(n, start + n, class_name=states[n % 3]) for n in range(50)]
    await tables.events.insert_events([*events, *seconds(start, 30)])
    await add_user(tables, "root", UserRole.ADMIN)
    tokens = {}
    for role in UserRole:
        tokens[role.value] = text = "sl_" + secrets.token_urlsafe(32)
        await tables.accounts.add_token(Token("fuzz", role, token_hash(text), tables.now_s()))
    return tokens


async def _tried(url: str) -> CameraTestResult:
    """Answer in place of an ingest, which this process does not have: nothing is dialled."""
    return CameraTestResult(0.1, None, b"\xff\xd8\xff\xd9", (640, 352), "h264", 25.0)


async def main(uri: str, name: str, login: str) -> None:
    """Serve until the process is ended."""
    tables = Tables(uri, name)
    tokens = await _tokens(tables)
    bus = LocalBus()
    settings = WebSettings.model_validate({"login": login})
    system = replace(SYSTEM, log=RECENT)
    configure_logging()
    logging.getLogger("services.web").warning("opening %s", "rtsp://u:secret@h/s")
    app = app_over(tables, bus, VideoHub(), settings, system)
    bus.states.publish_cost(CameraId("gate"), analysis_cost())
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        print(json.dumps({"port": port, **tokens}), flush=True)
        async with bus.camera_tests.answering(_tried), asyncio.TaskGroup() as tasks:
            tasks.create_task(app.state.context.mirror.run())
            tasks.create_task(HttpServer(app).run_until_cancelled(listening))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
