"""What the lines of a camera were at which time, as far as answers about counts need it: pure."""

import math
from collections.abc import Collection, Iterator, Sequence

from services.core.evidence.coverage import Span
from services.core.model_classes import counts_all_states
from services.core.types import LineVersion


class LineHistory:
    """All versions of the lines of a camera; a version ends where the next one of its line begins."""

    def __init__(self, versions: Sequence[LineVersion], states_masks: bool = True) -> None:
        """Take versions in the order of time, and whether what is called like a mask state is one."""
        self.versions, self._states_masks = versions, states_masks
        self._newest: dict[str, LineVersion] = {}
        for version in versions:
            known = self._newest.get(version.line.id)
            if known is None or version.line.version > known.line.version:
                self._newest[version.line.id] = version
        self.names = {line: version.line.name for line, version in self._newest.items()}
        """What each line is called by its newest version, in the order in which they were made."""

    def name(self, line: str) -> str:
        """Give what a line is called; its id where it was never there, but has counts."""
        return self.names.get(line, line)

    def begin_s(self, made_s: float) -> float:
        """Give since when a camera has been there that was made at a time, or has lines that are older."""
        return min([made_s, *(version.valid_from_s for version in self.versions)])

    def classes(self) -> set[str]:
        """Give the classes that lines name."""
        return {name for version in self.versions for name in version.line.classes or ()}

    def lines_in(self, span: Span) -> list[str]:
        """Give the lines that were there in a span, in the order in which they were made."""
        found = {version.line.id for version in self._in_force(span)}
        return [line for line in self.names if line in found]

    def lines_now(self) -> list[str]:
        """Give the lines that are there, in the order in which they were made."""
        return [line for line, version in self._newest.items() if not version.is_deleted]

    def count_all_states(
        self, span: Span, lines: Collection[str] = (), classes: Collection[str] = ()
    ) -> bool:
        """Whether what counted in a span counted all mask states, and all of them are asked for.

        `lines` and `classes` are those asked for; none: all.
        """
        is_whole = self._states_masks and (not classes or counts_all_states(classes))
        return is_whole and all(
            counts_all_states(version.line.classes)
            for version in self._in_force(span)
            if not lines or version.line.id in lines
        )

    def _in_force(self, span: Span) -> Iterator[LineVersion]:
        ends_s: dict[str, float] = {}
        for version in reversed(self.versions):
            end_s = ends_s.get(version.line.id, math.inf)
            ends_s[version.line.id] = version.valid_from_s
            if version.valid_from_s < span[1] and end_s > span[0] and not version.is_deleted:
                yield version
