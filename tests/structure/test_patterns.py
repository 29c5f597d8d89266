"""No pattern of the product can be made to cost more than the length of a text, whatever it holds."""

import ast
import importlib
import itertools
import re
import time
from collections.abc import Iterator

import pytest

LENGTHS = (26, 300, 1200, 12_000)
"""Short ones first: a pattern whose cost doubles with each character is found before it lasts for ever."""
MOST_S = 0.1
"""Processor time for one text. A pattern with a square in its cost takes longer, one with a cube minutes."""

PIECE = re.compile(r"[a-zA-Z]{2,}|[0-9]|[^a-zA-Z0-9\s]|[a-zA-Z]")
COMMON = (
    "a",
    "A",
    "0",
    "_",
    "=",
    "/",
    ":",
    "@",
    "&",
    ".",
    "-",
    " ",
    "\n",
    "\t",
    "a\n",
    "---\n",
    "://",
    "http://",
)
MOST_PIECES = 30


def _compiled_names(tree: ast.Module) -> Iterator[str]:
    """The names that a module gives to what it compiles."""
    for node in tree.body:
        is_call = isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if is_call and ast.unparse(node.value.func) == "re.compile":
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _uses(tree: ast.Module, name: str) -> set[str]:
    """How a module uses a pattern of its own: `match`, `search` and so on."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    } - {"pattern"}


def _texts(pattern: str, length: int) -> Iterator[str]:
    """Texts of one or two pieces of the pattern, over and over, and an end that fits none."""
    pieces = [*dict.fromkeys((*COMMON, *PIECE.findall(pattern)))][:MOST_PIECES]
    for pair in itertools.chain(((piece,) for piece in pieces), itertools.permutations(pieces, 2)):
        joined = "".join(pair)
        yield (joined * (length // len(joined) + 1))[:length] + "\0"


def _use(pattern: re.Pattern[str], use: str, text: str) -> None:
    function = getattr(pattern, use)
    found = function("", text) if use in ("sub", "subn") else function(text)
    if use == "finditer":
        list(found)


def _cost_s(pattern: re.Pattern[str], uses: set[str], text: str) -> float:
    began_s = time.thread_time()
    for use in uses:
        _use(pattern, use, text)
    return time.thread_time() - began_s


def dearest(pattern: re.Pattern[str], uses: set[str]) -> tuple[float, str]:
    """Give the most processor time that a text took, with its beginning; one that took too long ends it."""
    worst = (0.0, "")
    for text in (text for length in LENGTHS for text in _texts(pattern.pattern, length)):
        cost_s = _cost_s(pattern, uses, text)
        if cost_s > MOST_S:  # a collection of garbage may have fallen into it
            cost_s = min(cost_s, _cost_s(pattern, uses, text))
        worst = max(worst, (cost_s, text[:20]))
        if worst[0] > MOST_S:
            break
    return worst


def test_every_pattern_costs_little(sources) -> None:
    dear, looked_at = {}, 0
    for source in sources:
        for name in _compiled_names(source.tree):
            module = importlib.import_module(source.path.removesuffix(".py").replace("/", "."))
            uses = _uses(source.tree, name) or {"match", "fullmatch"}
            cost_s, text = dearest(getattr(module, name), uses)
            looked_at += 1
            if cost_s > MOST_S:
                dear[f"{source.path}: {name}"] = f"{cost_s:.2f} s for {text!r}…"
    assert looked_at >= 10
    assert not dear


def test_no_pattern_hides_in_a_call(sources) -> None:
    """A pattern has a name, so that the test above finds it; the few others stand here and cost little."""
    known = {
        "services/core/identifiers.py": {'re.sub("[^a-z0-9]+", "-", plain)'},
        "model/export/writing.py": {"re.sub('^([\\\\w-]*=)?/.*/(?=[^/])', '\\\\1', word)"},
    }
    hidden = []
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and re.fullmatch(
                r"re\.(?!compile|escape)\w+", ast.unparse(node.func)
            ):
                text = ast.unparse(node)
                if text.replace("'", '"') not in {
                    one.replace("'", '"') for one in known.get(source.path, set())
                }:
                    hidden.append(f"{source.path}: {text}")
    assert not hidden


@pytest.mark.parametrize(
    "pattern",
    [r"(?P<name>[\w.-]*?(?:pass|key)[\w.-]*?)=", r"(a+)+$", r"\w+="],
)
def test_the_rule_itself(pattern: str) -> None:
    cost_s, _ = dearest(re.compile(pattern), {"search"})
    assert cost_s > MOST_S
