"""Drawing into pictures."""

import numpy as np

from services.common.live.drawing import CLASS_COLORS, color_of, draw_lines, draw_objects, words_of
from services.core.types import MASK_CLASSES, TRAFFIC_CLASSES, Line, LineId, TrackedObject


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


def test_each_class_has_its_colour_and_mask_states_are_read_in_words() -> None:
    assert set(CLASS_COLORS) == {*TRAFFIC_CLASSES, *MASK_CLASSES}
    assert len(set(CLASS_COLORS.values())) == len(CLASS_COLORS)
    assert [words_of(name) for name in MASK_CLASSES] == ["mask", "no mask", "worn wrongly"]
    canvas = np.zeros((200, 400, 3), np.uint8)
    draw_objects(canvas, (TrackedObject(1, (0.5, 0.5, 0.75, 0.9), "no_mask", 0.9, "no_mask"),))
    assert (canvas == CLASS_COLORS["no_mask"]).all(axis=2).sum() > 200


def test_any_other_class_has_the_colour_that_the_page_gives_it() -> None:
    names = ["helmet", "head", "vest", "Gabelstapler für Paletten", "=1+1", "constructor"]
    shown = ["#" + bytes(color_of(name)[::-1]).hex() for name in names]
    assert shown == ["#96e170", "#d6b03d", "#d63dc9", "#d68a3d", "#e1b270", "#54b125"]
    assert [color_of(name) for name in CLASS_COLORS] == [*CLASS_COLORS.values()]
    assert len({color_of(f"class {number}") for number in range(80)}) > 60
