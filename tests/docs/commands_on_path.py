"""Commands of the documents that mean something else in a test: small scripts, first on the PATH."""

import os
from collections.abc import Mapping
from pathlib import Path


def write_commands(folder: Path, scripts: Mapping[str, str]) -> Mapping[str, str]:
    """Write each command's script into a folder, and give the environment that finds them."""
    folder.mkdir()
    for name, script in scripts.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
