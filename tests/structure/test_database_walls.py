"""The store decides the past: nobody else can delete records, change retention or heal half-done work."""

import ast
import typing
from collections.abc import Iterator

import pytest

from services.common.database.reading import Records
from services.web.database import WebDatabase

ROOM = "services.common.database"

FOR_ALL = {
    "accounts": {"Accounts", "AuditTrail", "is_owned"},
    "generations": {"Generation", "Generations"},
    "ownership": {"OwnershipReader"},
    "probe": {"DatabaseProbe"},
    "reading": {"CrossingCursor", "CrossingSelection", "Records"},
    "repeats": {"RepeatReader"},
    "retention_notices": {"RetentionNotices", "clock_object", "retention_object"},
    "schema": {"Retention", "Schema"},
    "setups": {"Setups", "StoredCamera"},
}
"""What a service other than the store may name: what people set up, and reads. All else is the store's."""

WITHOUT_DATABASE = (
    "services/core/",
    "services/demo/",
    "services/detector/",
    "services/ingest/",
    "services/rtsp/",
)

DECIDES = {
    "aside": "Aside",
    "events": "EventWriter",
    "generation_removal": "GenerationRemoval",
    "minutes": "Minutes",
    "ownership": "Fences",
    "repeats": "RepeatKeeper",
    "retention": "RecordRetention",
    "schema": "end_expiry",
}
"""The parts that write, delete or heal the past."""

COMPOSES = "services/cli/database_parts.py"
"""Where services are given their parts."""

RESTORES = "services/cli/backup.py"
"""Restore writes the past too, while nobody else may."""


def _names(tree: ast.AST) -> Iterator[str]:
    """What a file imports of the room, as `module.name`; a module as a whole is `module.*`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == ROOM or alias.name.startswith(f"{ROOM}."):
                    yield f"{alias.name.removeprefix(ROOM).strip('.')}.*"
        elif isinstance(node, ast.ImportFrom) and node.module == ROOM:
            yield from (f"{alias.name}.*" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{ROOM}."):
            module = (node.module or "").removeprefix(f"{ROOM}.")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _private(tree: ast.AST) -> Iterator[str]:
    """The ways around a part: its link, whoever holds it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("_link", "_schema"):
            text = ast.unparse(node)
            if text != f"self.{node.attr}":
                yield text


def _wrong(path: str, tree: ast.AST) -> list[str]:
    """Give what a file may not take of the database."""
    if path.startswith("services/common/database/") or not path.startswith("services/"):
        return []
    names, around = list(_names(tree)), list(_private(tree))
    if path.startswith(WITHOUT_DATABASE):
        return names + around
    if path.startswith("services/store/"):
        return around
    if path.startswith("services/cli/"):
        forbidden = set() if path == COMPOSES else {f"{module}.{name}" for module, name in DECIDES.items()}
        if path != RESTORES:
            forbidden.add("transfer.Restore")
        return [name for name in names if name in forbidden or name.endswith(".*")] + around
    allowed = {f"{module}.{name}" for module, known in FOR_ALL.items() for name in known}
    return [name for name in names if name not in allowed] + around


def test_only_the_store_and_its_composition_have_what_deletes_and_heals(sources) -> None:
    assert not {s.path: wrong for s in sources if (wrong := _wrong(s.path, s.tree))}


def test_the_store_is_given_its_parts_in_one_place(sources) -> None:
    """Whoever runs the store asks for its parts by name, and nobody else does."""
    asking = {s.path for s in sources if "store_database" in {*_imported_names(s.tree)}}
    assert asking == {"services/cli/platform.py", "services/cli/serve/store.py"}


def _imported_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)


def test_all_that_web_can_delete_is_what_people_set_up() -> None:
    hints = typing.get_type_hints(WebDatabase).values()
    parts = [part for hint in hints for part in (hint, *typing.get_args(hint)) if isinstance(part, type)]
    assert Records in parts
    assert not {part.__name__ for part in parts} & set(DECIDES.values())
    changes = {
        f"{part.__name__}.{name}" for part in parts for name in vars(part) if name.startswith("delete")
    }
    assert changes == {
        *("Setups.delete_camera", "Setups.delete_line"),
        *("Accounts.delete_user", "Accounts.delete_session", "Accounts.delete_token"),
    }


def test_parts_are_composed(sources) -> None:
    """No part inherits from another, and each assigns what it uses in its own constructor."""
    found = []
    for source in sources:
        if not source.path.startswith("services/common/database/"):
            continue
        for part in (node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)):
            found += [f"{part.name}({ast.unparse(base)})" for base in part.bases]
            assigned, used = _own(part)
            found += [f"{part.name}.{name}" for name in sorted(used - assigned)]
    assert not found


def _own(part: ast.ClassDef) -> tuple[set[str], set[str]]:
    """Give the attributes of `self` that a class has by itself, and those that it uses."""
    assigned = {node.name for node in part.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    is_data = any("dataclass" in ast.unparse(decorator) for decorator in part.decorator_list)
    for node in part.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and (is_data or node.value):
            assigned.add(node.target.id)
    used: set[str] = set()
    for node in ast.walk(part):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            (assigned if isinstance(node.ctx, ast.Store) else used).add(node.attr)
    return assigned, used


@pytest.mark.parametrize(
    ("path", "code", "found"),
    [
        ("services/web/a.py", f"from {ROOM}.retention import RecordRetention", ["retention.RecordRetention"]),
        ("services/web/a.py", f"from {ROOM}.link import DatabaseLink", ["link.DatabaseLink"]),
        ("services/web/a.py", f"from {ROOM} import events", ["events.*"]),
        ("services/web/a.py", f"import {ROOM}.events", ["events.*"]),
        ("services/web/a.py", f"def f():\n    from {ROOM}.aside import Aside", ["aside.Aside"]),
        ("services/web/a.py", "database.setups._link.collection('crossings')", ["database.setups._link"]),
        ("services/web/a.py", f"from {ROOM}.setups import Setups", []),
        ("services/detector/a.py", f"from {ROOM}.setups import Setups", ["setups.Setups"]),
        ("services/common/live/a.py", f"from {ROOM}.events import EventWriter", ["events.EventWriter"]),
        ("services/store/a.py", f"from {ROOM}.retention import RecordRetention", []),
        ("services/cli/a.py", f"from {ROOM}.retention import RecordRetention", ["retention.RecordRetention"]),
        ("services/cli/a.py", f"from {ROOM}.transfer import Export, Restore", ["transfer.Restore"]),
        (RESTORES, f"from {ROOM}.transfer import Export, Restore", []),
        (RESTORES, f"from {ROOM}.events import EventWriter", ["events.EventWriter"]),
        (COMPOSES, f"from {ROOM}.events import EventWriter", []),
    ],
)
def test_the_rule_itself(path: str, code: str, found: list[str]) -> None:
    assert _wrong(path, ast.parse(code)) == found


def test_the_rule_of_composition_itself() -> None:
    tower = ast.parse("class A(B):\n    _link: int\n    def f(self):\n        return self._link + self.g()")
    (part,) = tower.body
    assert isinstance(part, ast.ClassDef)
    assigned, used = _own(part)
    assert used - assigned == {"_link", "g"}
