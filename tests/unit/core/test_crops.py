"""Squares around faces: their place, their margin, and what lies beyond the picture."""

import numpy as np
import pytest

from services.core.crops import cut_square, to_blob


def ramp(width: int = 60, height: int = 40) -> np.ndarray:
    """A picture whose blue is the column and whose green is the row."""
    rows, columns = np.indices((height, width))
    return np.stack((columns, rows, np.zeros_like(rows)), -1).astype(np.uint8)


def test_a_box_is_cut_as_a_square_around_its_middle() -> None:
    crop = cut_square(ramp(), np.array((20, 10, 30, 30)), 0.0, 20)
    assert crop.shape == (20, 20, 3)
    assert (crop[0, :, 0] == np.arange(15, 35)).all()
    assert (crop[:, 0, 1] == np.arange(10, 30)).all()


def test_the_margin_is_a_share_of_the_longer_side_at_each_end() -> None:
    crop = cut_square(ramp(), np.array((25, 10, 35, 30)), 0.25, 30)
    assert (crop[0, 0, :2], crop[-1, -1, :2]) == (pytest.approx((15, 5)), pytest.approx((44, 34)))


@pytest.mark.parametrize(
    "box", [(-30, 0, 10, 20), (50, 30, 90, 60), (-50, -50, -10, -10), (100, 100, 120, 130)]
)
def test_what_lies_beyond_the_picture_repeats_its_edge(box: tuple[int, ...]) -> None:
    crop = cut_square(ramp(), np.array(box, np.float32), 0.5, 16)
    assert crop.shape == (16, 16, 3)
    assert crop[..., 0].max() < 60
    assert crop[..., 1].max() < 40


def test_a_large_face_is_averaged_when_made_small() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    crop = cut_square(noise, np.array((0, 0, 200, 200)), 0.0, 10)
    assert np.abs(crop.astype(int) - 127).max() < 30


def test_the_blob_is_red_green_blue_from_0_to_1() -> None:
    blob = to_blob(np.full((2, 4, 4, 3), (0, 51, 255), np.uint8))
    assert blob.shape == (2, 3, 4, 4)
    assert blob[1, :, 2, 2] == pytest.approx((1.0, 0.2, 0.0))
