"""The whole API by its own description, with a login and without: no input is answered by a 500, and every
answer is as declared: its status, its kind, its headers and its fields.
"""

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
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.core.sentences.sentence import CATALOGUE, OTHER, is_sayable
from tests.contract.openapi import described
from tests.fuzz.inputs import FITTING, fields, query_fields
from tests.fuzz.memory import LIMIT_BYTES, resident_bytes

TIMEOUT_S = 20.0
LINE = {"name": "Yard", "points": [[0.1, 0.2], [0.3, 0.4]]}
PASSWORD = "correct horse battery"
SPAN = {"from": "2026-11-28T00:00:00Z", "to": "2026-11-29T00:00:00Z", "bucket": "15m", "tz": "Asia/Kolkata"}
GOOD: list[tuple[str, dict[str, Any]]] = [
    *((f"GET {path}", {}) for path in ("/healthz", "/readyz", "/metrics")),
    *((f"GET /api/v1/{path}", {}) for path in ("docs", "openapi.json", "system", "system/doctor", "session")),
    ("GET /api/v1/models", {}),
    ("POST /api/v1/cameras", {"body": {"id": "yard", "url": "demo://traffic"}}),
    ("POST /api/v1/cameras/test", {"body": {"url": "demo://traffic", "model": "traffic"}}),
    ("GET /api/v1/cameras", {}),
    ("POST /api/v1/cameras/test", {"body": {"url": "demo://traffic"}}),
    ("GET /api/v1/cameras/{id}", {"path_parameters": {"id": "gate"}}),
    ("PATCH /api/v1/cameras/{id}", {"path_parameters": {"id": "yard"}, "body": {"fps": 5}}),
    ("POST /api/v1/cameras/{id}/connection", {"path_parameters": {"id": "gate"}}),
    ("POST /api/v1/cameras/{camera}/lines", {"path_parameters": {"camera": "yard"}, "body": LINE}),
    ("GET /api/v1/cameras/{camera}/lines", {"path_parameters": {"camera": "gate"}}),
    ("GET /api/v1/cameras/{camera}/lines/{line}", {"path_parameters": {"camera": "gate", "line": "main"}}),
    (
        "GET /api/v1/cameras/{camera}/lines/{line}/versions",
        {"path_parameters": {"camera": "gate", "line": "main"}},
    ),
    (
        "PATCH /api/v1/cameras/{camera}/lines/{line}",
        {"path_parameters": {"camera": "yard", "line": "yard"}, "body": {"classes": ["car"]}},
    ),
    ("GET /api/v1/counts", {"query": {"camera": "gate", "bucket": "1m"}}),
    ("GET /api/v1/counts", {"query": {"line": "main", **SPAN}}),
    ("GET /api/v1/counts", {"query": {"by": "line", "line": ["main"], "class": ["car"], **SPAN}}),
    ("GET /api/v1/counts", {"query": {"by": "line", "format": "csv", "spreadsheet": "comma"}}),
    ("GET /api/v1/counts/today", {"query": {"tz": "Asia/Kolkata"}}),
    ("GET /api/v1/gaps", {}),
    ("GET /api/v1/crossings", {"query": {"class": ["car", "bus"], "mask": "mask", "min_confidence": 0.5}}),
    *(("GET /api/v1/crossings", {"query": {"format": form}}) for form in ("json", "csv", "ndjson")),
    ("GET /api/v1/cameras/{camera}/gaps", {"path_parameters": {"camera": "gate"}}),
    ("POST /api/v1/users", {"body": {"name": "anna", "password": PASSWORD}}),
    ("GET /api/v1/users", {}),
    ("PATCH /api/v1/users/{name}", {"path_parameters": {"name": "anna"}, "body": {"role": "admin"}}),
    ("POST /api/v1/tokens", {"body": {"name": "robot", "expires": "never"}}),
    ("GET /api/v1/tokens", {}),
    ("DELETE /api/v1/tokens/{id}", {"path_parameters": {}}),
    ("POST /api/v1/session", {"body": {"user": "root", "password": PASSWORD}}),
    ("DELETE /api/v1/session", {}),
    ("GET /api/v1/audit", {"query": {"limit": 2}}),
    ("GET /api/v1/system/log", {"query": {"level": "warning", "after": 0, "limit": 5}}),
    (
        "DELETE /api/v1/cameras/{camera}/lines/{line}",
        {"path_parameters": {"camera": "yard", "line": "yard"}},
    ),
    ("DELETE /api/v1/cameras/{id}", {"path_parameters": {"id": "yard"}}),
    ("GET /api/v1/cameras/{camera}/generations", {"path_parameters": {"camera": "yard"}}),
    ("GET /api/v1/generations", {}),
    (
        "DELETE /api/v1/cameras/{camera}/generations/{generation}",
        {"path_parameters": {"camera": "yard", "generation": 1}},
    ),
    ("DELETE /api/v1/users/{name}", {"path_parameters": {"name": "anna"}}),
]
"""Requests that are answered well, in this order; of all operations but those of `NOT_GOOD`."""

