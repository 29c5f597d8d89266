"""checkov: what an object departs from is explained beside it, by an annotation, and nothing else is."""

import json
import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.k8s.changes import changed
from tests.k8s.checks.manifest import Manifest, label
from tests.k8s.checks.schema import is_custom
from tests.k8s.rendering import DEFAULT, REPOSITORY, WHOLE, rendered

ANNOTATION = "checkov.io/skip"
EXPLANATION = re.compile(r"(CKV2?_K8S_\d+)=(?:\S+ ){3,}\S+")
"""A practice, and a reason of some words."""

BROKEN_OBJECT = "Deployment/web"
BROKEN_PATH = "spec/template/spec/containers/0/securityContext/allowPrivilegeEscalation"
BROKEN_PRACTICE = "CKV_K8S_20"
BROKEN = "broken"
DOCKERFILE = REPOSITORY / "docker/Dockerfile"
OPTIONS = ("--framework", "kubernetes", "dockerfile", "--output", "json", "--soft-fail")
TIMEOUT_S = 280

Failures = dict[str, set[str]]


def _distinct() -> dict[str, Manifest]:
    """Each object of all renderings once, by a name that is a file name too."""
    texts = {
        json.dumps(manifest, default=str): manifest
        for folder in WHOLE
        for manifest in rendered(folder)
        if not is_custom(manifest)
    }
    return {f"{number:03}-{label(one).replace('/', '-')}": one for number, one in enumerate(texts.values())}


def _explained(manifest: Manifest) -> set[str]:
    annotations = manifest["metadata"].get("annotations", {})
    found = [EXPLANATION.fullmatch(text) for key, text in annotations.items() if key.startswith(ANNOTATION)]
    assert all(found), annotations
    return {match.group(1) for match in found if match}


def _bare(manifest: Manifest) -> dict[str, Any]:
    """The object without its explanations, so that checkov says everything, and none can be out of date."""
    annotations = manifest["metadata"].get("annotations", {})
    left = {key: text for key, text in annotations.items() if not key.startswith(ANNOTATION)}
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": left}}


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> Failures:
    """The practices that each file departs from, all found in one run."""
    folder = tmp_path_factory.mktemp("checkov")
    broken = changed(rendered(DEFAULT), BROKEN_OBJECT, BROKEN_PATH, True)
    objects = _distinct() | {BROKEN: next(one for one in broken if label(one) == BROKEN_OBJECT)}
    for name, manifest in objects.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(_bare(manifest)), encoding="utf-8")
    for name, text in _images(DOCKERFILE).items():
        (folder / name).mkdir()
        (folder / name / "Dockerfile").write_text(text, encoding="utf-8")
    (folder / BROKEN).mkdir()
    (folder / BROKEN / "Dockerfile").write_text("FROM debian:bookworm\nUSER root\n", encoding="utf-8")
    return _run(folder)


def _images(dockerfile: Path) -> dict[str, str]:
    """Of each image the stages that it is made of, as a file of its own, by its name.

    The base image stands in place of the variable, behind which checkov sees no tag.
    """
    text = dockerfile.read_text(encoding="utf-8")
    (base,) = re.findall(r"^ARG BASE=(\S+)$", text, re.MULTILINE)
    head, *parts = re.split(r"^(?=FROM )", text.replace("${BASE}", base), flags=re.MULTILINE)
    stages = {part.splitlines()[0].rpartition(" AS ")[2]: part for part in parts}

    def needed(name: str) -> set[str]:
        others = re.findall(r"^FROM (\S+)|--from=(\S+)", stages[name], re.MULTILINE)
        found = {one or other for one, other in others} & stages.keys()
        return {name}.union(*map(needed, found))

    images = [name for name, part in stages.items() if "\nCMD " in part]
    return {
        name: head + "".join(part for stage, part in stages.items() if stage in needed(name))
        for name in images
    }


def _run(folder: Path) -> Failures:
    command: list[str | Path] = [REPOSITORY / "scripts/checkov.sh", "--directory", folder, *OPTIONS]
    result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert result.returncode == 0, result.stderr
    found: Failures = defaultdict(set)
    for report in json.loads(result.stdout):
        assert report["summary"]["parsing_errors"] == 0
        assert report["summary"]["passed"] > 0
        for failure in report["results"]["failed_checks"]:
            found[failure["file_path"].removeprefix("/")].add(failure["check_id"])
    return dict(found)


def test_each_departure_is_explained_and_each_explanation_needed(failures: Failures) -> None:
    found = {name: failures.get(f"{name}.yaml", set()) for name in _distinct()}
    assert found == {name: _explained(manifest) for name, manifest in _distinct().items()}


def test_images_follow_the_practices(failures: Failures) -> None:
    images = _images(DOCKERFILE)
    assert images.keys() == {"store", "web", "detector", "detector-gpu", "ingest", "rtsp", "sightline"}
    assert not {name: failures[file] for name in images if (file := f"{name}/Dockerfile") in failures}


def test_a_departure_without_a_reason_is_found(failures: Failures) -> None:
    (web,) = (one for one in rendered(DEFAULT) if label(one) == BROKEN_OBJECT)
    assert failures[f"{BROKEN}.yaml"] - _explained(web) == {BROKEN_PRACTICE}
    assert "CKV_DOCKER_8" in failures[f"{BROKEN}/Dockerfile"]


@pytest.mark.parametrize(
    "text", ["CKV_K8S_43", "CKV_K8S_43=", "CKV_K8S_43=not now", "because it is so and so"]
)
def test_an_explanation_is_a_practice_and_a_reason(text: str) -> None:
    with pytest.raises(AssertionError):
        _explained({"metadata": {"annotations": {f"{ANNOTATION}1": text}}})
