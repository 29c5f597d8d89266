"""Images: named in one place, of this version, and asked for their health as the probes ask."""

import tomllib

import pytest
import yaml

from tests.k8s.checks.dockerfiles import health_command, last, stages
from tests.k8s.checks.manifest import Workload, workloads
from tests.k8s.checks.probes import OWN_IMAGES, asked
from tests.k8s.rendering import DEFAULT, IMAGES, KUSTOMIZATION, REPOSITORY, WHOLE, rendered

GPU = "k8s/components/gpu"
PLACE = REPOSITORY / IMAGES / KUSTOMIZATION


def _listed() -> dict[str, str]:
    place = yaml.safe_load(PLACE.read_text(encoding="utf-8"))
    return {image["name"]: image["newTag"] for image in place["images"]}


def _image(pod: Workload) -> str:
    return str(pod.containers[0]["image"])


def test_images_and_versions_stand_in_one_place() -> None:
    named = set()
    for path in (REPOSITORY / "k8s").rglob("*.yaml"):
        if path != PLACE:
            for line in path.read_text(encoding="utf-8").splitlines():
                word, _, value = line.strip().removeprefix("- ").partition(": ")
                assert word not in ("newTag", "newName", "digest", "images:"), f"{path}: {line}"
                if word == "image":
                    named.add(value)
    assert named == set(_listed())


def test_own_images_are_of_this_version() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    own = {tag for name, tag in _listed().items() if name.startswith(OWN_IMAGES)}
    assert own == {project["version"]}


@pytest.mark.parametrize("folder", WHOLE)
def test_each_container_has_a_listed_image(folder: str) -> None:
    listed = {f"{name}:{tag}" for name, tag in _listed().items()}
    assert {_image(pod) for pod in workloads(rendered(folder))} <= listed


@pytest.mark.parametrize("target", ["ingest", "detector", "detector-gpu", "store", "web", "rtsp"])
def test_ready_is_what_the_image_calls_healthy(target: str) -> None:
    pods = workloads(rendered(GPU if target == "detector-gpu" else DEFAULT))
    (pod,) = (pod for pod in pods if pod.name == target.removesuffix("-gpu"))
    assert _image(pod).partition(":")[0] == OWN_IMAGES + target
    known = stages(REPOSITORY / "docker/Dockerfile")
    port, path = asked(pod, "readinessProbe")
    assert health_command(known, target)[-1] == f"http://localhost:{port}{path}"
    user = pod.pod["securityContext"]
    assert last(known, target, "USER") == f"{user['runAsUser']}:{user['runAsGroup']}" == "10001:10001"
