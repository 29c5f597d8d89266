"""What can be read from the Dockerfiles without building them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import REPOSITORY

DOCKERFILES = sorted(
    [*REPOSITORY.glob("docker/*.Dockerfile"), *REPOSITORY.glob("tests/containers/standins/*/Dockerfile")]
)
FIRST, LAST = "# ---- the same lines", "# ---- end of the same lines"
BASE = "python:3.11-slim-bookworm"


def lint(file: Path) -> str:
    """What hadolint finds."""
    program = Path(sys.executable).with_name("hadolint")
    command = [program, "--no-color", "--config", REPOSITORY / ".hadolint.yaml", file]
    return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout


def common_lines(text: str) -> str:
    """The lines that all Dockerfiles share, by which they share layers."""
    return text[text.index(FIRST) : text.index(LAST)]


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_hadolint_finds_nothing(file: Path) -> None:
    assert lint(file) == ""


def test_hadolint_finds_what_is_wrong(tmp_path: Path) -> None:
    broken = tmp_path / "Dockerfile"
    text = DOCKERFILES[0].read_text(encoding="utf-8")
    broken.write_text(text.replace("--no-install-recommends ", "").replace("COPY model", "ADD model"))
    assert {"DL3015", "DL3020"} <= set(re.findall(r"DL\d+", lint(broken)))


@pytest.mark.parametrize("name", ["gpu", "media"])
def test_layers_are_shared(name: str) -> None:
    core, other = ((REPOSITORY / f"docker/{file}.Dockerfile").read_text("utf-8") for file in ("core", name))
    assert common_lines(core) == common_lines(other)


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_there_is_one_base(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", text, re.MULTILINE))
    bases = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) - stages
    assert bases == {"${BASE}"}
    assert re.findall(r"^ARG BASE=(\S+)$", text, re.MULTILINE) == [BASE]