NOT_GOOD = ("/tracks", "/stream.mjpeg", "/snapshot.jpg", "/system/retention", "/system/clock")
"""Streams, and what answers well only while something waits for a person."""

EXAMPLES = {"admin": 15, "open": 10, "viewer": 3, "nobody": 3}
"""Requests of each operation and kind of data, by who sends them."""

ENDLESS = ("/tracks", "/stream.mjpeg", "/snapshot.jpg")
"""Answers that wait for pictures: only cameras that are not there are asked for."""

AS_DECLARED = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

DESCRIPTION = described()


def _takes_anything(operation: APIOperation) -> bool:
    return bool(operation.path_parameters or operation.query or operation.body)


FOUND = [result.ok() for result in schemathesis.openapi.from_dict(DESCRIPTION).get_all_operations()]
OPERATIONS = sorted(FOUND, key=lambda operation: operation.method == "delete")
"""What is removed is removed last: the others would find nothing to answer of."""

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

    def ask(self, case: Case) -> Any:
        """Send a request, and give its answer."""
        return case.call(base_url=self.url, session=self.session, headers=self.headers, timeout=TIMEOUT_S)


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
    with _process(database_uri, "off" if who == "open" else "required") as (pid, made):
        headers = {"Authorization": f"Bearer {made[who]}"} if who in made else {}
        with requests.Session() as session:
            found = Service(f"http://127.0.0.1:{made['port']}", headers, pid, session)
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
        known = set(case.body) | _body_fields(operation)
        case.body = fields(data, sorted(known, key=str), dict(case.body))


def _body_fields(operation: APIOperation) -> set[str]:
    schema = next(iter(operation.body)).definition["schema"]
    name = schema.get("$ref", "").rpartition("/")[2]
    return set(DESCRIPTION["components"]["schemas"].get(name, {}).get("properties", {}))


def _check_sentences(answer: requests.Response | Any, operation: APIOperation) -> None:
    """Each refusal says what it means with a code that a page knows, and with parameters within bounds."""
    if answer.headers.get("content-type", "") != "application/problem+json":
        return
    body = answer.json()
    for said in (body, *body.get("errors", ())):
        params = said["params"]
        codes = {said["code"], *(value for name, value in params.items() if name.endswith("_code"))}
        assert codes <= CATALOGUE.keys() - {OTHER}, (operation.label, said)
        assert is_sayable(said["code"], {name: _shown(value) for name, value in params.items()}), said


def _shown(value: Any) -> Any:
    """Give a parameter of an answer, which may name what it refuses: that holds whatever was sent."""
    return value.replace("\0", "") if isinstance(value, str) else value


def _is_quiet_failure(answer: requests.Response | Any, operation: APIOperation) -> bool:
    """A camera that gives no picture answers 503, which is no error of ours."""
    return bool(answer.status_code == 503 and operation.path.endswith("/snapshot.jpg"))


@pytest.mark.parametrize("service", ["admin"], indirect=True)
def test_good_requests_are_answered_as_declared(service: Service) -> None:
    by_label = {operation.label: operation for operation in OPERATIONS}
    made = ""
    for label, parts in GOOD:
        if label == "DELETE /api/v1/tokens/{id}":
            parts = {"path_parameters": {"id": made}}
        case = by_label[label].Case(**parts)
        answer = service.ask(case)
        assert answer.status_code < 300, (label, answer.text)
        case.validate_response(answer, checks=AS_DECLARED)
        made = answer.json()["id"] if label == "POST /api/v1/tokens" else made
    never = {label for label in by_label if label.endswith(NOT_GOOD)}
    assert set(by_label) - never == {label for label, _ in GOOD}


@pytest.mark.parametrize(("operation", "mode"), CASES)
def test_every_answer_is_as_declared_and_none_is_an_error_of_ours(
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
        answer = service.ask(case)
        _check_sentences(answer, operation)
        is_quiet = _is_quiet_failure(answer, operation)
        case.validate_response(answer, checks=AS_DECLARED if is_quiet else [not_a_server_error, *AS_DECLARED])

    ask()
