"""The Python files of the product, parsed once."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file: its path within the repository, its text and its tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def line_count(self) -> int:
        return self.text.count("\n")


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    """Every Python file of `services` and `model`."""
    found = []
    for package in ("services", "model"):
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            if "node_modules" not in path.parts:
                text = path.read_text(encoding="utf-8")
                found.append(Source(path.relative_to(REPOSITORY).as_posix(), text, ast.parse(text)))
    return found
