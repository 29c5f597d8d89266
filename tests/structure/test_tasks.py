"""Whoever begins a task takes its outcome, or has `services.common.tasks` watch it."""

import ast
from collections.abc import Iterator

import pytest

from tests.structure.conftest import Source

HOME = "services/common/tasks.py"
BEGINNINGS = ("create_task", "ensure_future", "run_coroutine_threadsafe")
NEVER_FAIL = ("wait", "wait_closed")
"""Waiting for an event or for the end of a connection has no outcome that anybody could miss."""


def _name(node: ast.expr) -> str:
    """Give the last name of a target: of `self._tasks[name]` it is `task`, as of a variable over them."""
    while isinstance(node, ast.Subscript):
        node = node.value
    last = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return last.strip("_").removesuffix("s")


def _is_call_of(node: ast.AST, *names: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names


def _groups(tree: ast.AST) -> set[str]:
    """Give the names of the task groups: these raise what their tasks fail with."""
    items = [item for node in ast.walk(tree) if isinstance(node, ast.AsyncWith) for item in node.items]
    return {
        item.optional_vars.id
        for item in items
        if _is_call_of(item.context_expr, "TaskGroup") and isinstance(item.optional_vars, ast.Name)
    }


def _taken(tree: ast.AST) -> set[str]:
    """Give the names whose outcome is taken: awaited (merely to wait for an end is not), or asked for."""
    names = set()
    for node in ast.walk(tree):
        if _is_call_of(node, "result", "exception"):
            names.add(_name(node.func.value))
        if isinstance(node, ast.Await) and not _is_call_of(node.value, "wait"):
            inside = [part for part in ast.walk(node.value) if isinstance(part, ast.Name | ast.Attribute)]
            names |= {_name(part) for part in inside}
    return names


def _unwatched(tree: ast.AST) -> Iterator[int]:
    """Give the lines on which a task begins whose end nobody would notice."""
    groups, taken = _groups(tree), _taken(tree)
    targets = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            names = {_name(target) for target in getattr(node, "targets", None) or [node.target]}
            targets.update((id(part), names) for part in ast.walk(node.value))
    for node in ast.walk(tree):
        if not _is_call_of(node, *BEGINNINGS):
            continue
        in_group = isinstance(node.func.value, ast.Name) and node.func.value.id in groups
        is_harmless = node.args and _is_call_of(node.args[0], *NEVER_FAIL)
        if not (in_group or is_harmless or taken & targets.get(id(node), set())):
            yield node.lineno


def test_no_task_ends_unnoticed(sources: list[Source]) -> None:
    found = {
        source.path: lines
        for source in sources
        if source.path != HOME and (lines := list(_unwatched(source.tree)))
    }
    assert not found, "begin it with services.common.tasks.watched, or in a TaskGroup"


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ("asyncio.create_task(work())", True),
        ("task = asyncio.create_task(work())", True),
        ("task = asyncio.create_task(work())\ntask.cancel()", True),
        ("task = asyncio.create_task(work())\nawait asyncio.wait([task])", True),
        ("task = asyncio.create_task(work())\nawait asyncio.wait([task])\ntask.result()", False),
        ("self._task = asyncio.ensure_future(work())\nawait asyncio.shield(self._task)", False),
        ("tasks = [asyncio.create_task(w()) for w in all]\nawait asyncio.gather(*tasks)", False),
        ("tasks[name] = asyncio.create_task(work())\nfor task in done: task.exception()", False),
        ("waiting = asyncio.create_task(event.wait())", False),
        ("async with asyncio.TaskGroup() as group:\n    group.create_task(work())", False),
        ("group.create_task(work())", True),
        ("asyncio.run_coroutine_threadsafe(work(), loop)", True),
    ],
)
def test_the_rule_itself(code: str, is_found: bool) -> None:
    body = "\n".join(f"    {row}" for row in code.splitlines())
    assert bool(list(_unwatched(ast.parse(f"async def f():\n{body}")))) == is_found
