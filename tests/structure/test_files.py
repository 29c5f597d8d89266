"""Files that take their name when they are whole are written in one place, which cleans up."""

import re

from tests.structure.conftest import Source

HOMES = ("services/common/files.py", "model/files.py")
BY_HAND = re.compile(r"\bmkstemp\(|\bos\.(?:replace|rename)\(|\.(?:replace|rename)\((?:self\.)?_?path\)")


def test_nobody_renames_drafts_by_hand(sources: list[Source]) -> None:
    assert not {s.path for s in sources if s.path not in HOMES and BY_HAND.search(s.text)}


def test_the_rule_itself() -> None:
    assert BY_HAND.search("os.replace(partial, path)") and BY_HAND.search("draft.replace(self._path)")
    assert not BY_HAND.search("dataclasses.replace(path, x=1)") and not BY_HAND.search(
        "text.replace('a', 'b')"
    )
