"""Drawing into pictures."""

import numpy as np

from services.common.drawing import draw_lines, draw_objects
from services.core.types import Line, LineId, TrackedObject


def test_boxes_and_lines_lie_where_they_belong() -> None:
    canvas = np.zeros((200, 400, 3), np.uint8)
    draw_objects(canvas, (TrackedObject(1, (0.5, 0.5, 0.75, 0.9), "car", 0.9),))
    assert canvas[140, 200].any()
    assert canvas[140, 300].any()
    assert not canvas[140, 250].any()
    assert not canvas[:, 310:].any()


def test_the_arrow_shows_forward() -> None:
    canvas = np.zeros((200, 400, 3), np.uint8)
    draw_lines(canvas, (Line(LineId("a"), "Ä", ((0.1, 0.5), (0.9, 0.5))),), {"a": "3 / 4"})
    assert canvas[100, 300].tolist() == [53, 107, 255]
    assert canvas[106:, 195:206].any(), "left to right, forward is down"
    assert not canvas[85:95, 195:206].any()
