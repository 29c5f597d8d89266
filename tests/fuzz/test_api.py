"""The whole API by its own description, with a login and without: no input is answered by a 500."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error

from services.common.bus.local import LocalBus
from services.common.video.hub import VideoHub
from services.web.settings import WebSettings
from tests.fuzz.inputs import FITTING, LINE_FIELDS, fields, query_fields
from tests.fuzz.memory import LIMIT_BYTES, resident_bytes
from tests.tables import Tables
from tests.web_app import app_over

TIMEOUT_S = 20.0
EXAMPLES = {"admin": 15, "open": 10, "nobody": 4}
"""Requests of each operation and kind of data, by who sends them."""

ENDLESS = ("/tracks", "/stream.mjpeg", "/snapshot.jpg")
"""Answers that wait for pictures: only cameras that are not there are asked for."""


def _description() -> dict[str, Any]:
    tables = Tables("mongodb://127.0.0.1:9/")
    return app_over(tables, LocalBus(), VideoHub(), WebSettings()).openapi()


DESCRIPTION = _description()


def _takes_anything(operation: APIOperation) -> bool:
    return bool(operation.path_parameters or operation.query or operation.body)


OPERATIONS = [result.ok() for result in schemathesis.openapi.from_dict(DESCRIPTION).get_all_operations()]
CASES = [
    pytest.param(operation, mode, id=f"{operation.label} {mode.value}")
    for operation in OPERATIONS
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or operation.body
]
"""Every operation with what it asks for; those with a body also with what they do not."""


@dataclass
class Service:
    """The service that is asked, and by whom."""

    url: str
    headers: dict[str, str]
    pid: int
    session: requests.Session


@contextmanager
def _process(uri: str, login: str) -> Iterator[tuple[int, dict[str, Any]]]:
    name = f"fuzz_{uuid.uuid4().hex[:12]}"
    command = [sys.executable, "-m", "tests.fuzz.web_process", uri, name, login]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield process.pid, json.loads(process.stdout.readline())
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(20)


@pytest.fixture(scope="module", params=sorted(EXAMPLES))
def service(request: pytest.FixtureRequest, database_uri: str) -> Iterator[Service]:
    who: str = request.param
    with _process(database_uri, "off" if who == "open" else "required") as (pid, told):
        headers = {"Authorization": f"Bearer {told['token']}"} if who == "admin" else {}
        with requests.Session() as session:
            found = Service(f"http://127.0.0.1:{told['port']}", headers, pid, session)
            _warm_up(found)
            before = resident_bytes(pid)
            yield found
            assert session.get(f"{found.url}/healthz", timeout=TIMEOUT_S).status_code == 200
            assert resident_bytes(pid) - before < LIMIT_BYTES, "memory that strangers have taken"


def _warm_up(service: Service) -> None:
    """Have everything loaded that is loaded once: passwords, zones, the description of the API."""
    for path in ("/", "/api/v1/openapi.json", "/api/v1/counts?tz=Europe/Berlin", "/api/v1/audit", "/metrics"):
        service.session.get(f"{service.url}{path}", headers=service.headers, timeout=TIMEOUT_S)
    for _ in range(3):
        login = {"user": "root", "password": "wrong"}
        service.session.post(f"{service.url}/api/v1/session", json=login, timeout=TIMEOUT_S)


def _reach_further(case: Case, data: st.DataObject, operation: APIOperation) -> None:
    """Put values in place that reach what lies behind the first check."""
    if operation.query:
        names = [parameter.name for parameter in operation.query]
        case.query = query_fields(data, names, dict(case.query))
    if operation.path_parameters and not operation.path.endswith(ENDLESS):
        for name, value in case.path_parameters.items():
            there = FITTING[{"id": "camera"}.get(name, name)]
            case.path_parameters[name] = data.draw(st.sampled_from([*there, *there, value]))
    if isinstance(case.body, dict):
        known = set(case.body) | (set(LINE_FIELDS) if "/lines" in operation.path else set())
        case.body = fields(data, sorted(known | _body_fields(operation), key=str), dict(case.body))


def _body_fields(operation: APIOperation) -> set[str]:
    schema = next(iter(operation.body)).definition["schema"]
    name = schema.get("$ref", "").rpartition("/")[2]
    return set(DESCRIPTION["components"]["schemas"].get(name, {}).get("properties", {}))


def _is_quiet_failure(answer: requests.Response | Any, operation: APIOperation) -> bool:
    """A camera that gives no picture is told by a 503, which is no error of ours."""
    return bool(answer.status_code == 503 and operation.path.endswith("/snapshot.jpg"))


@pytest.mark.parametrize(("operation", "mode"), CASES)
def test_no_input_is_answered_by_an_error_of_ours(
    service: Service, operation: APIOperation, mode: GenerationMode, request: pytest.FixtureRequest
) -> None:
    examples = EXAMPLES[request.node.callspec.params["service"]] * (3 if operation.query else 1)

    @settings(
        max_examples=examples if _takes_anything(operation) else 2,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def ask(case: Case, data: st.DataObject) -> None:
        if data.draw(st.integers(0, 4)):
            _reach_further(case, data, operation)
        answer = case.call(
            base_url=service.url, session=service.session, headers=service.headers, timeout=TIMEOUT_S
        )
        if not _is_quiet_failure(answer, operation):
            case.validate_response(answer, checks=[not_a_server_error])

    ask()
