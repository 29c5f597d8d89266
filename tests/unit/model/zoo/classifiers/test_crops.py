"""Faces stay on the side of their picture, with their variants, and near copies are found."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from model.data.samples import DataSource, Sample
from model.data.synthetic_masks import MASK, MASK_INCORRECT, NO_MASK
from model.zoo.classifiers.augment import augmented, plain, training_batch
from model.zoo.classifiers.crops import FaceCrop, chances, copied_files, cut_faces, load_sides, wear_mask
from model.zoo.classifiers.near_copies import near_pairs
from tests.unit.model.zoo.classifiers.conftest import face_sample


def photograph(seed: int, side_px: int = 96) -> np.ndarray:
    """Soft random shapes in colour, as unlike another seed's as two photographs."""
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 7, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_a_crop_keeps_its_face_in_the_middle_and_names_its_picture(faces: list[Sample]) -> None:
    (crop,) = cut_faces(faces[0])
    x1, y1, x2, y2 = crop.box
    assert (x1 + x2) / 2 == pytest.approx(crop.picture.shape[1] / 2)
    assert y2 - y1 == pytest.approx(60, abs=1)
    assert (crop.file, crop.label) == ("f/0", 0)


def test_small_and_ignored_faces_are_left_out() -> None:
    labels = np.array([[0, 0, 0, 11, 8], [-1, 0, 0, 50, 50], [2, 0, 0, 12, 12]], np.float32)
    assert [crop.label for crop in cut_faces(Sample("a", photograph(0), labels))] == [2]


def test_a_mask_that_is_drawn_stays_with_its_picture(crops: list[FaceCrop]) -> None:
    bare = next(crop for crop in crops if crop.label == NO_MASK)
    worn = [wear_mask(bare, np.random.default_rng(seed)) for seed in range(60)]
    assert {one.file for one in worn} == {bare.file}
    assert {one.label for one in worn} == {MASK, NO_MASK, MASK_INCORRECT}
    assert all((one.label == NO_MASK) == np.array_equal(one.picture, bare.picture) for one in worn)
    masked = next(crop for crop in crops if crop.label == MASK)
    assert all(wear_mask(masked, np.random.default_rng(seed)) is masked for seed in range(20))


def test_augmentation_follows_the_seed_and_keeps_the_face_in_sight(crops: list[FaceCrop]) -> None:
    one, again, other = (augmented(crops[0], 32, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    bright = [(augmented(crops[0], 32, np.random.default_rng(seed)) > 180).all(2).sum() for seed in range(30)]
    assert min(bright) > 0.3 * (plain(crops[0], 32) > 180).all(2).sum()


def test_rare_classes_are_shown_more_often_than_their_share(crops: list[FaceCrop]) -> None:
    uneven = [crop for index, crop in enumerate(crops) if crop.label != 2 or index == 2]
    share = chances(uneven)
    rare = share[[crop.label == 2 for crop in uneven]].sum()
    assert share.sum() == pytest.approx(1)
    assert 1 / len(uneven) < rare < 1 / 3
    pictures, labels = training_batch(uneven, share, 8, 20, np.random.default_rng(0))
    assert (pictures.shape, labels.shape) == ((8, 20, 20, 3), (8,))


def test_forms_of_one_picture_are_near_copies_and_others_are_not() -> None:
    first, second = photograph(1), photograph(2)
    smaller = np.asarray(cv2.resize(first, (61, 61), interpolation=cv2.INTER_AREA), np.uint8)
    packed = cv2.imencode(".jpg", first[:, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
    mirrored = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    assert near_pairs([first, second], [smaller, photograph(3), mirrored]) == [(0, 0), (0, 2)]
    assert near_pairs([], [first]) == []


def test_a_face_that_both_sides_show_takes_its_picture_out_of_training() -> None:
    face = photograph(5, 60)
    samples = []
    for seed in (6, 7):
        picture = photograph(seed, 160)
        picture[50:110, 50:110] = face
        samples.append(
            Sample(str(seed), picture, np.array([[0, 65, 65, 95, 95]], np.float32), file=f"a/{seed}")
        )
    other = replace(face_sample(3), file="a/3")
    assert near_pairs([samples[0].picture], [samples[1].picture]) == []
    assert copied_files([samples[0], other], [samples[1]]) == {"a/6"}


def test_sides_are_those_of_the_folder(face_folder: Path) -> None:
    sides = load_sides([DataSource(face_folder)])
    names = [{crop.file for crop in crops} for crops in (sides.train, sides.val, sides.unseen)]
    assert names[0]
    assert names[1]
    assert not names[2]
    assert not names[0] & names[1]
    assert not sides.copies
