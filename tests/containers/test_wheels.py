"""The index is asked, without downloads, for every wheel that the images pin: on arm64 and for the GPU."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.locks import REPOSITORY, Pins, pins_of

PYTHON = "3.11"
GLIBC_MINORS = range(17, 37)
"""What Debian bookworm's C library (2.36) can load: manylinux_2_17 and all after it."""


def needed_to_run() -> set[str]:
    """Canonical names of the project's dependencies and of all that these need."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names: set[str] = set()
    waiting = [Requirement(text) for text in project["dependencies"]]
    while waiting:
        requirement = waiting.pop()
        name = str(canonicalize_name(requirement.name))
        if name not in names and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            names.add(name)
            waiting += [Requirement(text) for text in distribution(name).requires or []]
    return names


def is_for_any_machine(name: str) -> bool:
    """Whether the wheel that is installed here holds nothing compiled."""
    tags = re.findall(r"^Tag: (\S+)$", distribution(name).read_text("WHEEL") or "", re.MULTILINE)
    return bool(tags) and all(tag.endswith("-none-any") for tag in tags)


def has_wheel(name: str, version: str, machine: str) -> bool:
    """Whether pip finds a wheel of this version for a machine; fails where it finds no index.

    `pip index` lists versions that have a source archive only, so what counts is the files it tells of.
    """
    platforms = [f"--platform=manylinux_2_{minor}_{machine}" for minor in GLIBC_MINORS]
    options = [f"--python-version={PYTHON}", f"--platform=manylinux2014_{machine}", *platforms]
    command = [sys.executable, "-m", "pip", "-vv", "--disable-pip-version-check", "index", "versions", name]
    answer = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120)
    assert "Fetched page" in answer.stdout, answer.stderr
    return re.search(rf"Found link \S+-{re.escape(version)}-\S+\.whl", answer.stdout) is not None


def without_wheel(pins: Pins, machine: str) -> list[str]:
    """The pins that pip finds no wheel for."""
    with ThreadPoolExecutor(4) as pool:
        has = pool.map(lambda pin: has_wheel(*pin, machine), pins.items())
        return [f"{name}=={pins[name]}" for name, there in zip(pins, has, strict=True) if not there]


def compiled(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if not is_for_any_machine(name))


def test_every_compiled_wheel_exists_for_arm64() -> None:
    pins = pins_of("requirements.lock")
    asked = {name: pins[name] for name in compiled(needed_to_run())} | pins_of("requirements-node.lock")
    assert {"numpy", "onnxruntime", "opencv-python-headless", "av"} <= set(asked)
    assert not without_wheel(asked, "aarch64")


def test_every_wheel_of_the_gpu_exists_for_amd64() -> None:
    assert not without_wheel(pins_of("docker/requirements/gpu.lock"), "x86_64")


def test_a_missing_wheel_is_found() -> None:
    pins = pins_of("requirements.lock")
    assert without_wheel({"numpy": "2.4.999"}, "aarch64") == ["numpy==2.4.999"]
    assert without_wheel({"numpy": pins["numpy"]}, "sparc64") == [f"numpy=={pins['numpy']}"]
