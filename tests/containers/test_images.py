"""Every image as it was built: what is in it, what is not, and that it runs locked down."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from services.cli.bootstrap.material import make_secrets
from tests.containers.engine import locked_down, run
from tests.containers.images import NAMES, WHOLE, image, title, version
from tests.locks import pins_of
from tests.processes import REPOSITORY

ALL = (*NAMES, WHOLE)
IMAGES = pytest.mark.parametrize("name", ALL)
SERVICES = pytest.mark.parametrize("name", NAMES)
MEDIA = pytest.mark.parametrize(
    ("name", "server"),
    [
        ("ingest", "services.ingest.relay"),
        ("rtsp", "services.rtsp.service"),
        (WHOLE, "services.rtsp.service"),
    ],
)

LARGEST_MB = {"store": 310, "web": 665, "detector": 890, "ingest": 685, "rtsp": 685, WHOLE: 965}
"""With the base, whose stand-in is larger than the official one."""

OLDER_NAMES = {
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
}
"""What packages say that do not use the names of SPDX."""

HEALTH_PORTS = {"web": 8080}
UNWANTED = re.compile(
    "torch|ultralytics|secantusdb|openvino|pytest|playwright|mypy|ruff|pip$|setuptools|nvidia"
)
PICTURES = {"av", "numpy", "opencv-python-headless"}
INFERENCE = {"onnxruntime", "protobuf", "scipy"}
HAS = {
    "store": set(),
    "web": PICTURES | {"protobuf"},
    "ingest": PICTURES,
    "rtsp": PICTURES,
    "detector": PICTURES | INFERENCE,
    WHOLE: PICTURES | INFERENCE,
}

LOAD = """
import importlib
from services.common.rtsp.gstreamer import load_gstreamer, require_elements
require_elements(load_gstreamer(), importlib.import_module({server!r}).ELEMENTS)
print("all there")
"""


@pytest.fixture(scope="module")
def reports(images: list[str], whole: str) -> dict[str, Any]:
    """What is in each image."""
    program = Path(__file__).with_name("inside.py").read_text(encoding="utf-8")
    return {name: json.loads(locked_down(image(name), "-c", program, entry="python")) for name in ALL}


@pytest.fixture(scope="module")
def facts(images: list[str], whole: str) -> dict[str, Any]:
    """What the engine tells of each image."""
    told = json.loads(run(["podman", "image", "inspect", *map(image, ALL)]))
    return dict(zip(ALL, told, strict=True))


def locked() -> dict[str, str]:
    return pins_of("requirements.lock")


def canonical(versions: dict[str, str]) -> dict[str, str]:
    """The same with names in the one form of the index."""
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in versions.items()}


@IMAGES
def test_packages_are_those_of_the_lock(reports: dict[str, Any], name: str) -> None:
    found = canonical(reports[name]["distributions"])
    assert found.pop("sightline") == version()
    assert found.items() <= locked().items()
    unwanted = {package for package in found if UNWANTED.search(package)}
    assert unwanted == ({"secantusdb"} if name == WHOLE else set())
    assert set(found) & (PICTURES | INFERENCE) == HAS[name]


@IMAGES
def test_nothing_is_left_of_the_build(reports: dict[str, Any], name: str) -> None:
    assert reports[name]["leftovers"] == []
    assert reports[name]["tools"] == []
    assert reports[name]["uncompiled"] == []


@IMAGES
def test_user_writes_to_the_temporary_folder_only(reports: dict[str, Any], name: str) -> None:
    assert reports[name]["user"] == [10001, 10001]
    assert reports[name]["writable"] == ["/tmp"]
    folders = [f"/etc/sightline/secrets/{secret.name}" for secret in make_secrets()]
    assert reports[name]["owners"] == {folder: [10001, "0o750"] for folder in (*folders, "/videos")}


@SERVICES
def test_image_tells_how_it_runs(facts: dict[str, Any], name: str) -> None:
    configuration = facts[name]["Config"]
    address = f"http://localhost:{HEALTH_PORTS.get(name, 9090)}/readyz"
    check = ["CMD", "python", "-IS", "/usr/local/lib/sightline/healthcheck.py", address]
    assert configuration["User"] == "10001:10001"
    assert configuration["Entrypoint"] == ["tini", "--", "sightline"]
    assert configuration["Cmd"] == ["serve", name, "--config", f"/etc/sightline/config/{name}.yaml"]
    assert facts[name]["Healthcheck"]["Test"] == check


def test_the_whole_runs_by_itself(facts: dict[str, Any]) -> None:
    configuration = facts[WHOLE]["Config"]
    assert configuration["User"] == "10001:10001"
    assert configuration["Entrypoint"] == ["tini", "--", "sightline"]
    assert configuration["Cmd"] == ["up"]
    assert configuration["Volumes"] == {"/data": {}}
    assert set(configuration["ExposedPorts"]) == {f"{port}/tcp" for port in (8080, 8070, 8090, 8554, 8555)}
    check = ["CMD", "python", "-IS", "/usr/local/lib/sightline/healthcheck.py"]
    assert facts[WHOLE]["Healthcheck"]["Test"] == check


def test_the_whole_says_where_sources_are(whole: str) -> None:
    pinned = locked()["secantusdb"]
    said = locked_down(whole, "/usr/local/share/doc/sightline/SOURCES", entry="cat")
    assert f"secantusdb-{pinned}.tar.gz" in said


@IMAGES
def test_labels_tell_what_it_is(facts: dict[str, Any], name: str) -> None:
    prefix = "org.opencontainers.image."
    labels = {key.removeprefix(prefix): text for key, text in facts[name]["Labels"].items()}
    assert {"title", "description", "licenses", "version", "revision"} <= labels.keys()
    assert labels["title"] == title(name).replace("-", " ").capitalize()
    assert labels["version"] == version()
    assert re.fullmatch(r"[0-9a-f]{40}|unknown", labels["revision"])


@IMAGES
def test_labels_tell_every_licence(facts: dict[str, Any], reports: dict[str, Any], name: str) -> None:
    told = set(facts[name]["Labels"]["org.opencontainers.image.licenses"].split(" AND "))
    for package, text in reports[name]["licenses"].items():
        needed = [set(one.split(" OR ")) for one in OLDER_NAMES.get(text, text).split(" AND ")]
        assert all(choice & told for choice in needed), f"{package}: {text}"
    brings_encoder = any(library.startswith("libx264") for library in reports[name]["libraries"])
    assert brings_encoder == ("av" in reports[name]["distributions"])
    # Debian's userland, and what PyAV's wheel brings.
    assert {"GPL-2.0-or-later", "GPL-3.0-or-later", "LGPL-2.1-or-later"} <= told


def test_what_is_in_an_image_is_listed(images: list[str]) -> None:
    run([REPOSITORY / "scripts/sbom.sh", "store"], IMAGES_BUILDER="buildah")
    document = json.loads((REPOSITORY / "build/sbom/sightline-store.spdx.json").read_text(encoding="utf-8"))
    packages = {one["name"]: one for one in document["packages"]}
    assert packages["pymongo"]["versionInfo"] == locked()["pymongo"]
    assert packages["pymongo"]["licenseDeclared"] == "Apache-2.0"
    # The stand-in of the base keeps no copyright files, which tell the licences of Debian's packages.
    assert {"tini", "libc6", "bash", "sightline"} <= packages.keys()


@IMAGES
def test_image_is_small(facts: dict[str, Any], name: str) -> None:
    assert facts[name]["Size"] / 1e6 < LARGEST_MB[name]


def test_images_share_their_layers(facts: dict[str, Any]) -> None:
    layers = {name: facts[name]["RootFS"]["Layers"] for name in NAMES}
    pictures = [layers[name] for name in ("web", "detector", "ingest", "rtsp")]
    common = sum(len(set(of_place)) == 1 for of_place in zip(*layers.values(), strict=False))
    shared = sum(len(set(of_place)) == 1 for of_place in zip(*pictures, strict=False))
    assert shared > common >= 4
    assert layers["ingest"][:-2] == layers["rtsp"][:-2]


@SERVICES
def test_command_line_runs(images: list[str], name: str) -> None:
    assert "Counts that people can trust" in locked_down(image(name), "--help")
    settings = (REPOSITORY / f"configmaps/{name}.yaml").read_text(encoding="utf-8")
    assert locked_down(image(name), f"/etc/sightline/config/{name}.yaml", entry="cat") == settings


def test_a_command_of_another_image_says_what_it_lacks(images: list[str]) -> None:
    with pytest.raises(AssertionError, match=r"sightline: the package (av|cv2) is not installed here"):
        locked_down(image("store"), "detect", "/picture.jpg")


@MEDIA
def test_gstreamer_has_what_the_port_needs(images: list[str], whole: str, name: str, server: str) -> None:
    assert "all there" in locked_down(image(name), "-c", LOAD.format(server=server), entry="python")


def test_page_is_in_web(images: list[str]) -> None:
    program = "from services.web.page import PAGE_FOLDER; print((PAGE_FOLDER / 'index.html').read_text())"
    assert "/assets/" in locked_down(image("web"), "-c", program, entry="python")
