"""`make images` and `make push`, with a builder that only says what it is asked."""

import os
import subprocess

import pytest

from tests.containers.images import NAMES, WHOLE, title, version
from tests.processes import REPOSITORY

IMAGES = (*NAMES, WHOLE)
REGISTRY = "registry.example.com/team"


def make(*arguments: str, builder: str = "echo") -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", *arguments]
    variables = os.environ | {"IMAGES_BUILDER": builder, "IMAGES_SCANNER": "echo scan"}
    return subprocess.run(command, cwd=REPOSITORY, env=variables, capture_output=True, text=True, timeout=60)


def test_images_are_built_as_stages_of_one_file() -> None:
    said = make("images").stdout
    for name in IMAGES:
        wanted = f"build --file docker/Dockerfile --target {name} --build-arg VERSION={version()} "
        assert wanted in said
        assert f"--tag {title(name)}:{version()} " in said
    assert f"--tag {WHOLE}:{version()} --tag {WHOLE}:latest ." in said


def test_what_is_in_each_image_is_listed() -> None:
    said = make("images").stdout
    for name in IMAGES:
        assert "save --output " in said
        assert f"--output spdx-json=build/sbom/{title(name)}.spdx.json" in said


def test_one_image_is_built_where_it_is_named() -> None:
    said = make("images", "ARGS=detector-gpu").stdout
    assert "--target detector-gpu" in said
    assert said.count("--target") == 1


@pytest.mark.parametrize("registry", [REGISTRY, f"{REGISTRY}/"])
def test_images_are_tagged_and_pushed(registry: str) -> None:
    said = make("push", f"REGISTRY={registry}").stdout.splitlines()
    images = [f"{title(name)}:{version()}" for name in IMAGES]
    assert said == [
        line for image in images for line in (f"tag {image} {REGISTRY}/{image}", f"push {REGISTRY}/{image}")
    ]


def test_push_needs_a_registry() -> None:
    done = subprocess.run([REPOSITORY / "scripts/push-images.sh", ""], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Say where to: make push REGISTRY=registry.example.com/team\n"


def test_an_unknown_image_is_refused() -> None:
    done = subprocess.run([REPOSITORY / "scripts/images.sh", "wep"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("There is no image 'wep': give some of ")


def test_a_failed_build_fails() -> None:
    assert make("images", builder="false").returncode != 0
