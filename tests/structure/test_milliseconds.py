"""Seconds become milliseconds, and back, in one place."""

import re

import pytest

from tests.structure.conftest import Source

HOME = "services/core/times.py"
CONVERSION = re.compile(
    r"round\([^()]*(?:\([^()]*\)[^()]*)*\* ?1_?000\)|\w_(?:ms|milliseconds)\w* / ?1_?000\b"
    r"|\b(?:time|now|from|to|since|start|end|wall)_s \* ?1_?000\b"
)
"""A time times a thousand, or milliseconds through it; lengths for people (`error_s * 1000`) pass."""


def test_only_one_file_converts(sources: list[Source]) -> None:
    found = {
        source.path: CONVERSION.findall(source.text)
        for source in sources
        if source.path.startswith("services/") and source.path != HOME and CONVERSION.search(source.text)
    }
    assert not found


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ("round(crossing.time_s * 1000)", True),
        ("round(f(x) * 1000)", True),
        ("event.from_s * 1000", True),
        ("start_ms / 1000", True),
        ("milliseconds(crossing.time_s)", False),
        ("(perf_counter() - started_s) * 1000", False),
    ],
)
def test_the_rule_itself(code: str, is_found: bool) -> None:
    assert bool(CONVERSION.search(code)) == is_found
