"""Health over HTTP, the same on every service: `/healthz`, `/readyz` and `/metrics`.

Healthy is the process alone: a camera, the database or the message server that is away must never have
it restarted. Ready says whether it can do its work now.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.common.http.guard import AnswerHeaders, LoopbackGuard
from services.common.http.problems import RETRY_AFTER_S, install_problems, problem
from services.common.metrics import METRICS_TYPE, Figure, metrics_text
from services.core.sentences.sentence import Sentence, sentence

HEARTBEAT_LIMIT_S = 60.0
"""Longer than anything that the main loop of a service may wait for."""


class LoopHeartbeat:
    """Knows whether a loop still goes round. `beat` is callable from any thread."""

    def __init__(
        self, limit_s: float = HEARTBEAT_LIMIT_S, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit_s, self._monotonic_s = limit_s, monotonic_s
        self._last_s = monotonic_s()

    def beat(self) -> None:
        """Note that the loop went round once more."""
        self._last_s = self._monotonic_s()

    @property
    def age_s(self) -> float:
        """Time since the loop went round."""
        return self._monotonic_s() - self._last_s

    @property
    def is_fresh(self) -> bool:
        """Whether the loop went round not long ago."""
        return self.age_s <= self._limit_s


def liveness(heartbeat: LoopHeartbeat | None = None, details: Mapping[str, object] | None = None) -> Response:
    """Answer that the process lives, with details for a person; 503 when its main loop has stopped."""
    if heartbeat is not None and not heartbeat.is_fresh:
        return problem(503, sentence("loop-stands", seconds=round(heartbeat.age_s)))
    return JSONResponse({"status": "ok", **(details or {})})


def readiness(missing: Sequence[Sentence]) -> Response:
    """Answer whether the service can work; 503 says in words what is missing."""
    if missing:
        return problem(503, reduce(_both, missing), {"Retry-After": str(RETRY_AFTER_S)})
    return JSONResponse({"status": "ready"})


def _both(first: Sentence, second: Sentence) -> Sentence:
    return sentence("several", first=first, second=second)


def figures_answer(figures: Iterable[Figure]) -> Response:
    """Answer with the figures of this moment."""
    return Response(metrics_text(figures), media_type=METRICS_TYPE)


def _no_details() -> dict[str, Any]:
    return {}


def health_app(
    missing: Callable[[], Sequence[Sentence]] = tuple,
    figures: Callable[[], Iterable[Figure]] = tuple,
    heartbeat: LoopHeartbeat | None = None,
    details: Callable[[], Mapping[str, object]] = _no_details,
    is_loopback: bool = False,
) -> Starlette:
    """Make the application of the health port.

    `missing` gives what keeps the service from its work, such as `NATS is away`; `details` what a person
    may want to know beside it, such as degraded cameras. `is_loopback`: only this machine may ask.
    """

    async def get_health(_: Request) -> Response:
        return liveness(heartbeat, details())

    async def get_readiness(_: Request) -> Response:
        return readiness(missing())

    async def get_metrics(_: Request) -> Response:
        return figures_answer(figures())

    app = Starlette(
        routes=[
            Route("/healthz", get_health),
            Route("/readyz", get_readiness),
            Route("/metrics", get_metrics),
        ]
    )
    install_problems(app)
    if is_loopback:
        app.add_middleware(LoopbackGuard)
    app.add_middleware(AnswerHeaders)
    return app
