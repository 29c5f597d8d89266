"""The description of the API: complete, as clients know it, and what the page is built from."""

import copy
import difflib
from pathlib import Path

from tests.contract.openapi import SNAPSHOT, as_text, described, without_schema
from tests.page_tools import TYPES, write_types

RENEW = "if that is meant, scripts/renew-api.sh writes it anew; clients and the page are made from it"
MOST_LINES = 200
"""Of a difference; a longer one is a different API."""


def _difference(name: str, known: str, now: str) -> str:
    """Tell what is not as it was; empty where all is."""
    lines = difflib.unified_diff(
        known.splitlines(), now.splitlines(), f"{name} as committed", "as it is now", n=4
    )
    shown = list(lines)[:MOST_LINES]
    return "\n".join([f"{name} has changed: {RENEW}", *shown]) if shown else ""


def test_the_api_is_described_as_clients_know_it() -> None:
    difference = _difference(SNAPSHOT.name, SNAPSHOT.read_text(encoding="utf-8"), as_text(described()))
    assert not difference, difference


def test_the_page_is_built_with_the_types_of_this_description(tmp_path: Path) -> None:
    write_types(SNAPSHOT, tmp_path / TYPES.name)
    now = (tmp_path / TYPES.name).read_text(encoding="utf-8")
    difference = _difference(TYPES.name, TYPES.read_text(encoding="utf-8"), now)
    assert not difference, difference


def test_a_change_is_shown_line_by_line() -> None:
    now = copy.deepcopy(described())
    del now["components"]["schemas"]["GapAnswer"]["properties"]["cause"]
    difference = _difference(SNAPSHOT.name, as_text(described()), as_text(now))
    assert RENEW in difference
    assert '-     "cause": {' in difference
    assert len(difference.splitlines()) < 25


def test_every_answer_and_body_has_a_schema() -> None:
    assert not without_schema(described())


def test_what_has_no_schema_is_found() -> None:
    """The measure itself: each of these was so once."""
    found = copy.deepcopy(described())
    paths = found["paths"]
    counts = paths["/api/v1/counts"]["get"]["responses"]["200"]
    body = paths["/api/v1/cameras/{camera}/lines"]["post"]["requestBody"]
    for place in (counts, body):
        place["content"]["application/json"]["schema"] = {"type": "object", "additionalProperties": True}
    del paths["/api/v1/cameras/{camera}/tracks"]["get"]["responses"]["200"]["content"]
    json_error = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    paths["/api/v1/audit"]["get"]["responses"]["422"] = json_error
    assert without_schema(found) == [
        "GET /api/v1/audit 422 is no problem",
        "GET /api/v1/cameras/{camera}/tracks 200",
        "GET /api/v1/counts 200 application/json",
        "POST /api/v1/cameras/{camera}/lines body",
    ]


def test_operations_have_names_of_their_own() -> None:
    names = [item["operationId"] for methods in described()["paths"].values() for item in methods.values()]
    assert len(set(names)) == len(names)
