"""The judge of the counter is judged here, on paths simple enough to count by eye."""

import ast
from pathlib import Path

import numpy as np
import pytest

from services.core.types import Line, LineId, Point
from services.demo import truth
from services.demo.script import BoxTrack
from services.demo.truth import TrueCrossing, true_crossings

LEVEL = Line(LineId("level"), "Level", ((0.2, 0.5), (0.8, 0.5)))
UPRIGHT = Line(LineId("upright"), "Upright", ((0.5, 0.2), (0.5, 0.8)))


def track(points: list[tuple[float, float, float]], height: float = 0.1) -> BoxTrack:
    """Boxes around (time, x, y) points."""
    times, xs, ys = np.array(points).T
    return BoxTrack(times, np.stack([xs - 0.05, ys - height / 2, xs + 0.05, ys + height / 2], axis=1))


def crossings(points: list[tuple[float, float, float]], line: Line = LEVEL) -> list[TrueCrossing]:
    return true_crossings([(1, "car", track(points))], [line])


@pytest.mark.parametrize(
    ("line", "start", "end", "direction"),
    [
        (LEVEL, (0.5, 0.2), (0.5, 0.8), "forward"),
        (LEVEL, (0.5, 0.8), (0.5, 0.2), "backward"),
        (UPRIGHT, (0.8, 0.5), (0.2, 0.5), "forward"),
        (UPRIGHT, (0.2, 0.5), (0.8, 0.5), "backward"),
        (LEVEL, (0.4, 0.2), (0.6, 0.8), "forward"),
    ],
)
def test_straight_over(line: Line, start: Point, end: Point, direction: str) -> None:
    (found,) = crossings([(0, *start), (6, *end)], line)
    assert (found.direction, found.line, found.class_name) == (direction, line.id, "car")
    assert found.time_s == pytest.approx(3.0, abs=0.01)
    assert found.along == pytest.approx(0.5, abs=0.01)


def test_a_stop_on_the_line_counts_once_at_the_time_the_line_is_met() -> None:
    stop = [(0, 0.5, 0.2), (3, 0.5, 0.499), (4, 0.5, 0.502), (5, 0.5, 0.499), (6, 0.5, 0.502), (9, 0.5, 0.8)]
    (found,) = crossings(stop)
    assert found.direction == "forward"
    assert 3.0 <= found.time_s <= 6.0


def test_a_u_turn_counts_once_each_way() -> None:
    found = crossings([(0, 0.4, 0.2), (2, 0.4, 0.7), (3, 0.5, 0.7), (5, 0.5, 0.2)])
    assert [one.direction for one in found] == ["forward", "backward"]
    assert found[0].along == pytest.approx(1 / 3, abs=0.01)
    assert found[1].along == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("deepest", [0.45, 0.499, 0.515])
def test_coming_near_or_a_little_over_is_no_crossing(deepest: float) -> None:
    assert crossings([(0, 0.5, 0.2), (2, 0.5, deepest), (4, 0.5, 0.2)]) == []


def test_the_band_left_and_come_back_counts_only_when_clear() -> None:
    found = crossings([(0, 0.5, 0.2), (2, 0.5, 0.515), (3, 0.5, 0.49), (5, 0.5, 0.8)])
    assert [one.direction for one in found] == ["forward"]


def test_passing_beyond_the_end_is_no_crossing() -> None:
    assert crossings([(0, 0.9, 0.2), (4, 0.9, 0.8)]) == []
    found = crossings([(0, 0.9, 0.2), (2, 0.9, 0.8), (3, 0.5, 0.8), (5, 0.5, 0.2)])
    assert [one.direction for one in found] == ["backward"]


def test_begun_on_the_line_is_no_crossing() -> None:
    assert crossings([(0, 0.5, 0.5), (3, 0.5, 0.8)]) == []


def test_anchor_classes_and_several_pieces() -> None:
    foot = Line(LineId("foot"), "Foot", LEVEL.points, anchor="foot")
    (found,) = crossings([(0, 0.5, 0.2), (6, 0.5, 0.8)], foot)
    assert found.time_s == pytest.approx(2.5, abs=0.01)
    assert (
        crossings([(0, 0.5, 0.2), (6, 0.5, 0.8)], Line(LineId("p"), "P", LEVEL.points, classes=("bus",)))
        == []
    )
    bent = Line(LineId("bent"), "Bent", ((0.2, 0.5), (0.5, 0.4), (0.8, 0.5)))
    (found,) = crossings([(0, 0.6, 0.1), (6, 0.6, 0.9)], bent)
    assert found.along == pytest.approx(2 / 3, abs=0.02)


def test_the_truth_knows_no_detector_tracker_or_counter() -> None:
    seen: set[str] = set()
    waiting = ["services.demo.truth"]
    root = Path(truth.__file__).parents[2]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        path = root.joinpath(*name.split("."))
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        for node in ast.walk(ast.parse(file.read_text())) if file.exists() else ():
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names if alias.name.startswith("services")]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("services"):
                waiting += [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    assert not [name for name in seen if "detector" in name or "counting" in name or "recount" in name]
