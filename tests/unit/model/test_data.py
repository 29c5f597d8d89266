from pathlib import Path

import numpy as np
import pytest

from model.anchors import box_sizes, fit_anchors
from model.augment import IGNORED, augment, clip_labels
from model.batches import EpochPlan, Prefetcher, make_batches, schedule
from model.config import DataSource, TrainConfig
from model.data import (
    Sample,
    check_classes,
    epoch_order,
    is_test,
    load_split,
    picture_paths,
    read_labels,
    show_counts,
)
from model.gbyolo.head import DEFAULT_ANCHORS
from services.core.errors import BadInputError


def test_labels_become_corners_in_pixels(tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text("2 0.5 0.5 0.25 0.5\n")
    assert read_labels(path, 200, 100).tolist() == [[2, 75, 25, 125, 75]]
    assert read_labels(tmp_path / "none.txt", 200, 100).shape == (0, 5)
    path.write_text("2 0.5\n")
    with pytest.raises(BadInputError, match=r"one\.txt"):
        read_labels(path, 200, 100)


def test_frames_of_scored_clips_stay_out(yolo_folder: Path) -> None:
    pictures = yolo_folder / "images" / "train"
    (pictures / "square0.png").rename(pictures / "clip_square0.png")
    samples = load_split([DataSource(yolo_folder)], "train", 640)
    assert [sample.name for sample in samples] == [f"square{number}" for number in range(1, 8)]


def test_a_third_of_val_is_for_testing_by_the_hash_of_its_names(tmp_path: Path) -> None:
    pictures = tmp_path / "images" / "val"
    pictures.mkdir(parents=True)
    names = [f"{number}.jpg" for number in range(90)]
    for name in [*names, "clip_1.jpg"]:
        (pictures / name).touch()
    test, val = ({path.name for path in picture_paths(tmp_path, split)} for split in ("test", "val"))
    assert test | val == set(names) and not test & val
    assert 20 <= len(test) <= 40
    assert [name for name in names[:6] if is_test(name)] == ["0.jpg", "4.jpg"]
    (pictures / "0.jpg").unlink()
    assert {path.name for path in picture_paths(tmp_path, "test")} == test - {"0.jpg"}
    with pytest.raises(BadInputError, match="no split"):
        picture_paths(tmp_path, "all")


def test_a_source_may_say_its_task() -> None:
    assert DataSource.parse("mask=some/folder@2") == DataSource(Path("some/folder"), 2.0, "mask")
    assert DataSource.parse("a=b/c") == DataSource(Path("a=b/c"))
    with pytest.raises(BadInputError, match="TASK=FOLDER"):
        TrainConfig((DataSource(Path("x")),), Path("run"), task="joint")
    with pytest.raises(BadInputError, match="not a task of this"):
        TrainConfig((DataSource(Path("x"), task="mask"),), Path("run"), task="traffic")


def test_an_epoch_mixes_the_tasks_in_whole_batches(squares: list[Sample]) -> None:
    counts = {"mask": np.ones(16), "traffic": np.ones(2)}
    batches = schedule(counts, EpochPlan(1, 0, 4, 96, 0.0))
    assert sorted(task for task, _ in batches) == ["mask"] * 4 + ["traffic"]
    assert sorted(np.concatenate([chosen for task, chosen in batches if task == "mask"])) == list(range(16))
    assert [task for task, _ in batches] != sorted(task for task, _ in batches)


def test_folders_without_pictures_and_unknown_classes_are_refused(
    tmp_path: Path, squares: list[Sample]
) -> None:
    with pytest.raises(BadInputError, match="no pictures"):
        load_split([DataSource(tmp_path)], "train", 640)
    with pytest.raises(BadInputError, match="square2"):
        check_classes(squares, 2)


def test_a_source_may_say_how_often_it_is_shown() -> None:
    assert DataSource.parse("some/folder@0.5") == DataSource(Path("some/folder"), 0.5)
    assert DataSource.parse("some/folder").repeat == 1
    with pytest.raises(BadInputError):
        DataSource.parse("some/folder@often")


def test_rare_classes_are_shown_more_often(squares: list[Sample]) -> None:
    counts = show_counts(squares, {1: 3.0})
    assert counts[:3].tolist() == [1, 3, 1]
    order = epoch_order(counts, np.random.default_rng(0))
    assert (order == 1).sum() == 3 and (order == 0).sum() == 1


def test_cut_and_small_boxes_are_ignored_and_hidden_ones_dropped() -> None:
    boxes = np.array(
        [[0, 10, 10, 50, 50], [0, -30, 10, 10, 50], [0, -39, 10, 1, 50], [0, 10, 10, 14, 14]], np.float32
    )
    kept = clip_labels(boxes, 100, 100)
    assert kept[:, 0].tolist() == [0, IGNORED, IGNORED]
    assert kept[1, 1:].tolist() == [0, 10, 10, 50]


@pytest.mark.parametrize("count", [1, 4])
def test_augmented_boxes_stay_on_their_objects(squares: list[Sample], count: int) -> None:
    brighter = []
    for seed in range(20):
        picture, labels = augment(squares[:count], 128, np.random.default_rng(seed))
        assert picture.shape == (128, 128, 3)
        assert (labels[:, 1:] >= 0).all() and (labels[:, 1:] <= 128).all()
        for label in labels[labels[:, 0] >= 0]:
            x1, y1, x2, y2 = label[1:].astype(int)
            brighter.append(picture[y1:y2, x1:x2].mean() > 1.5 * max(picture.mean(), 1) or x2 - x1 > 60)
    assert np.mean(brighter) > 0.8


def test_batches_do_not_depend_on_where_a_training_goes_on(squares: list[Sample]) -> None:
    samples, counts = {"mask": squares}, {"mask": np.ones(len(squares))}
    whole = list(make_batches(samples, counts, EpochPlan(1, 2, 4, 96, 0.7)))
    rest = list(Prefetcher(samples, counts).epoch(EpochPlan(1, 2, 4, 96, 0.7, first_batch=2)))
    assert [total for total, _ in rest] == [4, 4]
    for (_, first), (_, second) in zip(whole[2:], rest, strict=True):
        assert (first.pictures == second.pictures).all() and (first.targets == second.targets).all()


def test_anchors_fit_the_boxes_and_are_ordered(squares: list[Sample]) -> None:
    sizes = np.repeat(np.array([[8, 8], [30, 15], [100, 120]], np.float32), 100, 0)
    anchors = np.array(fit_anchors(sizes)).reshape(9, 2)
    assert (np.diff(anchors.prod(1)) >= 0).all()
    ratio = sizes[:, None] / anchors[None]
    assert (np.minimum(ratio, 1 / ratio).min(2).max(1) > 0.99).all()
    assert fit_anchors(box_sizes(squares[:2], 96)) == DEFAULT_ANCHORS
