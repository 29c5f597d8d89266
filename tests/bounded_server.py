"""Run as a process: an HTTP server with bounds, which tests attack; its arguments are a JSON object."""

import asyncio
import json
import logging
import os
import resource
import sys
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from services.common.connections.listening import listen
from services.common.http.bounds import HttpLimits
from services.common.http.problems import install_problems
from services.common.http.server import HttpServer
from services.web.serving import SMALL_BODIES, ProxyClients


async def _take(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


async def _refuse(_: Request) -> Response:
    return JSONResponse({}, 401)


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _endless(_: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        while True:
            yield b"part\n"
            await asyncio.sleep(0.1)

    return StreamingResponse(parts())


def _application() -> Starlette:
    app = Starlette(
        routes=[
            Route("/healthz", _health),
            Route("/api/v1/session", _take, methods=["POST"]),
            Route("/refuse", _refuse, methods=["POST"]),
            Route("/take", _take, methods=["GET", "POST"]),
            Route("/endless", _endless),
        ]
    )
    install_problems(app)
    return app


async def _use_up(opened: list[int]) -> None:
    """Take every descriptor that is left, and let go of them when a line comes."""
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        if opened:
            while opened:
                os.close(opened.pop())
        else:
            try:
                while True:
                    opened.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                pass
        print("done", flush=True)


async def _serve(options: dict[str, Any]) -> None:
    limits = HttpLimits(small_bodies=SMALL_BODIES, **options.get("limits", {}))
    clients = ProxyClients(options.get("proxy", ""))
    tls = {"tls_cert": options["tls_cert"], "tls_key": options["tls_key"]} if "tls_cert" in options else {}
    with listen("127.0.0.1", 0) as listening:
        server = HttpServer(_application(), limits=limits, clients=clients, **tls)
        serving = asyncio.create_task(server.run_until_cancelled(listening))
        while not server.started:
            await asyncio.sleep(0.01)
        print(listening.getsockname()[1], flush=True)
        using = asyncio.create_task(_use_up([]))
        await asyncio.wait({serving, using}, return_when=asyncio.FIRST_COMPLETED)
        serving.cancel()
        await asyncio.wait({serving})


if __name__ == "__main__":
    logging.basicConfig(level="INFO", format="%(message)s")
    given = json.loads(sys.argv[1])
    if "descriptors" in given:
        resource.setrlimit(resource.RLIMIT_NOFILE, (given["descriptors"], given["descriptors"]))
    asyncio.run(_serve(given))
