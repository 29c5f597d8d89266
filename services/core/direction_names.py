"""What people call the directions of a line, for what was counted at any time: pure.

Forward and backward follow from the points of a line, so the names that people give them belong to these
points. A crossing has the names of the newest version that lies where the one lay that it was counted with:
a name that is given today, or spelled better, is that of last week's crossings too, while a line that was
turned round or moved leaves to what it counted before the names of then. A line that was deleted and made
again is another one.
"""

from collections.abc import Sequence

from services.core.types import Direction, Line, LineId, LineVersion


class DirectionNames:
    """Gives the names of directions by the lines and versions that crossings name."""

    def __init__(self, versions: Sequence[LineVersion]) -> None:
        """Take all versions of a camera's lines, in any order."""
        self._versions: dict[LineId, list[LineVersion]] = {}
        self._named: dict[tuple[LineId, int], Line] = {}
        for version in sorted(versions, key=lambda item: item.line.version):
            self._versions.setdefault(version.line.id, []).append(version)
        for of_line in self._versions.values():
            self._name(of_line)

    def _name(self, versions: Sequence[LineVersion]) -> None:
        newest: dict[object, Line] = {}
        for version in reversed(versions):
            if version.is_deleted:
                newest = {}
            line = version.line
            self._named[line.id, line.version] = newest.setdefault(line.points, line)

    def name(self, line: LineId, version: int, direction: Direction) -> str | None:
        """Give what people call a direction of a version of a line; None where nobody has named it."""
        named = self._named.get((line, version))
        if named is None:
            return None
        return named.forward_name if direction == "forward" else named.backward_name

    def of_line(self, line: str, until_s: float) -> tuple[str | None, str | None]:
        """Give the names of forward and backward of a line as it lay at the end of a span.

        Of one that was made later, as it lay first; None twice of one that never was.
        """
        versions = self._versions.get(LineId(line), [])
        if not versions:
            return None, None
        begun = [version for version in versions if version.valid_from_s < until_s]
        last = (begun or versions[:1])[-1].line
        named = self._named[last.id, last.version]
        return named.forward_name, named.backward_name
