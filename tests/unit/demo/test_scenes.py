"""What every scene holds, and that its boxes are where its pixels are."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from services.core.types import TRAFFIC_CLASSES
from services.demo.dataset import label, visible_boxes, write_dataset
from services.demo.encode import LoopCache, access_units, decode
from services.demo.render import Renderer
from services.demo.script import FPS, HEIGHT_PX, WIDTH_PX, Scene, SceneObject
from services.demo.traffic import make_scene
from services.demo.truth import BAND, TrueCrossing, _against, _anchors, true_crossings, truth_of

SEEDS = (1, 4, 7)


@pytest.fixture(scope="module", params=SEEDS)
def scene(request: pytest.FixtureRequest) -> Scene:
    return make_scene(request.param)


@pytest.fixture(scope="module")
def demo() -> Renderer:
    return Renderer(make_scene(7))


def of(scene: Scene, situation: str) -> list[SceneObject]:
    return [thing for thing in scene.objects if thing.situation == situation]


def crossings(scene: Scene, thing: SceneObject) -> list[TrueCrossing]:
    track = [(thing.number, thing.class_name, thing.track)]
    return true_crossings(track, scene.lines)


def distances(scene: Scene, thing: SceneObject, line: int) -> np.ndarray:
    points = _anchors(thing.track, thing.track.times_s, False)
    return _against(points, scene.lines[line].points, WIDTH_PX / HEIGHT_PX)[2]


def test_every_situation_is_there(scene: Scene) -> None:
    (stop,) = of(scene, "stop")
    assert len(crossings(scene, stop)) == 1
    assert (distances(scene, stop, 0) < BAND).sum() > 2.5 * FPS
    (turn,) = of(scene, "u_turn")
    assert sorted(one.direction for one in crossings(scene, turn)) == ["backward", "forward"]
    near_misses = of(scene, "near_miss")
    assert near_misses
    for thing in near_misses:
        assert crossings(scene, thing) == []
        assert 1.3 * BAND < distances(scene, thing, 1).min() < 0.3
    bus, car = of(scene, "occlusion")
    assert any(_overlap(bus, car, time_s) > 0.3 for time_s in bus.track.times_s)


def _overlap(front: SceneObject, behind: SceneObject, time_s: float) -> float:
    """Share of the box behind that the box in front covers."""
    a, b = front.track.box_at(time_s), behind.track.box_at(time_s)
    if a is None or b is None:
        return 0.0
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    return width * height / ((b[2] - b[0]) * (b[3] - b[1]))


def test_whatever_passes_crosses_exactly_one_line_once_and_well_inside_it(scene: Scene) -> None:
    for thing in (*of(scene, "pass"), *of(scene, "occlusion")):
        found = crossings(scene, thing)
        assert len(found) == 1, thing.body
        assert 0.08 < found[0].along < 0.95
    both = {(one.line, one.direction) for one in truth_of(scene)}
    assert len({key for key in both if key[0] == "road"}) == 2
    assert {"car", "bus", "truck", "person", "bicycle"} <= {thing.class_name for thing in scene.objects}


def test_the_line_is_kept_clear_for_each_vehicle(scene: Scene) -> None:
    vehicles = [t for t in scene.objects if t.body.kind in ("car", "bus", "truck", "bicycle", "motorbike")]
    for thing in vehicles:
        for crossing in crossings(scene, thing):
            for other in vehicles:
                if other is not thing:
                    assert _overlap(other, thing, crossing.time_s) < 0.15, (thing, other)


def test_vehicles_do_not_drive_through_each_other(scene: Scene) -> None:
    vehicles = [t for t in scene.objects if t.class_name in ("car", "bus", "truck")]
    for time_s in np.arange(0, scene.duration_s, 0.5):
        poses = [t.path.pose(time_s) for t in vehicles if t.track.box_at(time_s) is not None]
        for i, one in enumerate(poses):
            for other in poses[:i]:
                assert abs(one.y_m - other.y_m) > 2.2 or abs(one.x_m - other.x_m) > 5.5


def test_the_street_is_empty_where_the_loop_closes(scene: Scene) -> None:
    assert scene.present(0.0) == []
    assert scene.present(scene.duration_s - 1 / FPS) == []
    assert len(scene.present(scene.duration_s / 2)) > 0


def test_short_scenes_end_empty_and_too_short_ones_are_refused() -> None:
    short = make_scene(3, 30.0)
    assert short.present(30.0 - 1 / FPS) == []
    assert truth_of(short)
    with pytest.raises(ValueError, match="at least"):
        make_scene(3, 5.0)


def test_the_same_seed_gives_the_same_script_and_pixels(demo: Renderer) -> None:
    make_scene.cache_clear()
    again = Renderer(make_scene(7))
    assert truth_of(again.scene) == truth_of(demo.scene)
    for number in (50, 340, 341):
        assert np.array_equal(again.frame(number), demo.frame(number))
        assert np.array_equal(demo.frame(number + demo.scene.frames), demo.frame(number))
    assert not np.array_equal(demo.frame(340), demo.frame(341))
    assert not np.array_equal(Renderer(make_scene(1)).frame(340), demo.frame(340))


def test_boxes_lie_on_the_drawn_pixels(demo: Renderer) -> None:
    checked = set()
    for number in range(0, demo.scene.frames, 20):
        for thing, box in demo.scene.present(number / FPS):
            sprite = demo.sprite(thing, thing.path.pose(number / FPS))
            rows, columns = np.nonzero(sprite.patch[..., 3] > 60)
            if len(rows) < 40:
                continue
            drawn = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], dtype=float)
            drawn += (sprite.x_px, sprite.y_px, sprite.x_px, sprite.y_px)
            wanted = np.array(box) * (WIDTH_PX, HEIGHT_PX, WIDTH_PX, HEIGHT_PX)
            assert np.abs(drawn - wanted).max() <= 3.0, (thing.body, number)
            checked.add(thing.body.kind)
    assert {"car", "bus", "truck", "person", "bicycle", "cyclist"} <= checked


def test_pictures_pass_through_h264(demo: Renderer) -> None:
    short = dataclasses.replace(demo.scene, duration_s=1.2)
    cache = LoopCache(short)
    source = access_units(short, cache)
    units = [next(source) for _ in range(40)]
    assert [frame for frame, _, _ in units] == list(range(40))
    assert [frame for frame, is_keyframe, _ in units if is_keyframe] == [0, 25, 30]
    assert all(data.startswith(b"\x00\x00") for _, _, data in units)
    assert units[30][2] == units[0][2]
    assert units[0][2][4] & 0x1F == 7, "a key frame brings its headers"
    pictures = list(decode(iter([data for _, _, data in units[:30]])))
    assert len(pictures) == 30
    error = np.abs(pictures[20].astype(int) - demo.frame(20).astype(int)).mean()
    assert error < 6.0


def test_hidden_objects_get_no_label(demo: Renderer) -> None:
    for number in range(0, demo.scene.frames, 40):
        labelled = visible_boxes(demo, number)
        assert {t.number for t, _ in labelled} <= {t.number for t, _ in demo.scene.present(number / FPS)}
        for thing, box in labelled:
            fields = label(thing, box, TRAFFIC_CLASSES).split()
            assert len(fields) == 5
            assert all(0.0 <= float(value) <= 1.0 for value in fields[1:])


def test_a_data_set_is_written_and_test_seeds_are_refused(tmp_path: Path) -> None:
    assert write_dataset(tmp_path, [1000], 1, duration_s=30.0) == 1
    (image,) = (tmp_path / "images" / "train").iterdir()
    (labels,) = (tmp_path / "labels" / "train").iterdir()
    assert image.stem == labels.stem
    with pytest.raises(ValueError, match="1000"):
        write_dataset(tmp_path, [7], 1)
