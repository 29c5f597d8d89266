"""Imports run one way: core, common, services, command line; and training stays out of the services.

The demo is a room like a service: it knows core and common alone, and nobody but the command line and the
training knows it.
"""

import ast
from collections.abc import Iterator

import pytest

MODEL_MAY = ("services.core", "services.demo")
NEVER_IN_SERVICES = ("torch", "ultralytics", "torchvision", "secantus")


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _imported_at_start(tree: ast.Module) -> Iterator[str]:
    """What importing the file imports: not what functions or type checking import."""
    for node in tree.body:
        lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        type_checking = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if not lazy and not type_checking:
            yield from _imported(node)


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _forbidden(path: str, tree: ast.Module) -> list[str]:
    room = ".".join(path.split("/")[:2])
    if path.startswith("model/"):
        return [
            name for name in _imported(tree) if _within(name, ("services",)) and not _within(name, MODEL_MAY)
        ]
    wrong = [name for name in _imported(tree) if _within(name, NEVER_IN_SERVICES)]
    if room == "services.cli":
        return wrong + [name for name in _imported_at_start(tree) if _within(name, ("model",))]
    allowed = {"services.core": ("services.core",)}.get(room, ("services.core", "services.common", room))
    for name in _imported(tree):
        if _within(name, ("model",)) or (_within(name, ("services",)) and not _within(name, allowed)):
            wrong.append(name)
    return wrong


def test_each_file_imports_only_what_it_may(sources) -> None:
    wrong = {source.path: names for source in sources if (names := _forbidden(source.path, source.tree))}
    assert not wrong


@pytest.mark.parametrize(
    ("path", "code", "found"),
    [
        ("services/core/a.py", "from services.common import bus", ["services.common.bus"]),
        ("services/core/a.py", "import services.core.types", []),
        ("services/store/a.py", "from services.web import api", ["services.web.api"]),
        ("services/demo/a.py", "from services.ingest import sources", ["services.ingest.sources"]),
        ("services/demo/a.py", "from services.common.video import source\nimport services.core.types", []),
        ("services/ingest/a.py", "def f():\n    from services.demo import x", ["services.demo.x"]),
        ("services/cli/a.py", "from services.demo import demo_source", []),
        ("services/store/a.py", "from services.store import b\nimport numpy", []),
        ("services/web/a.py", "def f():\n    import torch", ["torch"]),
        ("services/web/a.py", "def f():\n    import model.train", ["model.train"]),
        ("services/cli/a.py", "from model import train", ["model.train"]),
        ("services/cli/a.py", "def f():\n    from model import train\nfrom services.web import api", []),
        ("model/a.py", "from services.common import bus\nimport torch", ["services.common.bus"]),
        ("model/a.py", "from services.core.types import Box", []),
        ("model/data/a.py", "from services.demo.dataset import write_dataset", []),
        ("model/data/a.py", "from services.cli import console", ["services.cli.console"]),
    ],
)
def test_the_rule_itself(path: str, code: str, found: list[str]) -> None:
    assert _forbidden(path, ast.parse(code)) == found
