"""The command blocks of a document, and what the comments above them say about running them.

<!-- run: compose -->             or <!-- not run: needs a registry -->
<!-- expect: REGEX -->            the output holds it
<!-- expect not: REGEX -->        it does not
<!-- expect within 60 s: REGEX -->  it does after a while; the block is run again until then
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
OPERATIONS = REPOSITORY / "docs" / "operations.md"
OWN_MODEL = REPOSITORY / "docs" / "your-own-model.md"

PLACES = ("compose", "kubectl", "model", "ultralytics", "import")
REASONS = (
    "needs a certificate",
    "needs a real cluster",
    "needs a registry",
    "needs a screen",
    "needs a second version",
)

_FENCE = re.compile(r"^```sh\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENTS = re.compile(r"(?:^<!-- .* -->\n)+\Z", re.MULTILINE)
_COMMENT = re.compile(r"^<!-- (?P<key>[a-z0-9 ]+): (?P<value>.+) -->$", re.MULTILINE)
_WITHIN = re.compile(r"expect within (\d+) s")


@dataclass(frozen=True)
class Expectation:
    """What the output of a block holds, or must not hold."""

    pattern: str
    is_absent: bool = False
    within_s: float = 0.0

    def is_met(self, output: str) -> bool:
        """Tell whether an output is as expected."""
        return bool(re.search(self.pattern, output, re.MULTILINE)) != self.is_absent


@dataclass(frozen=True)
class Block:
    """Commands that a reader copies."""

    line: int
    text: str
    place: str | None
    """Where it is run by the tests; None where it is not."""
    reason: str | None
    """Why it is not run."""
    expectations: tuple[Expectation, ...]

    @property
    def within_s(self) -> float:
        """For how long it is run again until its output is as expected."""
        return max((expected.within_s for expected in self.expectations), default=0.0)


def blocks_of(document: str) -> Iterator[Block]:
    """Give the blocks of a document in its order; ValueError names one whose mark is missing or unknown."""
    for fence in _FENCE.finditer(document):
        line = document.count("\n", 0, fence.start()) + 1
        comments = _COMMENTS.search(document, 0, fence.start())
        marks = dict[str, str]()
        expectations = []
        for comment in _COMMENT.finditer(comments[0] if comments else ""):
            key, value = comment["key"], comment["value"]
            if key.startswith("expect"):
                expectations.append(_expectation(key, value, line))
            else:
                marks[key] = value
        place, reason = marks.get("run"), marks.get("not run")
        if len(marks) != 1 or not (place in PLACES or reason in REASONS):
            raise ValueError(f"line {line}: a block wants `run: PLACE` or `not run: REASON`, not {marks}")
        yield Block(line, fence["text"], place, reason, tuple(expectations))


def _expectation(key: str, pattern: str, line: int) -> Expectation:
    within = _WITHIN.fullmatch(key)
    if key not in ("expect", "expect not") and within is None:
        raise ValueError(f"line {line}: {key!r} is not known")
    return Expectation(pattern, key == "expect not", float(within[1]) if within else 0.0)


def operations(place: str) -> list[Block]:
    """Give the blocks of docs/operations.md that are run in one place."""
    return [block for block in blocks_of(OPERATIONS.read_text(encoding="utf-8")) if block.place == place]
