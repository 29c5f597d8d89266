"""`scripts/pin-images.sh` on a copy of the repository, beside a registry that is a script."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.containers.service_facts import facts_of_compose, facts_of_manifests, read_compose
from tests.k8s.rendering import kustomize
from tests.processes import REPOSITORY

FILES = ("docker/Dockerfile", "docker-compose.yml")
KUSTOMIZATION = "k8s/components/images/kustomization.yaml"
DIGESTS = {"python": "sha256:" + "1" * 64, "mongo": "sha256:" + "2" * 64, "nats": "sha256:" + "3" * 64}

Registry = Callable[[dict[str, str]], None]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in ("scripts", "docker", "k8s", "configmaps"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    for name in ("docker-compose.yml", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    return tmp_path


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Answers for skopeo with a digest for each name; fails for what it does not know."""

    def answer(digests: dict[str, str]) -> None:
        cases = "".join(f"*library/{name}:*) echo {digest};;\n" for name, digest in digests.items())
        program = tmp_path / "bin/skopeo"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\ncase "$4" in\n{cases}*) exit 1;;\nesac\n')
        program.chmod(0o755)

    return answer


def pin(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": f"{copy}/bin:/usr/bin:/bin"}
    command = [copy / "scripts/pin-images.sh", *arguments]
    return subprocess.run(command, env=variables, cwd=copy, capture_output=True, text=True, timeout=30)


def texts(copy: Path) -> dict[str, str]:
    return {name: (copy / name).read_text(encoding="utf-8") for name in (*FILES, KUSTOMIZATION)}


def test_digests_are_filled_renewed_and_taken_away(copy: Path, registry: Registry) -> None:
    before = texts(copy)
    registry(DIGESTS)
    assert pin(copy).returncode == 0
    filled = texts(copy)
    assert f"ARG BASE=python:3.11-slim-bookworm@{DIGESTS['python']}\n" in filled["docker/Dockerfile"]
    in_compose = facts_of_compose(read_compose(filled["docker-compose.yml"]))
    in_cluster = facts_of_manifests(kustomize(copy / "k8s"))
    for service, name in (("mongodb", "mongo"), ("nats", "nats")):
        assert in_compose[service].image == in_cluster[service].image == f"{name}@{DIGESTS[name]}"

    newer = {name: digest[:-1] + "f" for name, digest in DIGESTS.items()}
    registry(newer)
    assert pin(copy).returncode == 0
    for text in texts(copy).values():
        assert not [digest for digest in DIGESTS.values() if digest in text]

    assert pin(copy, "--tags").returncode == 0
    assert texts(copy) == before


@pytest.mark.parametrize("nats", ["", "sha256:12", f"sha256:{'z' * 64}"])
def test_nothing_changes_unless_every_digest_is_known(copy: Path, registry: Registry, nats: str) -> None:
    before = texts(copy)
    registry(DIGESTS | {"nats": nats})
    done = pin(copy)
    assert done.returncode == 1
    assert "the digest of nats:2.15.1-alpine: nothing is changed" in done.stderr
    assert texts(copy) == before
    assert pin(copy, "--tag").returncode == 2
