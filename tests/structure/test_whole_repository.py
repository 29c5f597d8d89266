"""What the repository promises as a whole: one version, one licence, no left-overs, files that load."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.locks import read_lock

REPOSITORY = Path(__file__).resolve().parents[2]
README_LINES = 110
TEXT = {".py", ".sh", ".md", ".toml", ".yaml", ".yml", ".json", ".ts", ".css", ".html", ".txt", ".lock", ""}
IMAGE_LOCKS = sorted((REPOSITORY / "docker/requirements").glob("*.lock"))
IGNORED = {".git", ".venv", "node_modules", "dist", "runs", "data", "__pycache__", "build"}

# In pieces, so that this file does not find itself.
LEFT_OVERS = re.compile(r"\bTO" r"DO\b|\bFIX" r"ME\b")
MACHINE_PATHS = re.compile(r"/wo" r"rk/|/ro" r"ot/|/ho" r"me/(?!USER\b)\w")


def _files() -> list[Path]:
    """The files that are or will be tracked; all but known build outputs where git cannot tell."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
        paths = [REPOSITORY / name for name in result.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        paths = [path for path in REPOSITORY.rglob("*") if not IGNORED & set(path.parts)]
    return [path for path in paths if path.is_file()]


def _text_files() -> list[Path]:
    return [path for path in _files() if path.suffix in TEXT and path.name != "package-lock.json"]


@pytest.mark.parametrize("pattern", [LEFT_OVERS, MACHINE_PATHS], ids=["left-overs", "machine paths"])
def test_no_file_holds(pattern: re.Pattern[str]) -> None:
    found = []
    for path in _text_files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()}")
    assert not found


def test_no_model_file_tells_a_machine_path() -> None:
    models = [path for path in _files() if path.suffix == ".onnx"]
    assert models
    found = [path.name for path in models if MACHINE_PATHS.search(path.read_bytes().decode("latin-1"))]
    assert not found


def test_version_agrees_with_the_changelog() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(\d+\.\d+\.\d+)\] - (Unreleased|\d{4}-\d{2}-\d{2})$", changelog, re.MULTILINE)
    assert newest is not None
    assert newest.group(1) == project["version"]


def test_licence_is_apache_2() -> None:
    text = (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert len(text.splitlines()) > 200


def test_readme_is_short_and_its_links_lead_somewhere() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= README_LINES
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    assert not [target for target in targets if not (REPOSITORY / target).exists()]


@pytest.mark.parametrize("script", sorted((REPOSITORY / "scripts").glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_valid_bash(script: Path) -> None:
    assert subprocess.run(["bash", "-n", script], capture_output=True).returncode == 0


def test_locks_pin_every_dependency_exactly() -> None:
    pinned = {}
    for path in REPOSITORY.glob("requirements*.lock"):
        for package, (_, hashes) in read_lock(path).items():
            assert hashes or package in ("torch", "torchvision"), f"{path.name}: {package} has no hash"
            pinned[package] = path.name
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = (
        project["dependencies"] + extras["dev"] + extras["embedded"] + extras["openvino"] + extras["train"]
    )
    names = [re.split(r"[^\w-]", requirement)[0].lower() for requirement in needed]
    assert not [name for name in names if name not in pinned]
    assert pinned["torch"] == pinned["torchvision"] == "requirements-torch.lock"


@pytest.mark.parametrize("path", IMAGE_LOCKS, ids=lambda path: path.stem)
def test_images_take_the_versions_that_are_tested(path: Path) -> None:
    tested, of_image = read_lock(REPOSITORY / "requirements.lock"), read_lock(path)
    others = {name for name, pin in of_image.items() if tested.get(name) != pin}
    assert all(hashes for _, hashes in of_image.values())
    assert {name for name in others if not name.startswith("nvidia-")} <= {"onnxruntime-gpu"}
    wanted = path.with_suffix(".in").read_text(encoding="utf-8").splitlines()
    names = {line.partition("==")[0] for line in wanted if not line.startswith("#")}
    assert names <= of_image.keys()


def test_page_lock_names_no_host() -> None:
    lock = REPOSITORY / "services/web/ui/package-lock.json"
    if lock.exists():
        assert '"resolved": "http' not in lock.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "configmaps").glob("*.yaml")), ids=lambda path: path.name
)
def test_configmaps_are_yaml(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)
