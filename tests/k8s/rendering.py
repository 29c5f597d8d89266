"""What `kubectl kustomize` makes of every folder of k8s/, each rendered once a run."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from tests.k8s.checks.manifest import Manifest
from tests.k8s.kubectl import KUBECTL

REPOSITORY = Path(__file__).resolve().parents[2]
INPUTS = ("k8s", "configmaps")
KUSTOMIZATION = "kustomization.yaml"
RENDER_TIMEOUT_S = 60
IMAGES = "k8s/components/images"

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C takes a tenth of the time, and is in every wheel."""

Manifests = list[Manifest]


def _folders(pattern: str) -> list[str]:
    found = REPOSITORY.glob(f"k8s/{pattern}/{KUSTOMIZATION}")
    return sorted(path.parent.relative_to(REPOSITORY).as_posix() for path in found)


DEFAULT = "k8s"
"""What `kubectl apply -k k8s/` applies: the base with `components/images`."""

BASES = _folders("base/*")
COMPONENTS = [folder for folder in _folders("components/*") if folder != IMAGES]
OVERLAYS = _folders("overlays/*")
EXTERNAL_MONGODB = "k8s/components/external-mongodb"
TLS = "k8s/components/tls"
ALL_COMPONENTS = "k8s/components"
WHOLE = [DEFAULT, *OVERLAYS, *COMPONENTS, ALL_COMPONENTS]
"""What gives a whole system; a component stands for the base with this component alone."""


@cache
def rendered(folder: str) -> Manifests:
    """The objects of one folder."""
    if folder == ALL_COMPONENTS:
        # Who takes MongoDB away comes after who changes it.
        return _with_components(sorted(COMPONENTS, key=EXTERNAL_MONGODB.__eq__))
    return _with_components([folder]) if folder in COMPONENTS else kustomize(REPOSITORY / folder)


def _with_components(folders: list[str]) -> Manifests:
    names = [f"../../components/{Path(folder).name}" for folder in [*folders, IMAGES]]
    user = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../../base"],
        "components": names,
    }
    with TemporaryDirectory() as place:
        # In a copy, since kustomize takes paths that are relative, and nothing is to be left in this tree.
        overlay = copy_of_inputs(Path(place)) / "k8s/overlays/components"
        overlay.mkdir()
        (overlay / KUSTOMIZATION).write_text(yaml.safe_dump(user), encoding="utf-8")
        return kustomize(overlay)


def copy_of_inputs(place: Path) -> Path:
    """Copy everything that is rendered, so that a test can change it."""
    for folder in INPUTS:
        shutil.copytree(REPOSITORY / folder, place / folder)
    return place


def kustomize(folder: Path) -> Manifests:
    """Render a folder as `kubectl apply -k` does."""
    command: list[str | Path] = [KUBECTL, "kustomize", folder]
    result = subprocess.run(command, capture_output=True, text=True, timeout=RENDER_TIMEOUT_S)
    assert result.returncode == 0, result.stderr
    return [manifest for manifest in yaml.load_all(result.stdout, LOADER) if manifest]
