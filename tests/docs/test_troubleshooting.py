"""The messages that the document explains are those that the programs say."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.docs.commands import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "troubleshooting.md"
OURS = ("The camera", "A service is not ready", "The embedded database", "Login", "Watching", "Counts")
"""Sections whose messages are our own programs'; the others are those of Docker and Kubernetes."""

OTHERS = {
    "No route to host",
    "Network is unreachable",
    "No such file or directory",
    "Permission denied",
    "401 Unauthorized",
    "404 Not Found",
}
SECTION = re.compile(r"^## (?P<title>.+)\n(?P<text>(?:(?!^## ).*\n)*)", re.MULTILINE)
MESSAGE = re.compile(r"`([^`]+)`")
FILLED_IN = re.compile(r"%[a-z]|\{\w+\}|\*{3}|SIGHTLINE_[A-Z_]+")
ANYTHING = "…"
SHORTEST = 4


def _messages(document: str) -> Iterator[str]:
    """Give what stands between backquotes in the first column of our tables."""
    for section in SECTION.finditer(document):
        if section["title"] in OURS:
            for row in re.findall(r"^\| (.+?) \|", section["text"], re.MULTILINE):
                yield from (message for message in MESSAGE.findall(row) if message not in OTHERS)


def _unsaid(message: str, said: str) -> list[str]:
    """Give the parts of a message that no program says."""
    parts = [part.strip(" '(),;:") for part in FILLED_IN.sub(ANYTHING, message).split(ANYTHING)]
    return [part for part in parts if len(part) >= SHORTEST and part not in said]


@pytest.fixture(scope="module")
def said() -> str:
    """Every text in the code of services and models, with `…` where something is filled in."""
    texts = []
    paths = (path for folder in ("services", "model") for path in (REPOSITORY / folder).rglob("*.py"))
    for path in (path for path in paths if "node_modules" not in path.parts):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else ANYTHING for part in node.values]
                texts.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(FILLED_IN.sub(ANYTHING, node.value))
    return "\n".join(texts)


def test_messages_are_those_of_the_programs(said: str) -> None:
    messages = list(_messages(DOCUMENT.read_text(encoding="utf-8")))
    assert len(messages) > 50
    assert not {message: unsaid for message in messages if (unsaid := _unsaid(message, said))}


def test_a_message_that_nobody_says_is_found() -> None:
    document = (
        "## Login\n| message | means |\n|---|---|\n| `wrong … word` | x |\n\n## Compose\n| `else` | |\n"
    )
    assert list(_messages(document)) == ["wrong … word"]
    assert _unsaid("wrong … word", "wrong\n") == ["word"]
