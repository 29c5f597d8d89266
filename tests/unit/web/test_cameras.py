from pathlib import Path

import pytest

from services.core.errors import BadInputError
from services.web.cameras import check_url


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
