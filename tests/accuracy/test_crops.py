"""No face that measures a classifier was trained on, not even in another form; looked for in all pictures."""

from pathlib import Path

import pytest

from model.data.samples import DataSource
from model.zoo.classifiers.crops import load_sides
from model.zoo.classifiers.near_copies import near_pairs

FOLDERS = ("masks", "masks_more", "masks_wild")

pytestmark = pytest.mark.data


def test_no_near_copy_of_a_face_is_on_both_sides(test_data: Path) -> None:
    folders = [test_data / name for name in FOLDERS if (test_data / name).is_dir()]
    sides = load_sides([DataSource(folder) for folder in folders])
    measuring = [*sides.val, *sides.unseen]
    assert not {crop.file for crop in sides.train} & {crop.file for crop in measuring}
    assert sides.copies
    assert not near_pairs([crop.picture for crop in sides.train], [crop.picture for crop in measuring])
