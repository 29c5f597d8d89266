"""Configuration: what is mounted loads, and a changed file starts new pods of those who read it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.bootstrap.material import NATS_USERS, make_secrets
from services.cli.serve.settings import DetectorSettings, IngestSettings, RtspSettings, StoreSettings
from services.common.settings.files import Settings, load_settings
from services.web.settings import WebSettings
from tests.k8s.checks.manifest import of_kind, workloads
from tests.k8s.rendering import (
    DEFAULT,
    WHOLE,
    Manifests,
    copy_of_inputs,
    kustomize,
    rendered,
)

SETTINGS: dict[str, type[Settings]] = {
    "detector.yaml": DetectorSettings,
    "ingest.yaml": IngestSettings,
    "rtsp.yaml": RtspSettings,
    "store.yaml": StoreSettings,
    "web.yaml": WebSettings,
}
FILES = [*SETTINGS, "nats.conf", "nats-users.conf", "mongodb-init.js"]
HASHED_NAME = re.compile(r"-[0-9a-z]{10}$")


def _service(file: str) -> str:
    """Give who reads a file."""
    return file.partition(".")[0].partition("-")[0]


def _files(manifests: Manifests) -> dict[str, str]:
    return {name: text for config in of_kind(manifests, "ConfigMap") for name, text in config["data"].items()}


def _templates(manifests: Manifests) -> dict[str, str]:
    return {pod.name: json.dumps(pod.template) for pod in workloads(manifests)}


def test_each_file_is_mounted_by_its_service() -> None:
    assert set(_files(rendered(DEFAULT))) == set(FILES)
    for name in FILES:
        service = _service(name)
        configs = [one for one in of_kind(rendered(DEFAULT), "ConfigMap") if name in one["data"]]
        assert configs[0]["metadata"]["name"] in _templates(rendered(DEFAULT))[service]


@pytest.mark.parametrize("folder", WHOLE)
def test_the_settings_load(folder: str, tmp_path: Path) -> None:
    files = _files(rendered(folder))
    for name, kind in SETTINGS.items():
        (tmp_path / name).write_text(files[name], encoding="utf-8")
        assert load_settings(kind, tmp_path / name, {})


def test_nats_takes_its_files_and_the_fragments_that_bootstrap_makes(tmp_path: Path) -> None:
    """Each lies where the pod finds it."""
    (nats,) = (pod for pod in workloads(rendered(DEFAULT)) if pod.name == "nats")
    mounts = {mount["name"]: mount["mountPath"] for mount in nats.containers[0]["volumeMounts"]}
    for name, text in _files(rendered(DEFAULT)).items():
        if _service(name) == "nats":
            _put(tmp_path, f"{mounts['config']}/{name}", text)
    fragments = [
        _put(tmp_path, f"{mounts[name]}/auth.conf", _secret(name, "auth.conf"))
        for name in (f"nats-{user}" for user in NATS_USERS)
    ]
    config = tmp_path / "etc/sightline/config/nats.conf"
    command: list[str | Path] = [Path(sys.executable).with_name("nats-server"), "--config", config, "-t"]
    assert subprocess.run(command, capture_output=True, timeout=30).returncode == 0
    for fragment in fragments:
        text = fragment.read_text(encoding="utf-8")
        fragment.write_text("", encoding="utf-8")
        assert subprocess.run(command, capture_output=True, timeout=30).returncode != 0
        fragment.write_text(text, encoding="utf-8")


def _put(root: Path, place: str, text: str) -> Path:
    path = root / place.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _secret(name: str, file: str) -> str:
    (secret,) = (secret for secret in make_secrets() if secret.name == name)
    return secret.files[file]


@pytest.mark.parametrize("folder", WHOLE)
def test_a_second_apply_would_not_change_the_job(folder: str) -> None:
    """The template of a Job is immutable, so that no name in it may come from the content of a file."""
    hashed = [one["metadata"]["name"] for one in of_kind(rendered(folder), "ConfigMap")]
    assert hashed and all(HASHED_NAME.search(name) for name in hashed)
    template = _templates(rendered(folder))["bootstrap"]
    assert not [name for name in hashed if name in template]
    assert template == _templates(rendered(DEFAULT))["bootstrap"]


def test_a_changed_file_starts_new_pods_of_those_who_mount_it(tmp_path: Path) -> None:
    copy = copy_of_inputs(tmp_path)
    for name in FILES:
        path = copy / "configmaps" / name
        original = path.read_text(encoding="utf-8")
        path.write_text(original + "\n", encoding="utf-8")
        before, after = _templates(rendered(DEFAULT)), _templates(kustomize(copy / DEFAULT))
        path.write_text(original, encoding="utf-8")
        service = _service(name)
        assert [pod for pod in before if before[pod] != after[pod]] == [service]
