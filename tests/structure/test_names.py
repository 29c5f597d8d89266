"""One name means one thing: no two public classes of `services` and `model` share one."""

import ast
import re
from collections import defaultdict

from tests.structure.conftest import Source

DIALECT = re.compile(
    r"(?:^|_)(?:tell|tells|told|hear|heard|hears|strike|struck|news|held)(?:_|$)", re.IGNORECASE
)
"""Words that stood for several acts each; `services/README.md` has the words that stand for one."""


def test_no_two_classes_share_a_name(sources: list[Source]) -> None:
    places = defaultdict(list)
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(source.path)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def _names(tree: ast.Module) -> set[str]:
    """What a file gives a name to: classes, functions, parameters, variables and attributes."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            names.add(re.sub(r"(?<!^)(?=[A-Z])", "_", node.name))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    return names


def test_no_name_is_of_the_private_dialect(sources: list[Source]) -> None:
    found = {
        source.path: {name for name in _names(source.tree) if DIALECT.search(name)} for source in sources
    }
    assert {path: names for path, names in found.items() if names} == {}
