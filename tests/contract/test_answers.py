"""Answers that are written by hand, because they may be megabytes, hold exactly what their models say."""

import json
from dataclasses import replace
from typing import Any

import pytest

from services.common.wire import time_text
from services.core.types import CameraStatus, StatusChange
from services.web.api.answers import (
    Answer,
    CameraGapsAnswer,
    CountsAnswer,
    CrossingsAnswer,
    GapsAnswer,
    TodayAnswer,
)
from tests.makers import GATE, camera, crossing, line, recent_minute_s, seconds
from tests.web_app import Web

DAY_S = 86_400.0


@pytest.fixture
async def span(web: Web) -> dict[str, str]:
    """A span with crossings of traffic and of masks, analysed in part."""
    start = recent_minute_s()
    web.tables.now_s = lambda: start - 600
    await web.tables.setups.add_camera(camera())
    await web.tables.setups.add_line("gate", replace(line(), backward_name="hinaus"))
    names = ("car", "bus", "mask", "no_mask", "mask_incorrect")
    events = [
        crossing(n, start + n + 0.25, class_name=names[n % 5], direction="backward" if n % 3 else "forward")
        for n in range(90)
    ]
    down = StatusChange(GATE, start + 40, CameraStatus.DEGRADED, "connection refused")
    await web.tables.events.insert_events([*events, *seconds(start, 40), *seconds(start + 60, 30), down])
    return {"from": time_text(start + 0.5), "to": time_text(start + DAY_S / 2)}


LONG_AGO = {"from": "1970-01-01", "to": "1970-01-02"}
QUESTIONS: list[tuple[str, dict[str, str], type[Answer]]] = [
    *(("counts", {"bucket": bucket}, CountsAnswer) for bucket in ("1m", "5m", "15m", "1h", "1d")),
    ("counts", {"line": "main", "tz": "Asia/Kolkata"}, CountsAnswer),
    ("counts", {"by": "line", "class": "mask", "direction": "forward"}, CountsAnswer),
    ("cameras/gate/gaps", {}, GapsAnswer),
    ("gaps", {}, CameraGapsAnswer),
    ("counts/today", {"tz": "Asia/Kolkata"}, TodayAnswer),
    ("cameras/gate/gaps", LONG_AGO, GapsAnswer),
    ("crossings", {}, CrossingsAnswer),
    ("crossings", {"limit": "7"}, CrossingsAnswer),
    ("crossings", {"class": "mask", "mask": "mask", "min_confidence": "0.5"}, CrossingsAnswer),
    ("crossings", LONG_AGO, CrossingsAnswer),
]


async def test_what_is_written_by_hand_is_as_declared(web: Web, span: dict[str, str]) -> None:
    for path, query, model in QUESTIONS:
        answer = await web.client.get(f"/api/v1/{path}", params=span | query)
        assert answer.headers["content-type"] == "application/json"
        _check(answer.content, model)
        assert query == LONG_AGO or len(answer.content) > 150


async def test_rows_of_a_file_are_the_items_of_a_page(web: Web, span: dict[str, str]) -> None:
    rows = (await web.client.get("/api/v1/crossings", params=span | {"format": "ndjson"})).text.splitlines()
    assert len(rows) > 80
    items = ",".join(rows)
    _check(f'{{"items":[{items}],"next":null}}'.encode(), CrossingsAnswer)


def _check(content: bytes, model: type[Answer]) -> None:
    """No key is missing or undeclared, each has its type, and they come in the order of the model."""
    read = model.model_validate_json(content, strict=True)
    assert read.model_dump_json(by_alias=True, exclude_unset=True) == _as_pydantic_writes(json.loads(content))


def _as_pydantic_writes(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
