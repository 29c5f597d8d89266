"""What nobody uses is not there: each public name of `services` and `model` is named somewhere else.

A name counts as used where its module uses it outside of its own definition, where another file imports it
or takes it as an attribute of its module, and where a string names it (commands are loaded by name). What a
decorator registers, such as a route, is used by whoever registers it.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.structure.conftest import REPOSITORY, Source

Names = dict[str, set[str]]
"""Names by the module that they are of."""

PLAIN_BASES = {"Protocol", "Generic", "Enum", "StrEnum", "IntEnum", "Exception", "NamedTuple"}


def module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def trees(sources: list[Source]) -> dict[str, ast.Module]:
    """The files that may use a name, by their modules."""
    found = {module_of(source.path): source.tree for source in sources}
    for path in sorted((REPOSITORY / "tests").rglob("*.py")):
        name = module_of(path.relative_to(REPOSITORY).as_posix())
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def imported(tree: ast.Module, modules: set[str]) -> tuple[Names, dict[str, str]]:
    """The names that a file imports, and by their short names the modules of which it may take attributes."""
    names: Names = defaultdict(set)
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole in modules:
                    aliases[alias.asname or alias.name] = whole
                else:
                    names[node.module].add(alias.name)
        elif isinstance(node, ast.Import):
            aliases.update({alias.asname or alias.name: alias.name for alias in node.names})
    return names, aliases


def used_elsewhere(known: dict[str, ast.Module]) -> Names:
    """What other files use of each module."""
    used: Names = defaultdict(set)
    for tree in known.values():
        names, aliases = imported(tree, known.keys() | set())
        for module, found in names.items():
            used[module] |= found
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in aliases:
                used[aliases[ast.unparse(node.value)]].add(node.attr)
        for text in texts(tree):
            module, _, name = text.rpartition(".")
            if module in known:
                used[module].add(name)
            for module, name in re.findall(r"from (\S+) import (\w+)", text):
                used[module].add(name)
    return used


def defined(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """The names that a module defines; not those that a decorator hands to somebody."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) or (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.decorator_list
        ):
            yield node.name, node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for one in ast.walk(target):
                    if isinstance(one, ast.Name) and not one.id.startswith("__"):
                        yield one.id, node


def times_read(tree: ast.AST, name: str) -> int:
    return sum(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        for node in ast.walk(tree)
    )


def dead_names(known: dict[str, ast.Module], by_name: set[str]) -> list[str]:
    """Names of modules that nobody uses; `by_name` are those that the command line loads by their names."""
    used = used_elsewhere(known)
    return [
        f"{module}.{name}"
        for module, tree in known.items()
        if not module.startswith("tests")
        for name, node in defined(tree)
        if name not in used[module]
        and not (module.startswith(("model.", "services.cli.")) and name in by_name)
        and times_read(tree, name) == times_read(node, name)
    ]


def dead_members(known: dict[str, ast.Module]) -> list[str]:
    """Methods that nobody calls and fields that nobody reads, of classes that no library calls."""
    named = {text for tree in known.values() for text in texts(tree)}
    for tree in known.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                named.add(node.attr)
    return [
        f"{module}.{owner.name}.{name}"
        for module, tree in known.items()
        if not module.startswith("tests")
        for owner in tree.body
        if isinstance(owner, ast.ClassDef) and {_base(base) for base in owner.bases} <= PLAIN_BASES
        for name in members(owner)
        if name not in named
    ]


def _base(node: ast.expr) -> str:
    return ast.unparse(node.value if isinstance(node, ast.Subscript) else node).rpartition(".")[2]


def members(owner: ast.ClassDef) -> Iterator[str]:
    is_positional = any("dataclass" in ast.unparse(one) for one in owner.decorator_list)
    for node in owner.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("__"):
            yield node.name
        elif is_positional and isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


@pytest.fixture(scope="module")
def known(sources: list[Source]) -> dict[str, ast.Module]:
    return trees(sources)


@pytest.fixture(scope="module")
def by_name(sources: list[Source]) -> set[str]:
    """What the command line says as a text, or takes as an attribute of a module that it loads by name."""
    found: set[str] = set()
    for source in sources:
        if Path(source.path).is_relative_to("services/cli"):
            found |= {*texts(source.tree)}
            found |= {node.attr for node in ast.walk(source.tree) if isinstance(node, ast.Attribute)}
    return found


def test_every_name_is_used(known: dict[str, ast.Module], by_name: set[str]) -> None:
    assert dead_names(known, by_name) == []


def test_every_method_and_field_is_used(known: dict[str, ast.Module]) -> None:
    assert dead_members(known) == []


def test_the_rule_itself() -> None:
    files = {
        "services.core.a": """
            LIMIT = 1
            USED = 2
            CODE = "from services.core.e import main"

            def again(x):
                return again(x)

            def whole():
                return USED, CODE
        """,
        "services.web.b": """
            from services.core import a

            @a.route
            def page():
                return a.whole()
        """,
        "services.web.c": """
            class Box:
                def size(self): ...
                def weight(self): ...

            Box().size()
        """,
        "services.web.d": """
            from uvicorn import Protocol2

            class P(Protocol2):
                def pause(self): ...

            P()
        """,
        "services.core.e": "def main(): ...",
    }
    known = {module: ast.parse(dedent(text)) for module, text in files.items()}
    assert dead_names(known, set()) == ["services.core.a.LIMIT", "services.core.a.again"]
    assert dead_members(known) == ["services.web.c.Box.weight"]
