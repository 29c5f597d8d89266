"""Files and functions can be read in one go, and a thought in one file; there is no list of exceptions."""

import ast
import statistics
from collections.abc import Iterator

MEDIAN_FILE_LINES = 150
P90_FILE_LINES = 350
MAX_FILE_LINES = 500
SMALL_FILE_LINES = 60
MOST_SMALL_FILES = 0.2
"""Of all files: one thought is one file, and a reader of six small ones has to put it together again."""
P90_FUNCTION_LINES = 25
MAX_FUNCTION_LINES = 60


def _p90(values: list[int]) -> int:
    return sorted(values)[int(0.9 * (len(values) - 1))]


def _functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def test_files_are_small(sources) -> None:
    lines = {source.path: source.line_count for source in sources if not source.path.endswith("__init__.py")}
    assert not {path: count for path, count in lines.items() if count > MAX_FILE_LINES}
    assert statistics.median(lines.values()) <= MEDIAN_FILE_LINES
    assert _p90(list(lines.values())) <= P90_FILE_LINES


def test_few_files_are_too_small(sources) -> None:
    lines = {source.path: source.line_count for source in sources if not source.path.endswith("__init__.py")}
    small = sorted(path for path, count in lines.items() if count <= SMALL_FILE_LINES)
    assert len(small) <= MOST_SMALL_FILES * len(lines), small


def test_functions_are_small(sources) -> None:
    lines = {f"{source.path}: {name}": count for source in sources for name, count in _functions(source.tree)}
    assert not {name: count for name, count in lines.items() if count > MAX_FUNCTION_LINES}
    assert _p90(list(lines.values())) <= P90_FUNCTION_LINES


def test_every_public_module_and_class_says_what_it_is_for(sources) -> None:
    silent = []
    for source in sources:
        if source.tree.body and not ast.get_docstring(source.tree):
            silent.append(source.path)
        for node in ast.walk(source.tree):
            if (
                isinstance(node, ast.ClassDef)
                and not node.name.startswith("_")
                and not ast.get_docstring(node)
            ):
                silent.append(f"{source.path}: {node.name}")
    assert not silent
