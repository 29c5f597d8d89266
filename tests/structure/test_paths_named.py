"""A file, folder or decision record that the documents and docstrings name is there.

A path counts as there when one of the repository ends with it, so that a page may name its neighbours by less
than the whole path. CHANGELOG.md tells of what was, and is not read.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from tests.structure.conftest import REPOSITORY

SKIPPED = {"node_modules", "dist", "__pycache__", "build"}
HIDDEN_THAT_COUNT = {".github"}
ROOTS = ("services", "model", "tests", "docs", "configmaps", "k8s", "docker", "scripts")

SUFFIXES = ("py", "md", "yaml", "yml", "conf", "sh", "ts", "tsx", "csv", "toml", "dockerfile")
FILE = re.compile(rf"(?<![\w./<{{*@:~-])[\w.][\w./-]*\.(?:{'|'.join(SUFFIXES)})\b(?![\w/]|\.\w)")
FOLDER = re.compile(r"`((?:[a-z_]+/)+[a-z_0-9]*)`")
RECORD = re.compile(r"\bADRs? (\d+)(?: to (\d+))?|\badr/(\d{4})")

OF_USERS = ("secrets/", "k8s/overlays/harbour/", "build/", "runs/")
"""What the documents have their reader make."""

WRITTEN = {"blends.csv", "errors.csv", "history.csv", "manifest.csv", "metrics.csv"}
"""What training and evaluation write beside their results, or read beside their pictures."""


@cache
def paths() -> tuple[str, ...]:
    """Give all files and folders, folders without a slash at their end."""
    found = [path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.iterdir()]
    for root in ROOTS:
        for path in (REPOSITORY / root).rglob("*"):
            inner = path.relative_to(REPOSITORY)
            if SKIPPED.isdisjoint(inner.parts):
                found.append(inner.as_posix())
    return tuple(found)


@cache
def ends() -> frozenset[str]:
    """Give every path that is the end of one of the repository's."""
    found = set()
    for path in paths():
        parts = path.split("/")
        found |= {"/".join(parts[at:]) for at in range(len(parts))}
    return frozenset(found)


@cache
def records() -> frozenset[int]:
    return frozenset(int(path.name[:4]) for path in (REPOSITORY / "docs" / "adr").glob("[0-9]*.md"))


def is_there(name: str) -> bool:
    plain = re.sub(r"^(\.\.?/)+", "", name).rstrip("/")
    if plain in WRITTEN or plain.startswith(OF_USERS):
        return True
    return any(end in ends() for end in (plain, f"{plain}.py", f"{plain}.ts", f"{plain}.tsx"))


def is_folder_of_ours(name: str) -> bool:
    """Whether a text in backticks means a path: its first part is a folder of the repository or services."""
    first = PurePosixPath(name).parts[0]
    return (REPOSITORY / first).is_dir() or (REPOSITORY / "services" / first).is_dir()


def missing(text: str) -> Iterator[str]:
    """Give what a text names that is not there."""
    yield from (name for name in FILE.findall(text) if not is_there(name))
    yield from (name for name in FOLDER.findall(text) if is_folder_of_ours(name) and not is_there(name))
    for first, last, of_file in RECORD.findall(text):
        begin = int(first or of_file)
        yield from (
            f"ADR {number}" for number in range(begin, int(last or begin) + 1) if number not in records()
        )


def texts() -> list[str]:
    """Give the paths of what is read."""
    documents = [path for path in paths() if path.endswith(".md") and path != "CHANGELOG.md"]
    settings = [path for path in paths() if path.startswith("configmaps/") and Path(path).suffix]
    sources = [
        path
        for path in paths()
        if path.endswith(".py") and path.startswith(("services/", "model/", "tests/"))
    ]
    return sorted({*documents, *settings, *sources})


def read_of(path: str) -> str:
    """Give what is read of a file: of Python only docstrings and comments."""
    text = (REPOSITORY / path).read_text(encoding="utf-8")
    if not path.endswith(".py"):
        return text
    return "\n".join([*re.findall(r'"""(.*?)"""', text, re.DOTALL), *re.findall(r"#(.*)", text)])


def test_every_path_and_record_that_is_named_is_there() -> None:
    found = {path: [*missing(read_of(path))] for path in texts()}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("see `core/counting` and services/core/counting.py", []),
        ("see services/core/absent.py", ["services/core/absent.py"]),
        ("[one page](core/evidence/README.md)", []),
        ("[a page](adr/0001-gone.md)", ["adr/0001-gone.md"]),
        ("`web/counting` counts", ["web/counting"]),
        ("in `common/bus/nats/`", []),
        ("docs/adr/0023, ADRs 28 to 30 and ADR 999", ["ADR 999"]),
        ("https://example.org/absent.md, /etc/absent.conf, <NAME>.yaml and a/b of `text/plain`", []),
    ],
)
def test_the_rule_itself(text: str, lacking: list[str]) -> None:
    assert [*missing(text)] == lacking
