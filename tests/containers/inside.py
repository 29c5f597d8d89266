"""Runs inside an image, by its Python: prints as JSON what is in it. Imports nothing of ours."""

import json
import os
import subprocess
import sysconfig
from importlib.metadata import PackageMetadata, distributions
from importlib.util import cache_from_source
from pathlib import Path

PACKAGES = Path(sysconfig.get_path("purelib"))

LEFTOVERS = (
    "/*/.cache",
    "/*/.npm",
    "/var/cache/apt/*.bin",
    "/var/cache/apt/archives/*.deb",
    "/var/lib/apt/lists/*Packages*",
    "/wheels",
    "/source",
    "/packages",
    "/tmp/*",
)
"""What an installation may leave behind."""

TOOLS = ("cc", "gcc", "make", "node", "npm", "git", "curl")


def files(pattern: str) -> list[str]:
    return sorted(str(path) for path in Path("/").glob(pattern.lstrip("/")))


def uncompiled() -> list[str]:
    """Python files without their compiled form, which a read-only root could not keep."""
    library = Path(sysconfig.get_path("stdlib"))
    sources = [*PACKAGES.rglob("*.py"), *library.glob("*.py"), *library.glob("asyncio/*.py")]
    return sorted(str(path) for path in sources if not Path(cache_from_source(str(path))).exists())


def is_writable(folder: str) -> bool:
    try:
        Path(folder, "probe").touch()
    except OSError:
        return False
    return True


def license_of(metadata: PackageMetadata) -> str:
    """What a package says of its licence: the expression, else the words that came before it."""
    said = [text.rpartition(":: ")[2] for text in metadata.get_all("Classifier") or [] if "License" in text]
    named = [text for text in said if text != "OSI Approved"]
    words = (metadata.get("License-Expression"), *named, metadata.get("License"))
    return next(text.splitlines()[0] for text in words if text)


def has_tool(name: str) -> bool:
    return subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True).returncode == 0


print(
    json.dumps(
        {
            "user": [os.getuid(), os.getgid()],
            "distributions": {item.name: item.version for item in distributions(path=[str(PACKAGES)])},
            "licenses": {
                item.name: license_of(item.metadata) for item in distributions(path=[str(PACKAGES)])
            },
            "libraries": [path.name for path in PACKAGES.glob("*.libs/*")],
            "uncompiled": uncompiled(),
            "leftovers": [path for pattern in LEFTOVERS for path in files(pattern)],
            "tools": [name for name in TOOLS if has_tool(name)],
            "writable": [
                folder for folder in ("/", "/opt/sightline", "/videos", "/tmp") if is_writable(folder)
            ],
            "owners": {
                folder: [os.stat(folder).st_uid, oct(os.stat(folder).st_mode & 0o777)]
                for folder in (*files("/etc/sightline/secrets/*"), "/videos")
            },
        }
    )
)
