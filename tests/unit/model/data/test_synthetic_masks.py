import numpy as np
import pytest

from model.data.samples import Sample
from model.data.synthetic_masks import FABRICS, MASK, MASK_INCORRECT, NO_MASK, MaskWear, draw_mask, wear_masks


def face(side_px: float = 60.0, label: int = NO_MASK) -> Sample:
    picture = np.full((120, 120, 3), 150, np.uint8)
    return Sample("face", picture, np.array([[label, 30, 30, 30 + side_px, 30 + side_px]], np.float32))


def worn(sample: Sample, rounds: int = 300) -> list[Sample]:
    return [wear_masks(sample, np.random.default_rng(seed)) for seed in range(rounds)]


def test_some_bare_faces_get_masks_worn_well_and_badly() -> None:
    labels = [int(sample.labels[0, 0]) for sample in worn(face())]
    assert 0.1 < labels.count(MASK) / 300 < 0.3
    assert 0.05 < labels.count(MASK_INCORRECT) / 300 < 0.2
    for sample in worn(face(), 50):
        changed = bool((sample.picture != face().picture).any())
        assert changed == (sample.labels[0, 0] != NO_MASK)


def test_small_faces_and_those_with_a_mask_stay_as_they_are() -> None:
    for sample in (face(side_px=8), face(label=MASK)):
        assert all(other is sample for other in worn(sample, 50))


def test_the_picture_that_others_see_is_not_drawn_into() -> None:
    sample = face()
    assert any(other is not sample for other in worn(sample, 50))
    assert (sample.picture == 150).all() and sample.labels[0, 0] == NO_MASK


@pytest.mark.parametrize("wear", MaskWear)
@pytest.mark.parametrize("fabric", FABRICS)
def test_a_mask_covers_the_part_of_the_face_that_its_wear_says(wear: MaskWear, fabric: str) -> None:
    sample = face()
    picture = sample.picture.copy()
    draw_mask(picture, sample.labels[0, 1:], wear, FABRICS[fabric], np.random.default_rng(1))
    rows = np.flatnonzero((picture != 150).any(2)[:, 55:65].all(1))
    top, bottom = ((30 + 60 * edge) for edge in wear.value)
    assert abs(rows.min() - top) < 10 and abs(rows.max() - bottom) < 10
    assert (picture[:40] == 150).all(), "the forehead stays bare"


def test_a_face_at_the_border_of_the_picture_is_drawn_as_far_as_it_goes() -> None:
    picture = np.full((50, 50, 3), 150, np.uint8)
    box = np.array((30, 30, 70, 70), np.float32)
    draw_mask(picture, box, MaskWear.RIGHT, FABRICS["cloth"], np.random.default_rng(0))
    draw_mask(picture, box + 100, MaskWear.RIGHT, FABRICS["cloth"], np.random.default_rng(0))
    assert (picture[46:, 40:] != 150).any()
