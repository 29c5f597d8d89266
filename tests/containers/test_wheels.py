"""The index is asked, without downloads, for wheels of all that is pinned: for each Python and machine."""

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution

import pytest
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from tests.locks import REPOSITORY, Pins, pins_of

MACHINES = ("x86_64", "aarch64")
GLIBC_MINORS = range(36, 4, -1)
"""What Debian bookworm's C library (2.36) can load: manylinux_2_36 and all before it."""

LOCKS = ("requirements.lock", "requirements-node.lock", "requirements-train.lock")
NEWEST = "3.14"
"""The newest Python that is released. It has no embedded database: an older one is taken, or MongoDB."""

LACKS_ON_NEWEST = {"secantusdb"}
IMAGES_PYTHON = "3.11"

LINK = re.compile(r"(?:Found link|Skipping link)[^\n]*?/([^/\s#]+\.whl)")


def known_pythons() -> tuple[str, ...]:
    """The Pythons of which scripts/lib.sh says that everything is there."""
    text = (REPOSITORY / "scripts/lib.sh").read_text(encoding="utf-8")
    found = re.search(r"^known_pythons=\(([\d. ]+)\)$", text, re.MULTILINE)
    assert found
    return tuple(found[1].split())


def is_for_any_machine(name: str) -> bool:
    """Whether the wheel that is installed here holds nothing compiled; without one nobody knows."""
    try:
        tags = re.findall(r"^Tag: (\S+)$", distribution(name).read_text("WHEEL") or "", re.MULTILINE)
    except PackageNotFoundError:
        return False
    return bool(tags) and all(tag.endswith("-none-any") for tag in tags)


@cache
def wheels_of(name: str) -> list[str]:
    """The names of all wheels of which the index tells, whatever they are for; fails where there is no index.

    `pip index` lists versions that have a source archive only, so what counts is the files it tells of.
    """
    command = [sys.executable, "-m", "pip", "-vv", "--disable-pip-version-check", "index", "versions", name]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "Fetched page" in answer.stdout, answer.stderr
    return LINK.findall(answer.stdout)


def tags_of(python: str, machine: str) -> frozenset[Tag]:
    """What a Python on a machine can load."""
    version = tuple(int(part) for part in python.split("."))
    platforms = [*(f"manylinux_2_{minor}_{machine}" for minor in GLIBC_MINORS), f"manylinux2014_{machine}"]
    platforms += [f"manylinux2010_{machine}", f"manylinux1_{machine}"]
    interpreter = f"cp{version[0]}{version[1]}"
    return frozenset(
        [
            *cpython_tags(version, [interpreter], platforms),
            *compatible_tags(version, interpreter, platforms),
        ]
    )


def lacking(
    pins: Pins,
    wheels: Mapping[str, Iterable[str]],
    pythons: Iterable[str],
    machines: Iterable[str] = MACHINES,
) -> set[str]:
    """The pins without a wheel, each with the Python and the machine that it lacks it for."""
    places = {(python, machine): tags_of(python, machine) for python in pythons for machine in machines}
    return {
        f"{name}=={version} for {python} on {machine}"
        for name, version in pins.items()
        for (python, machine), tags in places.items()
        if not any(_serves(wheel, version, tags) for wheel in wheels[name])
    }


def _serves(wheel: str, version: str, tags: frozenset[Tag]) -> bool:
    if f"-{version}-" not in wheel:
        return False
    return bool(parse_wheel_filename(wheel)[3] & tags)


def asked(pins: Pins) -> dict[str, list[str]]:
    """The wheels of each package, by its name."""
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(pins, pool.map(wheels_of, pins), strict=True))


@pytest.fixture(scope="module")
def compiled() -> Pins:
    """Everything compiled that the locks pin, the embedded database with it."""
    pins = {name: version for name, version in pins_of(*LOCKS).items() if not is_for_any_machine(name)}
    assert {"numpy", "onnxruntime", "opencv-python-headless", "av", "secantusdb", "shapely"} <= set(pins)
    return pins


@pytest.fixture(scope="module")
def wheels(compiled: Pins) -> dict[str, list[str]]:
    return asked(compiled)


def test_every_wheel_exists_for_each_python_that_is_known(
    compiled: Pins, wheels: dict[str, list[str]]
) -> None:
    assert IMAGES_PYTHON in known_pythons()
    assert not lacking(compiled, wheels, known_pythons())


def test_on_the_newest_python_the_embedded_database_alone_is_lacking(
    compiled: Pins, wheels: dict[str, list[str]]
) -> None:
    assert NEWEST not in known_pythons()
    rest = {name: version for name, version in compiled.items() if name not in LACKS_ON_NEWEST}
    assert not lacking(rest, wheels, [NEWEST])


def test_every_wheel_of_the_gpu_exists_for_amd64() -> None:
    pins = pins_of("docker/requirements/gpu.lock")
    assert not lacking(pins, asked(pins), [IMAGES_PYTHON], ["x86_64"])


def test_a_missing_wheel_is_found(compiled: Pins, wheels: dict[str, list[str]]) -> None:
    numpy = {"numpy": compiled["numpy"]}
    assert len(lacking({"numpy": "2.4.999"}, wheels, known_pythons())) == 2 * len(known_pythons())
    assert lacking(numpy, wheels, ["3.11"], ["sparc64"]) == {f"numpy=={numpy['numpy']} for 3.11 on sparc64"}
    assert lacking(numpy, wheels, ["3.9"])
