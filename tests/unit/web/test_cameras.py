import math
from dataclasses import replace
from pathlib import Path

import pytest

from services.core.errors import BadInputError
from services.web.cameras import check_url, validate_camera
from tests.makers import camera


def test_a_file_of_this_machine_has_to_be_there(tmp_path: Path) -> None:
    video = tmp_path / "street.mp4"
    video.touch()
    check_url(str(video), sees_files=True)
    with pytest.raises(BadInputError, match="there is no file"):
        check_url(str(tmp_path / "absent.mp4"), sees_files=True)


def test_a_file_of_another_machine_is_left_to_whoever_opens_it() -> None:
    check_url("/videos/street.mp4", sees_files=False)
    with pytest.raises(BadInputError, match="no full path of a file"):
        check_url("street.mp4", sees_files=False)


@pytest.mark.parametrize("fps", [4, 10, 60])
def test_a_rate_that_can_be_counted_is_taken(fps: float) -> None:
    given = replace(camera(), fps=fps)
    assert validate_camera(given, lambda _: None) == given


@pytest.mark.parametrize("fps", [0, -1, 1, 1.5, 2, 3, 60.1, math.nan, math.inf])
def test_a_rate_that_cannot_be_counted_is_refused(fps: float) -> None:
    with pytest.raises(BadInputError, match=f"fps is {fps:g}: give 4 to 60 frames to analyse a second"):
        validate_camera(replace(camera(), fps=fps), lambda _: None)
