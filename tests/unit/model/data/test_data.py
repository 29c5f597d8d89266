from pathlib import Path

import cv2
import numpy as np
import pytest

from model.data.augment import augment, clip_labels
from model.data.batches import EpochPlan, make_batches, schedule
from model.data.corrections import IGNORED_LABEL, correct, read_corrections, shipped_corrections
from model.data.prefetching import Prefetcher
from model.data.samples import (
    DataSource,
    Sample,
    check_classes,
    epoch_order,
    is_test,
    load_backgrounds,
    load_split,
    picture_paths,
    read_rows,
    show_counts,
    to_corners,
    validation_sources,
)
from model.data.sources import read_set_aside, sources_of, split_of
from model.network.gbyolo.head import DEFAULT_ANCHORS
from model.training.anchors import box_sizes, fit_anchors
from model.training.config import TrainConfig
from services.core.errors import BadInputError


def test_labels_become_corners_in_pixels(tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text("2 0.5 0.5 0.25 0.5\n")
    assert to_corners(read_rows(path), 200, 100).tolist() == [[2, 75, 25, 125, 75]]
    assert read_rows(tmp_path / "none.txt").shape == (0, 5)


def test_an_outline_becomes_the_box_around_it(tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text("1 0.2 0.3 0.6 0.3 0.6 0.7 0.2 0.7\n0 0.1 0.1 0.3 0.1 0.2 0.5\r\n")
    expected = [[1, 0.4, 0.5, 0.4, 0.4], [0, 0.2, 0.3, 0.2, 0.4]]
    assert read_rows(path) == pytest.approx(np.array(expected))
    path.write_text("1 0.4 0.5 0.4 0.4 0.93\n")
    assert read_rows(path) == pytest.approx(np.array(expected[:1]))


@pytest.mark.parametrize(
    "line",
    [
        "2 0.5",
        "0 0.5 0.5 0.1",
        "0 0.1 0.1 0.3 0.1 0.2 0.5 0.4",
        "0 320 240 50 40",
        "0 0.5 0.5 -0.3 0.1",
        "0 nan 0.5 0.1 0.1",
        "0 0.5 0.5 inf 0.1",
        "0.5 0.5 0.5 0.1 0.1",
        "nan 0.5 0.5 0.1 0.1",
        "parcel 0.5 0.5 0.1 0.1",
    ],
)
def test_a_line_that_is_no_label_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "one.txt"
    path.write_text(f"0 0.5 0.5 0.1 0.1\n{line}\n")
    with pytest.raises(BadInputError, match=r"one\.txt, line 2 is no YOLO label"):
        read_rows(path)


def test_a_folder_of_another_form_is_told_where_pictures_lie(tmp_path: Path) -> None:
    (tmp_path / "train" / "images").mkdir(parents=True)
    with pytest.raises(BadInputError, match=r"they lie in images/train .*labels in labels/train"):
        load_split([DataSource(tmp_path)], "train", 640)


def test_pictures_that_cannot_be_read_are_told(yolo_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    pictures = yolo_folder / "images" / "train"
    (pictures / "square1.png").write_bytes(b"no picture")
    (pictures / "square3.png").write_bytes(b"")
    assert len(load_split([DataSource(yolo_folder)], "train", 640)) == 6
    assert [record.getMessage() for record in caplog.records] == [
        f"2 pictures cannot be read and are left out, the first is {pictures / 'square1.png'}"
    ]


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
    assert kept[:, 0].tolist() == [0, IGNORED_LABEL, IGNORED_LABEL]
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


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_batches_do_not_depend_on_where_a_training_goes_on_and_who_makes_them(
    squares: list[Sample], workers: int
) -> None:
    samples, counts = {"mask": squares}, {"mask": np.ones(len(squares))}
    whole = list(make_batches(samples, counts, EpochPlan(1, 2, 4, 96, 0.7)))
    rest = list(Prefetcher(samples, workers).epoch(EpochPlan(1, 2, 4, 96, 0.7, first_batch=2), counts))
    assert [total for total, _ in rest] == [4, 4]
    for (_, first), (_, second) in zip(whole[2:], rest, strict=True):
        assert (first.pictures == second.pictures).all() and (first.targets == second.targets).all()


def test_the_side_of_a_batch_varies_around_the_training_size(squares: list[Sample]) -> None:
    samples, counts = {"mask": squares}, {"mask": np.ones(len(squares))}

    def sides(plan: EpochPlan) -> set[int]:
        return {batch.pictures.shape[1] for _, batch in make_batches(samples, counts, plan)}

    assert set.union(*(sides(EpochPlan(seed, 0, 4, 128, 0.0, spread=0.5)) for seed in range(8))) == {
        64,
        96,
        128,
        160,
        192,
    }
    assert sides(EpochPlan(0, 0, 4, 128, 0.0)) == {128}


def test_corrections_change_the_labels_they_mean(tmp_path: Path) -> None:
    rows = np.array([[0, 0.5, 0.5, 0.2, 0.4], [1, 0.2, 0.2, 0.1, 0.1], [2, 0.8, 0.8, 0.1, 0.1]], np.float32)
    path = tmp_path / "list.csv"
    head = "folder,picture,change,class,x,y,width,height"
    lines = (
        "squares,a.png,class,2,0.5,0.5,0.2,0.39",
        "squares,a.png,remove,1,0.2,0.2,0.1,0.1",
        "squares,a.png,class,-1,0.8,0.8,0.1,0.1",
        "squares,a.png,add,1,0.4,0.9,0.1,0.1",
    )
    path.write_text("\n".join((head, *lines)))
    corrections = read_corrections(path)["squares", "a"]
    expected = [[2, 0.5, 0.5, 0.2, 0.4], [IGNORED_LABEL, 0.8, 0.8, 0.1, 0.1], [1, 0.4, 0.9, 0.1, 0.1]]
    assert correct(rows, corrections) == pytest.approx(np.array(expected))
    with pytest.raises(BadInputError, match=r"a\.png"):
        correct(rows[:1], corrections)
    for line, word in (
        ("squares,a.png,ignore,1,0,0,1,1", "class, remove, add"),
        ("squares,a.png,add,1,x,0,1,1", "numbers"),
    ):
        path.write_text(f"{head}\n{line}")
        with pytest.raises(BadInputError, match=f"line 2.*{word}"):
            read_corrections(path)


def test_a_correction_of_the_test_part_is_refused(
    yolo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.csv"
    monkeypatch.setattr("model.data.samples.shipped_corrections", lambda: read_corrections(path))

    def correct_one(split: str) -> None:
        name = picture_paths(yolo_folder, split)[0].name
        path.write_text(f"folder,picture,change,class,x,y,width,height\nsquares,{name},add,1,.5,.5,.1,.1\n")

    correct_one("val")
    assert len(load_split([DataSource(yolo_folder)], "val", 640)[0].labels) == 2
    correct_one("test")
    with pytest.raises(BadInputError, match="test part"):
        load_split([DataSource(yolo_folder)], "test", 640)


def test_the_shipped_corrections_can_be_read() -> None:
    assert all(name for _, name in shipped_corrections())


def test_pictures_without_a_person_are_backgrounds(yolo_folder: Path) -> None:
    backgrounds = load_backgrounds([yolo_folder], 640)
    assert [sample.name for sample in backgrounds] == [f"square{number}" for number in (1, 2, 4, 5, 7)]
    assert all(not len(sample.labels) for sample in backgrounds)
    assert load_backgrounds([], 640) == []
    with pytest.raises(BadInputError, match="background"):
        TrainConfig((DataSource(yolo_folder),), Path("run"), task="traffic", backgrounds=(yolo_folder,))


def test_anchors_fit_the_boxes_and_are_ordered(squares: list[Sample]) -> None:
    sizes = np.repeat(np.array([[8, 8], [30, 15], [100, 120]], np.float32), 100, 0)
    anchors = np.array(fit_anchors(sizes)).reshape(9, 2)
    assert (np.diff(anchors.prod(1)) >= 0).all()
    ratio = sizes[:, None] / anchors[None]
    assert (np.minimum(ratio, 1 / ratio).min(2).max(1) > 0.99).all()
    assert fit_anchors(box_sizes(squares[:2], 96)) == DEFAULT_ANCHORS


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif"])
def test_pictures_of_every_form_are_read_with_their_corrections(
    yolo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """A correction names a picture, not the form in which it is kept."""
    folder = yolo_folder / "images" / "train"
    for path in folder.iterdir():
        assert cv2.imwrite(str(path.with_suffix(suffix)), cv2.imread(str(path)))
        if suffix != ".png":
            path.unlink()
    path = tmp_path / "list.csv"
    path.write_text("folder,picture,change,class,x,y,width,height\nsquares,square0.jpg,add,1,.5,.5,.1,.1\n")
    monkeypatch.setattr("model.data.samples.shipped_corrections", lambda: read_corrections(path))
    samples = load_split([DataSource(yolo_folder)], "train", 640)
    assert [len(one.labels) for one in samples] == [2, 1, 1, 1, 1, 1, 1, 1]


def test_sources_that_are_set_aside_are_in_no_training(
    yolo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "aside.csv"
    path.write_text(
        "folder,pictures,split,source\nsquares,square[01].*,val,a\nsquares,square2*,unseen,b\nother,*,val,c\n"
    )
    listed = read_set_aside(path)
    for place in ("model.data.sources", "model.data.samples"):
        monkeypatch.setattr(f"{place}.shipped_set_aside", lambda: listed)

    def names(split: str) -> set[str]:
        return {one.name for one in load_split([DataSource(yolo_folder)], split, 640)}

    assert names("train") == {f"square{number}" for number in range(3, 8)}
    assert names("unseen") == {"square2"}
    assert {"square0", "square1"} < names("val")
    assert names("test").isdisjoint(names("val") | names("train") | names("unseen"))
    own, other, third = (DataSource(tmp_path / name) for name in ("squares", "other", "third"))
    assert validation_sources([third, own, other]) == [own, other]


@pytest.mark.parametrize("line", ["squares,*,train,a", ",*,val,a", "squares,,val,a"])
def test_a_list_of_sources_that_says_nothing_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "aside.csv"
    path.write_text(f"folder,pictures,split,source\n{line}\n")
    with pytest.raises(BadInputError, match="line 2"):
        read_set_aside(path)
    path.write_text("folder,split\n")
    with pytest.raises(BadInputError, match="columns"):
        read_set_aside(path)


def test_the_shipped_list_of_sources_holds_every_source_that_is_not_for_trade() -> None:
    for prefix in ("fsl", "whs", "phm"):
        assert split_of("people_above", f"{prefix}_a_1.avif") == "unseen"
    assert split_of("people_above", "mrt_a_1.avif") == split_of("masks", "kgl_1.avif") == "train"


@pytest.mark.parametrize("column", ["file", "name"])
def test_a_manifest_names_its_pictures_in_either_column(tmp_path: Path, column: str) -> None:
    (tmp_path / "manifest.csv").write_text(f"{column},source\na.avif,somebody\n")
    assert sources_of(tmp_path) == {"a": "somebody"}
    (tmp_path / "manifest.csv").write_text("picture,source\na.avif,somebody\n")
    with pytest.raises(BadInputError, match="file or name"):
        sources_of(tmp_path)
