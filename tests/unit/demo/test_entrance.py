"""The entrance: what its script holds, and that faces and masks are where their pixels are."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from services.core.types import MASK_CLASSES
from services.demo.dataset import label, visible_boxes, write_dataset
from services.demo.entrance.cloud import Lamp, draw
from services.demo.entrance.head import face_patch
from services.demo.entrance.looks import FABRICS, VisitorLook, Wear
from services.demo.entrance.render import EntranceRenderer, head_cloud
from services.demo.entrance.scene import Entrance, make_entrance
from services.demo.entrance.visitor import BELOW_CHIN_SHARE, Visitor, face_box, view_of
from services.demo.script import FPS, HEIGHT_PX, WIDTH_PX
from services.demo.truth import BAND, TrueCrossing, _against, _anchors, true_crossings, truth_of

SEEDS = (1, 4, 7)
SURGICAL = FABRICS[0]


@pytest.fixture(scope="module", params=SEEDS)
def scene(request: pytest.FixtureRequest) -> Entrance:
    return make_entrance(request.param)


@pytest.fixture(scope="module")
def demo() -> EntranceRenderer:
    return EntranceRenderer(make_entrance(7))


def of(scene: Entrance, situation: str) -> list[Visitor]:
    return [one for one in scene.objects if one.situation == situation]


def crossings(scene: Entrance, one: Visitor) -> list[TrueCrossing]:
    return true_crossings([(one.number, one.class_name, one.track)], scene.lines)


def distances(scene: Entrance, one: Visitor) -> np.ndarray:
    points = _anchors(one.track, one.track.times_s, False)
    return _against(points, scene.lines[0].points, WIDTH_PX / HEIGHT_PX)[2]


def test_whoever_passes_comes_in_once_and_well_inside_the_line(scene: Entrance) -> None:
    for situation in ("pass", "occlusion", "stop", "look_around"):
        assert of(scene, situation), situation
        for one in of(scene, situation):
            (found,) = crossings(scene, one)
            assert found.direction == "forward"
            assert 0.05 < found.along < 0.95


def test_what_makes_counting_hard_is_there(scene: Entrance) -> None:
    for one in of(scene, "stop"):
        assert (distances(scene, one) < BAND).sum() > 2 * FPS
    assert of(scene, "step_back")
    for one in of(scene, "step_back"):
        assert [c.direction for c in crossings(scene, one)] == ["forward", "backward", "forward"]
    for one in (*of(scene, "near_miss"), *of(scene, "bystander")):
        assert crossings(scene, one) == []
        assert distances(scene, one).min() > 1.3 * BAND
    assert of(scene, "near_miss")
    assert of(scene, "bystander")


def test_all_three_states_come_in_and_the_truth_names_them(scene: Entrance) -> None:
    states = Counter(crossing.class_name for crossing in truth_of(scene))
    assert set(states) == set(MASK_CLASSES)
    worn = {one.way.look.wear for one in scene.objects}
    assert worn == set(Wear)


def test_faces_grow_from_small_to_large(scene: Entrance) -> None:
    for one in scene.objects:
        widths_px = (one.track.boxes[:, 2] - one.track.boxes[:, 0]) * WIDTH_PX
        assert widths_px[0] < 16
        if one.situation not in ("near_miss", "bystander"):
            assert 45 < widths_px.max() < 100


def test_a_face_is_followed_without_a_hole_until_it_is_gone(scene: Entrance) -> None:
    for one in scene.objects:
        assert np.allclose(np.diff(one.track.times_s), 1 / FPS)
        patch = face_patch(one.way.look.shape)
        later = np.arange(one.track.times_s[-1] + 1 / FPS, one.way.path.times_s[-1], 0.2)
        assert all(face_box(one.way, patch, time_s) is None for time_s in later), one


def test_the_room_is_empty_where_the_loop_closes(demo: EntranceRenderer) -> None:
    scene = demo.scene
    for number in (0, scene.frames - 1):
        assert scene.present(number / FPS) == []
        assert np.array_equal(demo.clean(number), demo.background)
    assert scene.present(scene.duration_s / 2)


def test_short_scenes_end_empty_and_too_short_ones_are_refused() -> None:
    short = make_entrance(3, 30.0)
    assert short.present(30.0 - 1 / FPS) == []
    assert truth_of(short)
    with pytest.raises(ValueError, match="at least"):
        make_entrance(3, 5.0)


def test_the_same_seed_gives_the_same_script_and_pixels(demo: EntranceRenderer) -> None:
    make_entrance.cache_clear()
    again = EntranceRenderer(make_entrance(7))
    assert truth_of(again.scene) == truth_of(demo.scene)
    for number in (300, 301):
        assert np.array_equal(again.frame(number), demo.frame(number))
        assert np.array_equal(demo.frame(number + demo.scene.frames), demo.frame(number))
    assert not np.array_equal(demo.frame(300), demo.frame(301))
    assert not np.array_equal(EntranceRenderer(make_entrance(1)).frame(300), demo.frame(300))


def test_boxes_lie_on_the_pixels_of_faces(demo: EntranceRenderer) -> None:
    checked = Counter[str]()
    for number in range(150, demo.scene.frames, 75):
        for one, box in demo.scene.present(number / FPS):
            owners = np.full((HEIGHT_PX, WIDTH_PX), -1, np.int16)
            demo._person(demo.background.copy(), owners, one, number / FPS)
            rows, columns = np.nonzero(owners == one.number)
            drawn = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
            wanted = np.array(box) * (WIDTH_PX, HEIGHT_PX, WIDTH_PX, HEIGHT_PX)
            size = wanted[2:] - wanted[:2]
            slack = np.full(4, 2.0 + 0.1 * size[0])
            slack[1] += (0.35 if one.way.look.hat != "none" else 0.15) * size[0]  # hair and hats hide the top
            slack[3] += BELOW_CHIN_SHARE * size[1]
            assert (np.abs(drawn - wanted) <= slack).all(), (one, number, drawn, wanted)
            assert len(rows) > 0.35 * size.prod()
            checked[one.class_name] += 1
    assert set(checked) == set(MASK_CLASSES)


def test_the_line_is_kept_clear_for_each_face(demo: EntranceRenderer) -> None:
    for crossing in truth_of(demo.scene):
        found = {one.number for one, _ in visible_boxes(demo, round(crossing.time_s * FPS))}
        assert crossing.number in found, crossing


def test_hidden_faces_get_no_label(demo: EntranceRenderer) -> None:
    number = next(n for n in range(200, 1400, 25) if len(demo.scene.present(n / FPS)) >= 3)
    for one, box in visible_boxes(demo, number):
        fields = label(one, box, MASK_CLASSES).split()
        assert MASK_CLASSES[int(fields[0])] == one.class_name
        assert all(0.0 <= float(value) <= 1.0 for value in fields[1:])
    one, _ = demo.scene.present(number / FPS)[0]
    hidden = [(one, (0.1, 0.1, 0.2, 0.2), 10**6)]
    whole, demo.whole = demo.whole, lambda number: hidden  # type: ignore[method-assign,assignment]
    assert visible_boxes(demo, number) == []
    demo.whole = whole  # type: ignore[method-assign]


def _shades(wear: Wear) -> dict[str, np.ndarray]:
    """The colours at nose, mouth and below the chin of a drawn face, as blue over red."""
    look = replace(
        VisitorLook.draw(5, wear), fabric=SURGICAL, beard="none", glasses="none", skin=(90.0, 130.0, 200.0)
    )
    lamp = Lamp(np.array([0.0, -0.6, -0.8]), 0.6, 0.4, np.ones(3))
    sprite = draw(head_cloud(look), view_of(0.0, 0.0), lamp, 500.0)
    shades = {}
    for place, height_m in (("nose", -0.038), ("mouth", -0.072), ("chin", -0.112)):
        x, y = (sprite.origin_px + np.array([0.0, -height_m * 500.0])).astype(int)
        blue, _, red = sprite.patch[y - 1 : y + 2, x - 2 : x + 3, :3].reshape(-1, 3).mean(0)
        shades[place] = blue > red
    return shades


@pytest.mark.parametrize(
    ("wear", "covered"),
    [
        (Wear.NONE, set()),
        (Wear.RIGHT, {"nose", "mouth", "chin"}),
        (Wear.NOSE_FREE, {"mouth", "chin"}),
        (Wear.UNDER_CHIN, {"chin"}),
    ],
)
def test_a_mask_covers_what_its_wear_says(wear: Wear, covered: set[str]) -> None:
    assert {place for place, is_cloth in _shades(wear).items() if is_cloth} == covered
    assert wear.class_name in MASK_CLASSES


def test_a_data_set_of_faces_is_written(tmp_path) -> None:
    assert write_dataset(tmp_path, [1000], 2, duration_s=30.0, demo="masks") == 2
    texts = [path.read_text() for path in (tmp_path / "labels" / "train").iterdir()]
    assert len(texts) == 2
    classes = {int(row.split()[0]) for text in texts for row in text.splitlines()}
    assert classes
    assert classes <= {0, 1, 2}
