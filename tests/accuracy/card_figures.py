"""Compares a model card with the same card made again, figure by figure."""

import re

TOLERANCE = 0.005
"""By which a share may differ: other processors round differently."""
TOLERANCE_FOUND = 2
"""By how many found boxes the base of a class accuracy may differ, for the same reason."""

NUMBER = re.compile(r"(?<![\w.-])(?:\d+\.\d+|of \d+\))(?![\w.])")


def differences(card: str, again: str) -> list[str]:
    """Each line that differs by more than rounding, with what it should be."""
    old, new = card.splitlines(), again.splitlines()
    if len(old) != len(new):
        return [f"the card has {len(old)} lines and should have {len(new)}"]
    return [
        f"{number}: {first!r} should be {second!r}"
        for number, (first, second) in enumerate(zip(old, new, strict=True), 1)
        if not _is_same(first, second)
    ]


def _is_same(first: str, second: str) -> bool:
    if NUMBER.sub("#", first) != NUMBER.sub("#", second):
        return False
    pairs = zip(NUMBER.findall(first), NUMBER.findall(second), strict=True)
    return all(_is_near(one, other) for one, other in pairs)


def _is_near(one: str, other: str) -> bool:
    if one.startswith("of ") or other.startswith("of "):
        counts = [int(text.strip("of )")) for text in (one, other)]
        return one[:3] == other[:3] and abs(counts[0] - counts[1]) <= TOLERANCE_FOUND
    return abs(float(one) - float(other)) <= TOLERANCE + 1e-9
