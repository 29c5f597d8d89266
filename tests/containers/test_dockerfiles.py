"""What can be read from the Dockerfiles without building them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.k8s.checks.dockerfiles import Stage, last, stages
from tests.processes import REPOSITORY

DOCKERFILE = REPOSITORY / "docker/Dockerfile"
DOCKERFILES = [DOCKERFILE, *sorted(REPOSITORY.glob("tests/containers/standins/*/Dockerfile"))]
IMAGES = {"store", "web", "detector", "detector-gpu", "ingest", "rtsp", "sightline"}
BASE = "python:3.11-slim-bookworm"


def lint(file: Path) -> str:
    """What hadolint finds."""
    program = Path(sys.executable).with_name("hadolint")
    command = [program, "--no-color", "--config", REPOSITORY / ".hadolint.yaml", file]
    return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout


def chain(known: dict[str, Stage], target: str) -> list[str]:
    """The stages that an image begins with, itself first."""
    return [target, *chain(known, known[target].base)] if target in known else []


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_hadolint_finds_nothing(file: Path) -> None:
    assert lint(file) == ""


def test_hadolint_finds_what_is_wrong(tmp_path: Path) -> None:
    broken = tmp_path / "Dockerfile"
    text = DOCKERFILE.read_text(encoding="utf-8")
    broken.write_text(text.replace("--no-install-recommends ", "").replace("COPY model", "ADD model"))
    assert {"DL3015", "DL3020"} <= set(re.findall(r"DL\d+", lint(broken)))


def test_images_share_their_first_layers() -> None:
    known = stages(DOCKERFILE)
    assert {name for name in known if last(known, name, "CMD")} == IMAGES
    for name in IMAGES:
        wanted = ["common"] if name == "store" else ["pictures", "common"]
        assert chain(known, name)[-len(wanted) :] == wanted
        assert ("COPY", "--from=program /program /opt/sightline") in known[name].instructions


def test_the_detector_for_gpus_differs_in_its_engine_alone() -> None:
    known = stages(DOCKERFILE)
    own, gpu = chain(known, "detector"), chain(known, "detector-gpu")
    assert (own, gpu) == (
        ["detector", "inference", "pictures", "common"],
        ["detector-gpu", "inference-gpu", "pictures", "common"],
    )
    said, of_gpu = (
        [(word, rest) for word, rest in known[name].instructions if word != "LABEL"]
        for name in (own[0], gpu[0])
    )
    assert said == of_gpu


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_there_is_one_base(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    bases = {stage.base for stage in stages(file).values()} - stages(file).keys()
    assert bases == {"${BASE}"}
    assert re.findall(r"^ARG BASE=(\S+)$", text, re.MULTILINE) == [BASE]


def test_each_image_names_its_licences() -> None:
    known = stages(DOCKERFILE)
    licences = {
        name: next(rest for stage in chain(known, name) if (rest := _label(known[stage], "licenses")))
        for name in IMAGES
    }
    assert "0BSD" not in licences["store"]
    assert {name for name, text in licences.items() if "LicenseRef-NVIDIA" in text} == {"detector-gpu"}
    assert len({licences[name] for name in IMAGES - {"store", "detector-gpu", "sightline"}}) == 1
    # SecantusDB, which is in this one alone.
    assert {name for name, text in licences.items() if "GPL-2.0-only" in text} == {"sightline"}
    assert licences["sightline"] == f"{licences['web']} AND GPL-2.0-only AND CC-BY-4.0"


def test_the_whole_brings_what_all_services_bring() -> None:
    known = stages(DOCKERFILE)
    copied = " ".join(rest for word, rest in known["sightline"].instructions if word == "COPY")
    assert chain(known, "sightline")[:2] == ["sightline", "media"]
    for lock in ("inference", "web", "embedded"):
        assert f"{lock}.lock" in copied


def _label(stage: Stage, name: str) -> str:
    """What a stage says of itself; empty where it does not."""
    said = " ".join(rest for word, rest in stage.instructions if word == "LABEL")
    found = re.search(rf'org\.opencontainers\.image\.{name}="([^"]*)"', said)
    return found.group(1) if found else ""
